"""`fairlead tools` with a real server of the Model Context Protocol: what it offers is called once it is accepted."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead
from tests.tools.mcp_world import forked
from tests.world import key_of, settings, write_workspace

from fairlead.cli.place import find
from fairlead.cli.setting_up import set_up

POLICIES = """
@id("staff") permit(principal in Group::"staff", action in Action::"call_tool", resource in System::"shop");
@id("results") permit(principal, action == Action::"release_result", resource);
"""


@pytest.fixture
def shop(tmp_path: Path, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A published workspace with a shop of which nothing is accepted yet."""
    systems = {"shop": {"use": "mcp", "command": forked("mcp_shop.py")}}
    whole = settings("http://127.0.0.1:9", systems=systems)
    folder = write_workspace(tmp_path / "acme", whole, {"policies/shop.cedar": POLICIES})
    monkeypatch.chdir(folder)
    set_up(find(folder))
    assert fairlead("apply").status == 0
    return folder


def test_what_a_system_offers_is_called_once_it_is_accepted(shop: Path, fairlead: Fairlead) -> None:
    call = ("tools", "call", "shop.get_order", "--arg", "order=A-17", "--as", key_of("kim"))
    assert "there is no tool" in fairlead(*call).err
    assert fairlead("tools", "list", "--json").json == []
    new = fairlead("tools", "pins")
    assert new.status == 1
    assert "new      get_order" in new.out
    pins = shop / "systems" / "shop.pins.json"
    assert "would write shop.pins.json" in fairlead("tools", "accept", "shop", "get_order", "--dry-run").err
    assert not pins.exists()
    assert fairlead("tools", "accept", "shop", "get_order").status != 0  # nobody has said yes
    assert fairlead("tools", "accept", "shop", "get_order", "--yes").status == 0
    assert [each["name"] for each in json.loads(pins.read_text())["tools"]] == ["get_order"]
    assert fairlead("apply", "--yes").status == 0
    (listed,) = fairlead("tools", "list", "--system", "shop", "--json").json
    assert (listed["tool"], listed["effect"], listed["state"]) == ("shop.get_order", "read", "answers")
    done = fairlead(*call, "--json")
    assert (done.status, done.json["tool"], done.json["failed"]) == (0, "shop.get_order", False)

    changed = json.loads(pins.read_text())
    changed["tools"][0]["description"] = "Gives what it gave before."
    pins.write_text(json.dumps(changed))
    differs = fairlead("tools", "pins", "--system", "shop")
    assert differs.status == 1
    assert "- Gives what it gave before." in differs.out
    assert "+ Gives an order." in differs.out


def test_what_cannot_be_accepted_is_told(shop: Path, fairlead: Fairlead) -> None:
    assert "there is no system" in fairlead("tools", "accept", "shops").err
    assert "no tool of shop that differs" in fairlead("tools", "accept", "shop", "get_orders", "--yes").err
