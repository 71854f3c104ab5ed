# SPDX-License-Identifier: Apache-2.0
"""What the registry holds, listed: an operator finds the id of the key that is to be revoked."""

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
