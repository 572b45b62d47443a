"""`fairlead names`: registers that come from a system are written by governed calls of its tools."""

from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead
from tests.world import key_of, settings, write_workspace

from fairlead.cli.place import find
from fairlead.cli.setting_up import set_up

POLICIES = """
@id("calls") permit(principal, action == Action::"call_model", resource);
@id("staff") permit(principal in Group::"staff", action in Action::"call_tool", resource in System::"crm");
@id("results") permit(principal, action == Action::"release_result", resource);
"""
CRM = '''
ROWS = [("Tavi", "Quillhart", 7), ("Jorun", "Mubrandt", 9), ("Tavi", "Quillhart", 8)]


def customers() -> dict:
    """All customers."""
    names = ("given", "family", "age")
    return {"rows": [dict(zip(names, each)) for each in ROWS], "truncated": len(ROWS) > 3}
'''
RULES = "names: [{name: customers, file: customers.csv, columns: [given, family], from: crm.customers}]"


def test_a_register_is_brought_in_from_a_system_and_holds_what_a_name_needs(
    tmp_path: Path, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = settings("http://127.0.0.1:9", systems={"crm": {"use": "python", "file": "crm.py"}})
    folder = write_workspace(tmp_path / "acme", whole, {"policies/a.cedar": POLICIES, "systems/crm.py": CRM})
    monkeypatch.chdir(folder)
    set_up(find(folder))
    assert fairlead("apply").status == 0
    assert "no register comes from a system" in fairlead("names", "sync").err
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "people.yaml").write_text(RULES)
    assert "fairlead names sync" in fairlead("check").out
    sync = ("names", "sync", "--as", key_of("kim"))
    file = folder / "rules" / "customers.csv"
    assert "nothing was written" in fairlead(*sync, "--dry-run").err
    assert not file.exists()
    (told,) = fairlead(*sync, "--json").json
    assert (told["names"], told["new"], told["gone"]) == (2, 2, 0)
    assert file.read_text() == "given,family\nJorun,Mubrandt\nTavi,Quillhart\n"
    assert fairlead("check").status == 0
    assert "did you mean" in fairlead("names", "sync", "customer").err
    (listed,) = fairlead("names", "list", "--json").json
    assert (listed["file"], listed["from"]) == ("rules/customers.csv", "crm.customers")
    seen = fairlead("policy", "explain", "--text", "Tavi Quillhart", "--model", "small")
    assert "the detectors found person_name" in seen.err
