"""Shortcuts of deciding about tools change nothing: what is left out, shared or remembered decides as Cedar would."""

from collections.abc import Sequence

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from fairlead.errors import BadInput
from fairlead.identity.types import Caller
from fairlead.policy import cedar_request as cedar
from fairlead.policy.cedar_request import CedarRequest
from fairlead.policy.judge import Judge
from fairlead.policy.sources import Statement, statements
from fairlead.policy.tool_rights import ToolAsked, ToolRights
from fairlead.tools.types import Definition, Tool

INPUT = {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"]}
TOOLS = [
    Tool(system=system, definition=Definition(name=name, input=INPUT), digest=f"{system}.{name}")
    for system in ("bank", "mail")
    for name in ("read", "send")
]
CALLERS = [
    Caller(person=person, groups=frozenset(groups), department="d", credential="key:1")
    for person, groups in (("kim", ("staff",)), ("lee", ("staff", "leads")), ("max", ()))
]
WHO = ("principal", 'principal in Group::"staff"', 'principal in Group::"leads"', 'principal == Person::"kim"')
WHAT = (
    "action",
    'action in Action::"call_tool"',
    'action == Action::"call_tool"',
    'action == Action::"release_result"',
    'action == Action::"bank.read"',
    'action in [Action::"bank.read", Action::"mail.send"]',
)
WHICH = (
    "resource",
    'resource in System::"bank"',
    'resource == Tool::"mail.send"',
    "resource is Tool",
    'resource is Tool in System::"mail"',
    "resource is Model",
)
WHEN = (
    "",
    'when { principal.credential == "key:2" }',
    'when { resource is Tool && resource.system == "mail" }',
    'when { action == Action::"mail.read" }',
)


@st.composite
def policies(draw: st.DrawFn) -> Sequence[Statement]:
    drawn = draw(
        st.lists(
            st.tuples(*map(st.sampled_from, (("permit", "forbid"), WHO, WHAT, WHICH, WHEN))), min_size=1, max_size=5
        )
    )
    text = "\n".join(
        f'@id("p{n}") {effect}({who}, {what}, {which}) {when};'
        for n, (effect, who, what, which, when) in enumerate(drawn)
    )
    try:
        return _stated(text)
    except BadInput:  # a scope that the schema knows to be empty
        reject()


def _stated(text: str) -> tuple[Statement, ...]:
    known = "".join(
        f'action "{tool.name}" in [Action::"call_tool"] appliesTo {{ principal: Person, resource: Tool, '
        "context: { arguments: { amount: decimal } } };\n"
        for tool in TOOLS
    )
    return statements({"policies/test.cedar": text}, (), known)


def plain(caller: Caller, tool: Tool, given_: Sequence[Statement]) -> bool:
    """What Cedar says with all policies before it."""
    judge = Judge(tool.name, given_, "call_tool")
    request = CedarRequest(cedar.person(caller), tool.name, cedar.tool(tool), {}, (cedar.tool_action(tool),))
    return judge.decide([lambda redacted: request], frozenset())[0].allowed


def asked(tool: Tool, amount: float = 1.0) -> ToolAsked:
    return ToolAsked(tool=tool, arguments={"amount": amount}, sources={})


@given(policies())
def test_every_caller_gets_and_sees_what_all_policies_together_say(given_: Sequence[Statement]) -> None:
    rights = ToolRights(given_)
    for _ in range(2):  # the second time from memory
        for caller in CALLERS:
            expected = [tool for tool in TOOLS if plain(caller, tool, given_)]
            assert [tool for tool in TOOLS if rights.decide(caller, asked(tool)).allowed] == expected
            assert rights.visible(caller, TOOLS) == expected


def test_what_a_policy_says_of_single_calls_is_never_remembered() -> None:
    rights = ToolRights(
        _stated(
            'permit(principal, action == Action::"bank.send", resource)\n'
            'when { context.arguments.amount.lessThan(decimal("5.0")) };'
        )
    )
    decided = [rights.decide(CALLERS[0], asked(TOOLS[1], amount)).allowed for amount in (1.0, 9.0, 2.0)]
    assert decided == [True, False, True]


def test_a_number_that_no_policy_could_judge_is_refused_from_memory_as_well() -> None:
    rights = ToolRights(_stated("permit(principal, action, resource);"))
    assert rights.decide(CALLERS[0], asked(TOOLS[0])).allowed
    with pytest.raises(BadInput, match="larger than policies can judge"):
        rights.decide(CALLERS[0], asked(TOOLS[0], 1e300))
