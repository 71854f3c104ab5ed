# SPDX-License-Identifier: Apache-2.0
"""What the registry holds, listed: an operator finds the id of the key that is to be revoked."""

from pathlib import Path

from clikit import Main
from housekit import COOP, House


def test_keys_and_organisations_are_listed(house: House, main: Main) -> None:
    """Every organisation and key stands in its list, and a key is gone from use once revoked by the id listed."""
    orgs = main("--dir", house.folder, "org", "list", "--json").json
    assert {one["org"] for one in orgs} == set(house.log.registry().orgs)
    keys = main("--dir", house.folder, "key", "list", "--org", COOP, "--json").json
    assert [one["kid"] for one in keys] == [house.keys[COOP].kid]
    assert keys[0]["revoked"] is None
    done = main(
        "--dir", house.folder, "key", "revoke", keys[0]["kid"], "--admin", f"{COOP}-admin", "--reason", "lost"
    )
    assert done.code == 0
    listed = main("--dir", house.folder, "key", "list", "--org", COOP)
    assert "revoked at entry" in listed.out


def test_an_import_without_a_key_says_how_to_make_one(house: House, main: Main, tmp_path: Path) -> None:
    """Where no key is named and none called import is there, the two commands that make one are told."""
    file = tmp_path / "event.json"
    file.write_text("{}")
    done = main("--dir", house.folder, "import", file)
    assert (done.code, done.error) == (3, "key-missing")
    assert "key new import" in done.err
    assert "key register import" in done.err
