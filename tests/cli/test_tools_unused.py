"""What `fairlead tools unused` tells: rights that nobody used, and what it cannot know."""

from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead
from tests.execution.test_tool_call import BANK
from tests.world import key_of, settings, write_workspace

from fairlead.cli.place import find
from fairlead.cli.setting_up import set_up
from fairlead.cli.tools_unused import Granted, reported
from fairlead.costs.record import Record, RecordedError
from fairlead.identity import Caller

KIM, LEE = Caller(person="kim", groups=frozenset({"staff"})), Caller(person="lee", agent="bot")
GRANTED = Granted(
    tools={"bank.balance": "read", "bank.close": "write", "bank.transfer": "write"},
    permits={
        ("staff", "main.cedar:1", "Group staff"): ("bank.balance", "bank.close", "bank.transfer"),
        ("old", "main.cedar:2", "everybody"): ("bank.balance",),
    },
    may=[(KIM, frozenset({"bank.balance", "bank.close", "bank.transfer"})), (LEE, frozenset({"bank.balance"}))],
    ids={"kim": "s1", "lee": "s2"},
)


def row(tool: str, **more: object) -> Record:
    about = {"kind": "call_tool", "outcome": "done", "tool": tool, "person": "s1", "policies": ("staff",), **more}
    return Record(at=5, run="r", v=1, **about)  # type: ignore[arg-type]


def test_what_was_granted_and_not_used_is_told_by_tool_policy_and_caller() -> None:
    records = [
        row("bank.balance"),
        row("bank.transfer", outcome="refused", error=RecordedError("approval_pending")),
        row("bank.close", outcome="refused", error=RecordedError("denied"), policies=()),
        row("bank.balance", person="s9", policies=("staff",)),
        row("bank.balance", kind="attempt", person="s8"),
        row("bank.balance", person="s2"),  # Lee's own calls are not those of Lee's agent
    ]
    found = reported(records, GRANTED, since=1, log_from=3)
    (tool,) = found.tools
    assert (tool.tool, tool.may, tool.refused, tool.policies) == ("bank.close", 1, 1, ("staff",))
    staff, old = found.policies
    assert (staff.policy, staff.calls, staff.unused) == ("staff", 4, ("bank.close",))
    assert staff.suggestion == 'action in [Action::"bank.balance", Action::"bank.transfer"]'
    assert (old.policy, old.calls, old.unused) == ("old", 0, ("bank.balance",))
    assert old.suggestion.startswith("remove it")
    kim, lee = found.callers
    assert (kim.person, kim.used, kim.unused) == ("kim", 2, ("bank.close",))
    assert (lee.person, lee.agent, lee.used, lee.unused) == ("lee", "bot", 0, ("bank.balance",))
    assert found.others == 1  # came by a token: of nobody's groups anything is known
    assert (found.since, found.log_from) == (1, 3)


POLICIES = """
@id("staff") permit(principal in Group::"staff", action in Action::"call_tool", resource in System::"bank");
@id("results") permit(principal, action == Action::"release_result", resource);
@id("never") forbid(principal, action == Action::"bank.close", resource);
"""


def test_the_command_reads_policies_keys_and_the_log(
    tmp_path: Path, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = settings("http://127.0.0.1:9", systems={"bank": {"use": "python", "file": "bank.py"}})
    folder = write_workspace(tmp_path / "acme", whole, {"policies/a.cedar": POLICIES, "systems/bank.py": BANK})
    monkeypatch.chdir(folder)
    set_up(find(folder))
    assert fairlead("apply").status == 0
    call = ("tools", "call", "bank.balance", "--arg", "account=A", "--as", key_of("kim"))
    assert fairlead(*call).status == 0
    found = fairlead("tools", "unused", "--json").json
    assert "bank.balance" not in [each["tool"] for each in found["tools"]]
    (staff,) = found["policies"]
    assert (staff["policy"], staff["to"], staff["calls"], staff["used"]) == (
        "staff",
        "Group staff",
        1,
        ["bank.balance"],
    )
    people = {each["person"]: each for each in found["callers"]}
    assert people["kim"]["used"] == 1
    assert "bank.close" not in people["kim"]["unused"]  # it is forbidden to everybody
    assert "bank.balance" in people["lee"]["unused"]
    assert "max" not in people  # who may nothing leaves nothing unused
    shown = fairlead("tools", "unused", "--since", "90d")
    assert "bank.transfer" in shown.out
    assert "nothing is known of the time before" in shown.err
    assert "some of it may be no older" in shown.err
    assert found["published_at"] <= found["log_from"]  # the first call came after it
    assert "there is no system" in fairlead("tools", "unused", "--system", "bnak").err
