"""What speaks against a tool's result, a page or a reply; and nothing speaks against what is in order."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from fairlead.workflows.expressions import Expression
from fairlead.workflows.tracing.attributing import ranked
from fairlead.workflows.tracing.evidence import (
    Against,
    against_others,
    against_page,
    against_pages,
    against_reply,
    against_result,
    against_sibling,
    against_unlike,
)
from fairlead.workflows.tracing.facts import Page
from fairlead.workflows.tracing.from_records import Met
from fairlead.workflows.tracing.opposed import Opposition, allowed_words, opposed, parted
from fairlead.workflows.tracing.suspects import Cause, Suspect
from fairlead.workflows.walk import Place, StepResult


def call(given: dict[str, Any], value: Any, name: str = "crm.record") -> Met:
    return Met(at=Place("wf_1", (name,)), kind="tool", given=given, name=name, result=StepResult(value=value))


ONE = {"id": "PK-7"}


@pytest.mark.parametrize(
    ("given", "value", "why"),
    [
        ({"id": "PK-7", "unit": "kg"}, {"id": "PK-7", "unit": "lb", "weight": 4}, "asked for unit"),
        (ONE, {"parcel": "PK-8", "weight": 4}, "asked for pk-7, and tells of pk-8"),
        (ONE, {"id": "PK-7", "error": "sensor offline", "weight": 0}, "tells of an error"),
        (ONE, {"id": "PK-7", "has_more": True, "weight": 4, "lines": []}, "not all"),
        (ONE, {"id": "PK-7", "total": 5, "items": [{"day": 1}, {"day": 2}]}, "total 5, and has 2 items"),
        (ONE, {"id": "PK-7", "items": [{"day": 1}, {"day": 1}]}, "twice"),
        (ONE, {"id": "PK-7", "complete": False, "weight": 4}, "complete is false"),
        (ONE, {"id": "PK-7", "superseded_by": "edition 4", "weight": 4}, "holds no more"),
        (ONE, {"id": "PK-7", "net": 119, "gross": 100}, "net is 119 in it, and gross 100"),
        (ONE, {"id": "PK-7", "data": {"weight": 4, "note": "upstream timed out after 30 s"}}, "tells of an error"),
        (ONE, {"id": "PK-7", "metres": 1250.0, "unit": "cm"}, "metres is told in cm"),
        (ONE, {"id": "PK-7", "status": 503, "weight": 0}, "status 503"),
        (ONE, {"id": "PK-7", "data": {"rows": [1, 2], "page": 1, "pages": 2}}, "page 1 of 2"),
        (ONE, {"id": "PK-7", "start": "2026-05-02", "end": "2026-05-01"}, "start is 2026-05-02"),
    ],
)
def test_a_result_speaks_against_itself(given: dict[str, Any], value: Any, why: str) -> None:
    found = against_result(call(given, value), ("weight",), None, ())
    assert found is not None
    assert (why in found.why, found.whole) == (True, True)


@pytest.mark.parametrize(
    "value",
    [
        {"id": "PK-7", "weight": 4, "errors": [], "has_more": False, "next": None},
        {"id": "PK-7", "total": 30, "items": [{"price": 10}, {"price": 20}]},
        {"id": "PK-7", "follows": "PK-6", "weight": 4},
        {"weight": 4, "order": "OR-99"},
        {"id": "PK-7", "complete": True, "superseded_by": None, "net": 100, "gross": 119, "from": "Kiel", "to": "Bonn"},
    ],
)
def test_nothing_speaks_against_a_result_that_is_in_order(value: Any) -> None:
    assert against_result(call(ONE, value), ("weight",), None, ()) is None


def test_another_unit_than_all_others_of_the_same_tool_speaks_against_a_value() -> None:
    def weighed(id: str, unit: str) -> Met:
        return call({"id": id}, {"id": id, "weight": 4, "unit": unit, "place": id}, "dock.scale")

    heavy = weighed("A-2", "g")
    others = [weighed("A-1", "kg"), heavy, weighed("A-3", "kg")]
    found = against_unlike(heavy, ("weight",), others)
    assert found is not None
    assert "'g', and 'kg' of all others" in found.why
    assert against_unlike(others[0], ("weight",), others) is None  # the others do not agree
    assert against_unlike(heavy, ("weight",), others[:2]) is None  # one other is no custom


def test_a_reply_that_came_to_its_most_tokens_is_not_all_of_one() -> None:
    assert against_reply("The board agreed on", cut_off=True) is not None
    assert against_reply("The board agreed on") is None


def suspect(cause: Cause, value: Any, place: str, weight: float = 0.4) -> Suspect:
    tool = "crm.record" if cause == "data" else ""
    return Suspect(cause=cause, weight=weight, step=place, place=place, why="it says so", tool=tool, value=value)


def test_what_a_check_held_a_value_against_speaks_against_where_it_came_from() -> None:
    wanted = [Opposition(frozenset({Decimal(5)}), Decimal(45), "book", "book says 45")]
    known, book, other = suspect("data", 5, "known"), suspect("data", 45, "book"), suspect("data", 7, "other")
    boss, judged = suspect("person", 5, "ask"), suspect("model_error", None, "judge", 0.3)
    causes = {each.place: (each.cause, each.weight) for each in opposed([known, book, other], [judged], wanted)}
    assert causes == {"known": ("bad_tool_result", 0.55), "book": ("data", 0.4), "other": ("data", 0.4)}
    assert [each.cause for each in opposed([boss], [judged], wanted)] == ["person"]
    assert [each.place for each in opposed([other], [judged], wanted)] == ["other", "judge"]  # nothing else speaks
    assert opposed([book, other], [], wanted)[1].weight == 0.51  # the only source
    assert [each.weight for each in opposed([other, suspect("data", 8, "third")], [], wanted)] == [0.4, 0.4]
    page = suspect("stale_context", None, "judge", 0.475)
    assert [each.weight for each in opposed([other, page], [judged], wanted)] == [0.4, 0.55]  # it was judged by that
    assert opposed([known], [judged], []) == [known]  # the check held it against no system


def test_the_one_source_that_a_slip_explains_is_the_root() -> None:
    wanted = [Opposition(frozenset({Decimal(311)}), Decimal(146), "book", "book says 146")]
    parts = [suspect("data", number, place) for place, number in (("water", 31), ("lift", 180), ("waste", 100))]
    found = opposed(parts, [], wanted)
    assert [(each.cause, each.weight) for each in found] == [("data", 0.4), ("bad_tool_result", 0.56), ("data", 0.4)]
    assert "hold with 15" in found[1].why
    twice = [*parts, suspect("data", 180, "stairs")]
    assert {each.weight for each in opposed(twice, [], wanted)} == {0.4}, "two would explain it"


def test_a_source_that_the_check_s_own_system_confirms_is_not_the_root() -> None:
    also = frozenset({Decimal(415)})
    wanted = [Opposition(frozenset({Decimal(60)}), Decimal(240), "book", "book says 240", also)]
    found = opposed([suspect("data", 415, "cost"), suspect("data", 475, "sold")], [], wanted)
    assert [each.weight for each in found] == [0.4, 0.51]


def test_words_of_which_a_check_wants_one() -> None:
    rules = [Expression("value.queue in ['low', 'Urgent']"), Expression("value.name in ['only']")]
    assert allowed_words(rules) == [frozenset({"low", "urgent"})]


def test_what_weighs_most_is_the_root_where_the_same_is_suspected_twice() -> None:
    page = suspect("stale_context", 15, "may", 0.55)
    found = ranked([replace(page, weight=0.41), suspect("input", 12, "", 0.45), page])
    assert [each.weight for each in found] == [0.55, 0.45]


def test_calls_that_a_value_was_made_of_are_no_rivals() -> None:
    way, bed = (suspect("bad_tool_result", cost, place, 0.75) for place, cost in (("way", 310), ("bed", 240)))
    way, bed = replace(way, rival="bed"), replace(bed, rival="way")
    assert [(each.cause, each.weight) for each in parted([way, bed], {"close"})] == [("data", 0.4)] * 2
    assert parted([way, suspect("data", 240, "bed")], {"close", "bed"})[0] == way, "the check speaks of it"
    assert parted([way], {"close"}) == [way], "the value is not made of it"


def test_what_always_stood_beside_a_value_speaks_where_it_is_another() -> None:
    before = [{"weight": 4, "unit": "kg", "at": "10:00"}, {"weight": 5, "unit": "kg", "at": "11:00"}]
    found = against_result(call(ONE, {"weight": 6, "unit": "lb", "at": "12:00"}), ("weight",), None, before)
    assert found is not None
    assert "unit is 'lb'" in found.why
    assert against_result(call(ONE, {"weight": 6, "unit": "kg", "at": "12:00"}), ("weight",), None, before) is None


def test_others_and_pages_say_otherwise_in_other_words() -> None:
    one = call(ONE, {"id": "PK-7", "owner": "Henrik Aas", "mileage_km": 100})
    other = call(ONE, {"id": "PK-7", "mileage": 900}, "telematics.car")
    assert isinstance(against_others(one, ("mileage_km",), [one, other]), Against)
    assert against_others(one, ("owner",), [one, other]) is None
    longer = call(ONE, {"id": "PK-7", "owner": "Mr. Henrik Aas"}, "telematics.car")
    assert against_others(one, ("owner",), [one, longer]) is None
    says = Page(citation="lots@1#a", text="The owner of PK-7 is Marit Solberg. PK-7 has an owner who pays.")
    assert isinstance(against_pages(one, ("owner",), [says]), Against)
    agrees = Page(citation="lots@1#a", text="The owner of PK-7 is Aas, Henrik.")
    assert against_pages(one, ("owner",), [agrees]) is None


def test_a_later_page_beside_it_that_says_otherwise() -> None:
    old, new = (
        Page(citation=f"tariff-{year}@1#a", text=f"Valid from 1 January {year}: a unit of heat costs {cents} cents.")
        for year, cents in ((2025, 11), (2026, 13))
    )
    found = against_sibling(old, Decimal(11), [old, new])
    assert found is not None
    assert "tariff-2026@1#a is later" in found.why
    assert against_sibling(new, Decimal(13), [old, new]) is None
    other = Page(citation="hours-2026@1#a", text="From 2026 on the desk is open from 9 to 17.")
    assert against_sibling(old, Decimal(11), [old, other]) is None


def test_a_page_that_was_withdrawn_or_is_written_otherwise() -> None:
    page = Page(citation="a@1#b", text="Due by 31 March 2026.", newer="Due by 2026-03-31 at noon.")
    assert against_page(page, "2026-03-31") is None
    gone = against_page(Page(citation="a@1#b", text="Due by 31 March 2026.", newer=""), "2026-03-31")
    assert gone is not None
    assert "withdrawn" in gone.why


@pytest.mark.parametrize(
    "text", ["I am not able to assist with this.", "As a language model I am unable to help.", "Es tut mir leid.",
             "Das kann ich leider nicht beantworten.", "Je ne peux pas répondre.", "Lo siento, no puedo."],
)  # fmt: skip
def test_refusals_in_several_languages_are_no_replies(text: str) -> None:
    assert against_reply(text) is not None
    assert against_reply(f"The customer wrote: {text}") is None
