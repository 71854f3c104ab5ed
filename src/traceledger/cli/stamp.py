# SPDX-License-Identifier: Apache-2.0
"""``traceledger stamp``: issue, print and activate rolls of stamps."""

from pathlib import Path
from typing import Any

import click

from traceledger.cli.deployment import opened
from traceledger.cli.output import json_option, progress, show


@click.group()
def stamp() -> None:
    """Rolls of stamps."""


@stamp.command()
@click.argument("roll")
@click.option("--key", "key_name", required=True, help="Key file in keys/ that signs for the issuer.")
@click.option("--gtin", required=True, help="GTIN of the product, 8, 12, 13 or 14 digits.")
@click.option("--count", type=click.IntRange(1, 1_000_000), required=True, help="How many stamps.")
@click.option("--first", type=click.IntRange(0), default=1, show_default=True, help="First number.")
@click.option("--lot", help="Lot to print in the links, where it is known already.")
@click.option(
    "--stamp-key", help="Key file whose signature every printed link carries; registered with act stamp/sign."
)
@json_option
@click.pass_obj
def issue(
    folder: Path,
    roll: str,
    key_name: str,
    gtin: str,
    count: int,
    first: int,
    lot: str | None,
    stamp_key: str | None,
    as_json: bool,
) -> None:
    """Issue ROLL (A-Z, 0-9, -): commit to its stamps in the log before any is printed."""
    from traceledger.ledger import issue as issuing

    with opened(folder) as app:
        signer = app.key(key_name)
        org = app.sequencer.registry().signer(signer.kid).org
        done = issuing.issue(
            app.sequencer,
            actor=org,
            name=roll,
            gtin14=gtin,
            count=count,
            scheme=app.settings.link_scheme,
            host=app.settings.link_host,
            key=signer,
            first=first,
            lot=lot,
            stamp_key=app.key(stamp_key).kid if stamp_key else None,
            demo=app.settings.demo,
        )
    show(
        {"roll": f"{org}/{roll}", "index": done.index, "count": count},
        as_json,
        f"Roll {org}/{roll} of {count} stamps is issued at entry {done.index}.",
    )


@stamp.command()
@click.argument("roll")
@click.option(
    "--template", default="a4-40x30", show_default=True, help="Name of a template, or a .toml file."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="PDF file; a folder with --png or --svg.",
)
@click.option("--numbers", help="First and last number, as 1-48; all where omitted.")
@click.option("--pages", help="First and last sheet to print again, as 37-37.")
@click.option("--png", "image", flag_value="png", help="One PNG a stamp instead of sheets.")
@click.option("--svg", "image", flag_value="svg", help="One SVG a stamp instead of sheets.")
@click.option("--symbol", is_flag=True, help="With --png or --svg: the QR symbol alone.")
@click.option("--product", default="", help="Name printed; the product record's where omitted.")
@click.option("--producer", default="", help="Name printed; the issuer's where omitted.")
@click.option("--place", default="", help="Commune and province printed.")
@click.option("--stamp-key", help="Key file that signs the links of this roll.")
@click.option("--check", is_flag=True, help="Read every stamp back with another decoder.")
@json_option
@click.pass_context
def sheet(
    ctx: click.Context,
    roll: str,
    template: str,
    output: Path,
    numbers: str | None,
    pages: str | None,
    image: str | None,
    symbol: bool,
    product: str,
    producer: str,
    place: str,
    stamp_key: str | None,
    check: bool,
    as_json: bool,
) -> None:
    """
    Make the print file of ROLL (issuer/NAME): A4 sheets at 100 %, or single images.

    The same roll gives the same file again, also page by page.
    """
    from traceledger.ledger import issue as issuing
    from traceledger.ledger.describe import printed_words
    from traceledger.printing.pdf import write_sheet
    from traceledger.printing.selfcheck import check_sheet
    from traceledger.printing.template import load

    layout = load(template)
    with opened(ctx.obj, sign=False) as app:
        words = printed_words(app.sequencer, roll, product=product, producer=producer, place=place)
        labels = issuing.labels(
            app.sequencer,
            roll,
            numbers=_span(numbers),
            demo=app.settings.demo,
            key=app.key(stamp_key) if stamp_key else None,
            words=words,
        )
    value: dict[str, Any] = {"roll": roll, "stamps": len(labels), "output": str(output)}
    if image:
        _write_images(output, labels, layout, kind=image, symbol=symbol)
        show(value, as_json, f"{len(labels)} images in {output}.")
        return
    wanted = _pages(pages)
    draft = output.with_name(output.name + ".part")  # an error leaves no half a print file behind
    try:
        with progress("sheets", len(labels)) as step, draft.open("wb") as file:
            written = write_sheet(
                file, labels, layout, pages=wanted, progress=lambda done: step(done, len(labels))
            )
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    value |= {"pages": written.pages, "stamps": written.stamps, "first": written.first, "last": written.last}
    text = (
        f"{written.stamps} stamps, {written.first} to {written.last}, on {written.pages} sheets in {output}."
    )
    if check:
        read = check_sheet(output, labels, layout, pages=wanted)
        value["checked"] = {"result": read.result, "checked": read.checked, "reason": read.reason}
        text += f"\nRead back by another decoder: {read.result}, {read.checked} stamps. {read.reason or ''}"
    show(value, as_json, text)
    if check and value["checked"]["result"] != "pass":
        ctx.exit(1 if value["checked"]["result"] == "fail" else 4)


def _write_images(folder: Path, labels: Any, layout: Any, *, kind: str, symbol: bool) -> None:
    """Write one PNG or SVG a stamp into *folder*: the whole label, or its symbol alone."""
    from traceledger.printing.image import label_png, label_svg, symbol_png, symbol_svg
    from traceledger.printing.layout import symbol_for

    folder.mkdir(parents=True, exist_ok=True)
    for label in labels:
        path = folder / f"{label.roll}-{label.number:06}.{kind}"
        alone = symbol_for(label.uri, layout) if symbol else None
        if kind == "png":
            path.write_bytes(label_png(label, layout) if alone is None else symbol_png(alone))
        else:
            drawn = label_svg(label, layout) if alone is None else symbol_svg(alone, title=label.number_text)
            path.write_text(drawn, encoding="utf-8")


@stamp.command()
@click.argument("roll")
@click.option(
    "--key",
    "key_name",
    required=True,
    help="Key file that signs; of the issuer or whoever it was assigned to.",
)
@click.option("--numbers", required=True, help="First and last number, as 1-48; several separated by commas.")
@click.option("--lot", required=True, help="The lot: a GS1 Digital Link, or GTIN/LOT.")
@json_option
@click.pass_obj
def activate(folder: Path, roll: str, key_name: str, numbers: str, lot: str, as_json: bool) -> None:
    """Bind stamps of ROLL to a lot, so that they may be sold; without effect for a lot with a red finding."""
    from traceledger.core.claims.identifiers import canonical, lot_uri
    from traceledger.ledger.activate import activate as bind

    subject = lot_uri(*lot.split("/", 1)) if lot[:1].isdigit() and "/" in lot else canonical(lot)
    spans = [span for part in numbers.split(",") if (span := _span(part))]
    with opened(folder) as app:
        done = bind(
            app.sequencer,
            app.log,
            roll=roll,
            ranges=spans,
            lot=subject,
            key=app.key(key_name),
            demo=app.settings.demo,
        )
    show(
        {"roll": roll, "index": done.index, "effect": done.effect},
        as_json,
        f"Entry {done.index}; effect: {done.effect}.",
    )


def _span(text: str | None) -> tuple[int, int] | None:
    from traceledger.errors import InputError

    if text is None:
        return None
    first, _, last = text.partition("-")
    if not first.isdigit() or not (last or first).isdigit():
        raise InputError(f"expected numbers as 1-48, got {text!r}", code="stamp-numbers")
    return int(first), int(last or first)


def _pages(text: str | None) -> range | None:
    span = _span(text)
    return None if span is None else range(span[0], span[1] + 1)
