# SPDX-License-Identifier: Apache-2.0
"""``traceledger org`` and ``key``: organisations and keys of the registry."""

from pathlib import Path
from typing import Any

import click

from traceledger.cli.deployment import opened
from traceledger.cli.output import json_option, show


@click.group()
def org() -> None:
    """Organisations."""


@org.command("add")
@click.argument("name")
@click.option("--title", required=True, help="Full name of the legal entity.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(["authority", "certifier", "operator"]),
    help="What it may state.",
)
@click.option("--gs1", default="", help="GS1 company prefixes it holds, separated by spaces.")
@click.option("--party", default="", help="Its party URI, https://id.gs1.org/417/….")
@json_option
@click.pass_obj
def org_add(
    folder: Path, name: str, title: str, roles: tuple[str, ...], gs1: str, party: str, as_json: bool
) -> None:
    """
    Register organisation NAME, and make the key of its admin (keys/NAME-admin.json).

    Example: traceledger org add htx-ben-mau --title "HTX Xoài Bến Mẫu" --gs1 9521234
    """
    from traceledger.app import key_path, new_key
    from traceledger.core.claims.records import is_org
    from traceledger.errors import InputError, VerificationError
    from traceledger.ledger import enrol

    with opened(folder) as app:
        registry = app.sequencer.registry()
        if name in registry.orgs or not is_org(name):
            raise InputError(
                f"expected a new name of a-z, 0-9 and -, 2 to 32 characters, got {name!r}", code="org-name"
            )
        admin = new_key(app.settings, f"{name}-admin")
        ids = {key: value for key, value in (("gs1", gs1), ("party", party)) if value}
        try:
            envelope = enrol.organisation(
                registry,
                org=name,
                name=title,
                admins=[admin],
                root_keys=[app.key("root")],
                ids=ids,
                roles=roles,
            )
            done = app.log.submit_envelope(envelope)
        except (InputError, VerificationError):  # refused: the name stays free
            key_path(app.settings, f"{name}-admin").unlink()
            raise
    show(
        {"org": name, "index": done.index, "admin": admin.kid},
        as_json,
        f"{title} is registered at entry {done.index}.",
    )


@org.command("list")
@json_option
@click.pass_obj
def org_list(folder: Path, as_json: bool) -> None:
    """List the organisations of the registry, oldest first."""
    with opened(folder, sign=False) as app:
        found: list[dict[str, Any]] = [
            {
                "org": one.org,
                "name": one.name,
                "roles": list(one.roles),
                "ids": one.ids,
                "index": one.index,
                "revoked": one.revoked.index if one.revoked else None,
            }
            for one in sorted(app.sequencer.registry().orgs.values(), key=lambda one: one.index)
        ]
    lines = [
        f"{one['org']:<24} {one['name']}"
        + (f" ({', '.join(one['roles'])})" if one["roles"] else "")
        + (f", revoked at entry {one['revoked']}" if one["revoked"] is not None else "")
        for one in found
    ]
    show(found, as_json, "\n".join(lines))


@click.group()
def key() -> None:
    """Keys that sign statements."""


@key.command("list")
@click.option("--org", "organisation", help="Only keys of this organisation.")
@json_option
@click.pass_obj
def key_list(folder: Path, organisation: str | None, as_json: bool) -> None:
    """List the registered keys, oldest first, with the id that `key revoke` asks for."""
    with opened(folder, sign=False) as app:
        found: list[dict[str, Any]] = [
            {
                "kid": one.kid,
                "org": one.org,
                "custody": one.custody,
                "acts": list(one.acts),
                "sites": list(one.sites),
                "index": one.index,
                "revoked": one.revoked.index if one.revoked else None,
            }
            for one in sorted(app.sequencer.registry().keys.values(), key=lambda one: one.index)
            if organisation in (None, one.org)
        ]
    lines = [
        f"{one['kid']}  {one['org']:<24} {one['custody']:<10} {', '.join(one['acts'])}"
        + (f"  revoked at entry {one['revoked']}" if one["revoked"] is not None else "")
        for one in found
    ]
    show(found, as_json, "\n".join(lines))


@key.command("new")
@click.argument("name")
@click.option(
    "--custody", type=click.Choice(["device", "file", "custodial"]), default="file", show_default=True
)
@json_option
@click.pass_obj
def key_new(folder: Path, name: str, custody: str, as_json: bool) -> None:
    """Make a key and keep it, sealed by a password, as keys/NAME.json."""
    from traceledger.app import new_key
    from traceledger.settings import load

    made = new_key(load(folder), name, custody=custody)
    show(
        {"name": name, "kid": made.kid}, as_json, f"Key {made.kid} is in keys/{name}.json; `key register` it."
    )


@key.command("register")
@click.argument("name")
@click.option("--org", "organisation", required=True, help="Organisation it signs for.")
@click.option(
    "--act",
    "acts",
    multiple=True,
    required=True,
    help="What it may state: event/harvest, stamps/*, stamp/sign, …",
)
@click.option(
    "--site", "sites", multiple=True, help="Places it may speak for: https://id.gs1.org/414/…, or * for all."
)
@click.option(
    "--custody", type=click.Choice(["device", "file", "custodial"]), default="file", show_default=True
)
@json_option
@click.pass_obj
def key_register(
    folder: Path,
    name: str,
    organisation: str,
    acts: tuple[str, ...],
    sites: tuple[str, ...],
    custody: str,
    as_json: bool,
) -> None:
    """
    Register key NAME for an organisation; signed by keys/ORG-admin.json and by the key itself.

    Example: traceledger key register an --org htx-ben-mau --act 'event/*' --site https://id.gs1.org/414/9521234000013
    """
    from traceledger.ledger import enrol

    with opened(folder) as app:
        envelope = enrol.actor_key(
            app.settings.origin,
            org=organisation,
            key=app.key(name),
            admin=app.key(f"{organisation}-admin"),
            custody=custody,
            acts=acts,
            sites=sites,
        )
        done = app.log.submit_envelope(envelope)
    show(
        {"name": name, "index": done.index},
        as_json,
        f"Key {name} of {organisation} is registered at entry {done.index}.",
    )


@key.command("revoke")
@click.argument("kid")
@click.option("--admin", required=True, help="Key file that signs: the organisation's admin, or root.")
@click.option("--reason", required=True, help="Why, for everybody to read.")
@click.option(
    "--suspect-from", type=click.IntRange(0), help="Log index from which its signatures are doubtful."
)
@json_option
@click.pass_obj
def key_revoke(
    folder: Path, kid: str, admin: str, reason: str, suspect_from: int | None, as_json: bool
) -> None:
    """Revoke the key with id KID; what it signed before stays in the log."""
    from traceledger.ledger import enrol

    with opened(folder) as app:
        envelope = enrol.revoke(
            app.settings.origin,
            target={"kid": kid},
            reason=reason,
            suspect_from=suspect_from,
            signers=[app.key(admin)],
        )
        done = app.log.submit_envelope(envelope)
    show({"kid": kid, "index": done.index}, as_json, f"Key {kid} is revoked from entry {done.index} on.")
