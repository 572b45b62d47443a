"""What was pushed, as people at a terminal see it; keys that are bound; and what the doctor says of providers."""

from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead
from tests.server.scim.pushing import Pushing, patch, provider, scim

from fairlead.cli.opening import master_key, open_store
from fairlead.cli.place import find
from fairlead.clock import SystemClock

PROVIDER = f"""
identity:
  providers:
    - issuer: http://127.0.0.1:1
      name: acme
      audience: fairlead
      scim: {{token: "{scim()["token"]}"}}
"""


@pytest.fixture
def pushing(acme: Path, fairlead: Fairlead) -> Path:
    """A workspace whose provider pushes."""
    entry = acme / "fairlead.yaml"
    entry.write_text(entry.read_text().partition("\nidentity:")[0] + PROVIDER)
    return acme


def test_what_was_pushed_is_listed_and_bound_keys_are_looked_after(pushing: Path, fairlead: Fairlead) -> None:
    assert fairlead("apply").status == 0
    found = [each for each in fairlead("doctor", "--json").json if each["subject"] == "provider acme"]
    assert any("nobody was pushed yet" in each["said"] for each in found)
    assert any("within 5 s (SCIM)" in each["said"] for each in found)
    place = find(None)
    with closing(open_store(place)) as store:
        pushed = Pushing(store, SystemClock(), master_key(place))
        ada = pushed.add(provider(), "ada")
        pushed.gather(provider(), "staff", ada)
    listed = fairlead("people", "list", "--json").json
    assert [(each["user_name"], each["active"], each["groups"]) for each in listed] == [("ada", True, ["staff"])]
    assert "staff" in fairlead("people", "list").out
    assert f"id: {ada}" in fairlead("people", "show", "acme|x-ada").out
    assert fairlead("people", "show", "ada", "--json").json == listed
    assert "nobody called" in fairlead("people", "show", "eve").err
    assert fairlead("people", "list", "--inactive", "--json").json == []
    said = fairlead("key", "add", "robot", "--person", "acme|x-ada", "--bound-to", "acme", "--group", "staff")
    assert said.status == 0, said.err
    assert fairlead("key", "list", "--json").json[-1]["bound_to"] == "acme"
    assert not any("robot" in each["said"] for each in fairlead("doctor", "--json").json)
    with closing(open_store(place)) as store:
        off = patch({"op": "replace", "path": "active", "value": "False"})
        Pushing(store, SystemClock(), master_key(place)).ask(provider(), "PATCH", f"Users/{ada}", off)
    assert any("robot opens nothing" in each["said"] for each in fairlead("doctor", "--json").json)
    assert len(fairlead("people", "list", "--inactive", "--json").json) == 1


@pytest.mark.parametrize(
    ("person", "bound_to", "says"), [("kim", "acme", "is none of acme"), ("acme|x", "other", "no provider that pushes")]
)
def test_a_key_is_bound_to_nobody_else(
    pushing: Path, fairlead: Fairlead, person: str, bound_to: str, says: str
) -> None:
    said = fairlead("key", "add", "robot", "--person", person, "--bound-to", bound_to)
    assert said.status != 0
    assert says in said.err
    assert "help:" in said.err


def test_a_provider_that_pushes_needs_a_name_that_fits_an_address(pushing: Path, fairlead: Fairlead) -> None:
    entry = pushing / "fairlead.yaml"
    entry.write_text(entry.read_text().replace("      name: acme\n", ""))
    said = fairlead("check")
    assert said.status != 0
    assert "/scim/v2/NAME" in said.out + said.err
