"""From a step on: that step and all that follows it is done anew, and nothing else is."""

import msgspec
import pytest

from fairlead.errors import BadInput
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.cutting import Cut, resolved
from fairlead.workflows.definition import Definition

SAY = {"model": {"prompt": "say it"}}
STEPS = [
    {"id": "read", **SAY},
    {"id": "lines", "map": {"over": "[1]", "at_most": 5, "steps": [{"id": "match", **SAY}, {"id": "note", **SAY}]},
     "otherwise": [{"id": "instead", **SAY}]},
    {"id": "turns", "loop": {"until": "true", "at_most": 3, "steps": [{"id": "try", **SAY}]}},
    {"id": "both", "parallel": {"branches": {"a": [{"id": "a1", **SAY}, {"id": "a2", **SAY}],
                                             "b": [{"id": "b1", **SAY}]}}},
    {"id": "which", "switch": {"cases": [{"when": "true", "steps": [{"id": "case", **SAY}]}]}},
    {"id": "sub", "subflow": {"workflow": "inner"}},
    {"id": "side", "after": ["read"], **SAY},
    {"id": "pay", **SAY, "otherwise": [{"id": "tell", **SAY}]},
]  # fmt: skip
PLACES = (
    "read", "read~1", "~began", "lines[0].match", "lines[0].note#1", "lines[1].match", "lines.~failed", "turns[0].try",
    "turns[1].try", "both.a.a1", "both.a.a2", "both.b.b1", "which.case", "sub.deep", "side", "pay", "pay.tell",
    "pay.~undo",
)  # fmt: skip
BUNDLE = Bundle(
    name="main",
    definition=msgspec.convert({"steps": STEPS}, Definition),
    subflows={"inner": msgspec.convert({"steps": [{"id": "deep", **SAY}, {"id": "deeper", **SAY}]}, Definition)},
)
BEFORE_TURNS = ["lines[0].match", "lines[0].note#1", "lines[1].match", "lines.~failed"]


@pytest.mark.parametrize(
    ("start", "kept"),
    [
        ("read", []),
        ("lines", ["read", "read~1"]),
        ("match", ["read", "read~1"]),
        ("lines[1].match", ["read", "read~1", "lines[0].match", "lines[0].note#1"]),
        ("note", ["read", "read~1", "lines[0].match", "lines[1].match"]),
        ("instead", ["read", "read~1", *BEFORE_TURNS]),
        ("turns[1].try", ["read", "read~1", *BEFORE_TURNS, "turns[0].try"]),
        ("try", ["read", "read~1", *BEFORE_TURNS]),
        ("a2", ["read", "read~1", *BEFORE_TURNS, "turns[0].try", "turns[1].try", "both.a.a1", "both.b.b1"]),
    ],
)
def test_what_comes_before_is_kept(start: str, kept: list[str]) -> None:
    cut = Cut(BUNDLE, [resolved(BUNDLE, start)])
    assert [each for each in PLACES if not cut.drops(each)] == [*kept, "side", "pay", "pay.tell"] * (start != "read")


def test_what_follows_by_after_and_within_subflows_is_known() -> None:
    everything = [each for each in PLACES if each not in ("~began", "pay.~undo")]
    side = Cut(BUNDLE, [resolved(BUNDLE, "side")])
    assert [each for each in everything if side.drops(each)] == ["side", "pay", "pay.tell"]
    tell = Cut(BUNDLE, [resolved(BUNDLE, "tell")])
    assert [each for each in everything if tell.drops(each)] == ["pay.tell"]
    assert not Cut(BUNDLE, [resolved(BUNDLE, "deeper")]).drops("sub.deep")
    assert Cut(BUNDLE, [resolved(BUNDLE, "deep")]).drops("sub.deep")


def test_a_step_that_is_not_there_is_told_with_the_closest() -> None:
    with pytest.raises(BadInput, match="has no step 'mach'") as wrong:
        resolved(BUNDLE, "mach")
    assert "match" in wrong.value.mend
    for none in ("", "lines[0].pay", "read.match", "~began"):
        with pytest.raises(BadInput, match="has no step"):
            resolved(BUNDLE, none)
