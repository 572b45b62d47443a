"""`fairlead approvals` and `fairlead tools` over a real workspace, as an operator uses them."""

import re
from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead
from tests.execution.test_tool_call import FILES
from tests.world import key_of, settings, write_workspace

from fairlead.cli.place import find
from fairlead.cli.setting_up import set_up

SYSTEMS = {"bank": {"use": "python", "file": "bank.py", "data_class": "confidential"}}
APPROVALS = {"roles": {"finance-lead": {"persons": ["lee"]}}}
CALL = ("--arg", "account=A1", "--arg", "payee=B2", "--arg", "amount=75")


@pytest.fixture
def bank(tmp_path: Path, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A published workspace with a bank, and where we stand."""
    folder = write_workspace(
        tmp_path / "acme", settings("http://127.0.0.1:9", systems=SYSTEMS, approvals=APPROVALS), FILES
    )
    monkeypatch.chdir(folder)
    set_up(find(folder))
    assert fairlead("apply").status == 0
    return folder


def asked(fairlead: Fairlead) -> str:
    said = fairlead("tools", "call", "bank.transfer", *CALL, "--as", key_of("kim"))
    assert said.status != 0
    assert "finance-lead" in said.err
    found = re.search(r"apr_[0-9a-f]+", said.err)
    assert found is not None
    return found[0]


def test_a_call_is_approved_and_made(bank: Path, fairlead: Fairlead) -> None:
    id_ = asked(fairlead)
    assert id_ in fairlead("approvals", "list").out
    shown = fairlead("approvals", "show", id_)
    assert "payee = B2  (from user)" in shown.out
    assert "fact balance = 100.0" in shown.out
    dry = fairlead("approvals", "approve", id_, "--as", "lee", "--dry-run")
    assert "would approve bank.transfer of kim as finance-lead" in dry.err
    assert "pending" in fairlead("approvals", "list").out
    done = fairlead("approvals", "approve", id_, "--as", "lee", "--reason", "agreed", "--json")
    assert done.json["state"] == "granted"
    assert done.json["answers"] == [
        {
            "by": "lee",
            "roles": ["finance-lead"],
            "allowed": True,
            "at": done.json["answers"][0]["at"],
            "reason": "agreed",
        }
    ]
    call = fairlead("tools", "call", "bank.transfer", *CALL, "--as", key_of("kim"))
    assert (call.status, call.out.strip()) == (0, "moved 75 to B2; 1 so far")
    assert id_ in call.err
    assert fairlead("approvals", "list", "--json").json == []
    assert fairlead("approvals", "list", "--all", "--json").json[0]["state"] == "used"


def test_who_may_not_answer_is_told_so(bank: Path, fairlead: Fairlead) -> None:
    id_ = asked(fairlead)
    own = fairlead("approvals", "approve", id_, "--as", "kim")
    assert (own.status != 0, "is a call of kim" in own.err) == (True, True)
    other = fairlead("approvals", "approve", id_, "--as", "max")
    assert other.status != 0
    assert "may not answer" in other.err
    assert fairlead("approvals", "approve", id_).status != 0  # whoever runs it has no role by that
    assert fairlead("approvals", "show", "apr_nothing").status != 0
    assert fairlead("approvals", "deny", id_, "--as", "lee", "--reason", "no").status == 0
    denied = fairlead("tools", "call", "bank.transfer", *CALL, "--as", key_of("kim"))
    assert "was not approved" in denied.err
    assert fairlead("approvals", "approve", id_, "--as", "lee").status != 0


def test_a_link_is_made_for_who_may_answer(bank: Path, fairlead: Fairlead) -> None:
    id_ = asked(fairlead)
    made = fairlead("approvals", "link", id_, "--for", "lee", "--url", "https://fairlead.example")
    assert made.out.startswith("https://fairlead.example/approve/")
    assert "lee answers by it as finance-lead" in made.err
    assert fairlead("approvals", "link", id_, "--for", "max").status != 0
