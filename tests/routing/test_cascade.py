"""Who answers first in a cascade, who next, and what of a conversation says that tools have failed."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fairlead.models.types import Function, Message, Model, Placement, ToolCall
from fairlead.routing.cascade import apart, climbed, dearer, in_order, laddered, rounds_failed, rungs
from fairlead.routing.objective import choose
from fairlead.routing.types import Candidate, Plan
from fairlead.tasks.cascades import Cascade
from fairlead.tasks.decisions import Ladder, Option
from fairlead.tasks.objectives import Objective


def candidate(name: str, group: str = "", room: int = 0) -> Candidate:
    placement = Placement(kind="cloud")
    return Candidate(
        Model(name=name, endpoint=name, remote=name, placement=placement, group=group), frozenset(), 9, room
    )


COSTS = {"large": 9, "mid": 5, "mid/east": 5, "mid/west": 5, "small": 1, "tiny": 1}
CASCADE = Cascade(checks=("schema", "tools"))


def laid(cascade: Cascade, *candidates: Candidate, checks: Any = ("schema",), failed: int = 0) -> Plan:
    made = Plan(candidates, (), "as declared")
    return laddered(cascade, made, checks, lambda one: COSTS[one.model.name], failed)


def names(made: Plan) -> list[str]:
    return [each.model.name for each in made.candidates]


def test_those_that_cost_less_than_the_first_come_before_it_with_all_their_deployments() -> None:
    west, east = candidate("mid/west", "mid"), candidate("mid/east", "mid")
    made = laid(CASCADE, candidate("large"), west, east, candidate("small"))
    assert names(made) == ["small", "mid/west", "mid/east", "large"]
    assert made.checks == ("schema",)
    assert [each.model.name for each in rungs(made, CASCADE)] == ["small", "mid/west", "large"]
    assert dearer(made.candidates, west.model) == (made.candidates[-1],)
    assert names(laid(replace(CASCADE, at_most=1), candidate("large"), west, candidate("small")))[:2] == [
        "small",
        "large",
    ]
    assert names(laid(CASCADE, candidate("large"), candidate("small", room=1))) == ["large", "small"]


def test_a_declared_order_keeps_to_its_models_and_the_last_answers_what_cannot_be_checked() -> None:
    cascade = replace(CASCADE, models=("small", "large"))
    every = [candidate(name) for name in ("mid", "large", "small")]
    made = laid(cascade, *every)
    assert names(made) == ["small", "large"]
    assert [(each.model, each.by) for each in made.dropped] == [("mid", "cascade")]
    unchecked = laid(cascade, *every, checks=())
    assert (names(unchecked), unchecked.checks) == (["large", "small"], ())
    assert names(laid(CASCADE, *every, checks=())) == ["mid", "large", "small"]
    assert names(apart(replace(CASCADE, other="mid"), Plan(tuple(every), (), ""))) == ["large", "small"]
    assert names(laid(replace(CASCADE, novel=True), *every)) == ["mid", "large", "small"]


def test_tools_that_failed_pass_the_cheapest_over_and_never_the_last() -> None:
    every = [candidate(name) for name in ("large", "mid", "small")]
    for failed, left in ((0, 3), (1, 2), (2, 1), (9, 1)):
        assert len(laid(CASCADE, *every, checks=("tools",), failed=failed).candidates) == left
    assert names(laid(CASCADE, *every, checks=("schema",), failed=2))[0] == "small"


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=1, max_size=6), st.integers(1, 3), st.data())
def test_a_ladder_is_an_order_that_its_record_leads_to(rows: list[tuple[int, int]], at_most: int, data: Any) -> None:
    inside = data.draw(st.integers(1, len(rows)))
    order = climbed([cost for cost, _ in rows], [room for _, room in rows], inside, at_most)
    assert sorted(order) == list(range(len(rows)))
    before = order[: order.index(0)]
    assert len(before) <= at_most
    assert all(rows[at][0] < rows[0][0] and rows[at][1] == rows[0][1] and at < inside for at in before)
    options = [Option(model=f"m{at}", cost=cost, room=room, declared=at) for at, (cost, room) in enumerate(rows)]
    decision = choose(Objective(aim="quality"), options)
    made = Plan(tuple(candidate(each.model, room=each.room) for each in decision.candidates), (), "", decision)
    laddered_ = laddered(replace(CASCADE, at_most=at_most), made, ("schema",), lambda _: 0, 0)
    assert laddered_.decision is not None
    assert laddered_.decision.cascade == Ladder(at_most=at_most)
    assert [each.model for each in in_order(laddered_.decision)] == names(laddered_)
    novel = replace(made, decision=replace(decision, novel=True))
    for one, checks in ((made, ()), (novel, ("schema",))):
        assert laddered(replace(CASCADE, novel=True), one, ("schema",), lambda _: 0, 0).checks == checks


def test_a_round_of_calls_has_failed_where_a_tool_of_it_says_so() -> None:
    call = Message(role="assistant", tool_calls=[ToolCall("c", Function("pay", "{}"))])

    def tool(content: str, *, is_error: bool | None = None) -> Message:
        return Message(role="tool", content=content, tool_call_id="c", is_error=is_error)

    for said in ("Error: no", "error", '{"error": "no"}', ' {"isError": true}'):
        assert rounds_failed([call, tool(said)]) == 1, said
    for said in ("errors are rare", "3", '{"error": null}', "{", '{"total": 3}'):
        assert rounds_failed([call, tool(said)]) == 0, said
    assert rounds_failed([call, tool("fine", is_error=True)]) == 1
    assert rounds_failed([call, tool("Error: no", is_error=False)]) == 0
    bad, good = [call, tool("Error: no")], [call, tool("3")]
    assert rounds_failed([*bad, *good, *bad, *bad]) == 2
    assert rounds_failed([*bad, Message(role="user", content="again")]) == 0
    assert rounds_failed([call, tool("3"), tool("Error: no")]) == 1
    assert rounds_failed([tool("Error: no")]) == 0
    assert rounds_failed([]) == 0
