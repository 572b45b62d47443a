"""Is there enough? Decided from what is known of pages, for who may read them, on one day."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from fairlead.context.sufficiency import LiveState, Standing, Sufficiency, day_of, strictest
from fairlead.labels import Access, DataClass
from fairlead.tasks.requirements import RequirementSettings, compile_requirements
from fairlead.tasks.types import TaskType

TODAY = day_of(1_795_000_000_000)  # 2026-11-18


class Page(Struct, frozen=True, kw_only=True):
    id: str = "rules"
    version: str = "0"
    title: str = "Rules"
    kind: str = "policy"
    topics: frozenset[str] = frozenset({"refunds"})
    owner: str = "care"
    verified: str = "2026-11-01"
    expires: str = ""
    changed: str = ""
    edited: str = ""
    review_by: str = ""
    trusted: bool = True
    fields: Mapping[str, tuple[str, ...]] = {}
    audience: str = "staff"


def may(*groups: str) -> Callable[[Access], bool]:
    return lambda access: bool(access.audience & set(groups))


def work(*needs: dict[str, Any]) -> TaskType:
    made = [RequirementSettings(**({"need": f"need {number}"} | each)) for number, each in enumerate(needs)]
    return TaskType(
        name="reply", context=100, requires=compile_requirements("reply", made, 100, ("stock", "orders", "prices"))
    )


def stands(
    pages: list[Page],
    need: dict[str, Any],
    groups: tuple[str, ...] = ("staff",),
    contradictions: tuple[frozenset[str], ...] = (),
    today: int = TODAY,
) -> Standing:
    known = [(page, (Access(frozenset({page.audience}), DataClass.internal, page.owner),)) for page in pages]
    type_ = work(need)
    return Sufficiency([type_], known).standings(type_, may(*groups), today, {}, contradictions)[0]


RULES = {"kind": "policy", "topics": ("refunds",)}
CHECKED = {"verified": True, "fresh": 30} | RULES


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        ({}, "met", ""),
        ({"verified": "2026-10-01"}, "stale", "was last verified or changed on 2026-10-01, 48 days ago"),
        ({"verified": "2026-10-19"}, "met", ""),  # thirty days ago, to the day
        ({"verified": "", "changed": "2026-11-10"}, "unverified", "was never verified"),
        ({"changed": "2026-11-10"}, "unverified", "was changed on 2026-11-10, after it was verified on 2026-11-01"),
        ({"changed": "2026-11-01"}, "met", ""),
        ({"verified": ""}, "stale", "tells no day of its last check"),
        ({"expires": "2026-11-18"}, "stale", "expired on 2026-11-18"),
        ({"expires": "2026-11-19"}, "met", ""),
        ({"verified": "2027-11-01"}, "stale", "tells no day"),  # a day ahead says nothing
        ({"verified": "2026-11-19"}, "met", ""),  # it is tomorrow already where the owner lives
        ({"trusted": False}, "met", ""),  # somebody here has looked at the outsiders' words
        ({"kind": "page"}, "missing", ""),
        ({"topics": frozenset({"travel"})}, "missing", ""),
        ({"audience": "board"}, "hidden", ""),
    ],
)
def test_a_page_meets_a_need_if_it_is_current_verified_and_the_callers_to_read(
    changes: dict[str, Any], state: str, reason: str
) -> None:
    found = stands([Page(**changes)], CHECKED)
    assert (found.state, found.reason[: len(reason)]) == (state, reason)
    assert found.told == ("missing" if state == "hidden" else state)


def test_an_expired_page_is_stale_however_fresh_it_is_and_outsiders_need_somebodys_word() -> None:
    assert stands([Page(expires="2026-11-02")], RULES).state == "stale"
    assert stands([Page(verified="")], RULES).state == "met"
    assert stands([Page(verified="", trusted=False)], RULES).state == "unverified"


def test_the_best_page_that_the_caller_may_read_decides() -> None:
    old, plain = Page(id="old", verified="2025-01-01"), Page(id="plain", verified="", changed="2026-11-10")
    good = Page(id="good", audience="board")
    assert stands([old, plain, good], CHECKED).state == "unverified"
    assert stands([old, plain, good], CHECKED, ("staff", "board")).pages[0].id == "good"
    assert stands([old, good], CHECKED).pages == (old,)


def test_two_pages_contradict_each_other_only_for_who_reads_both_and_only_if_each_would_do() -> None:
    one, other = Page(id="one"), Page(id="other", audience="board")
    pair = (frozenset({"one", "other"}),)
    both = stands([one, other, Page(id="third")], CHECKED, ("staff", "board"), pair)
    assert (both.state, [page.id for page in both.pages]) == ("contradicted", ["one", "other"])
    assert stands([one, other], CHECKED, contradictions=pair).state == "met"
    assert stands([one, replace(other, verified="")], CHECKED, ("staff", "board"), pair).state == "met"
    assert stands([one], CHECKED, contradictions=pair).state == "met"
    says_so = replace(one, fields={"contradicts": ("other",)})
    assert stands([says_so, other], CHECKED, ("staff", "board")).state == "contradicted"
    assert stands([says_so, other], CHECKED).state == "met"


def test_a_day_later_it_is_worked_out_anew_and_so_it_is_when_the_clock_is_put_back() -> None:
    page, type_ = Page(expires="2026-11-19"), work(RULES)
    enough = Sufficiency([type_], [(page, (Access(frozenset({"staff"}), DataClass.internal, ""),))])
    days = (TODAY, TODAY + 1, TODAY)
    assert [enough.standings(type_, may("staff"), day)[0].state for day in days] == ["met", "stale", "met"]


def test_a_live_source_stands_as_it_answered_and_one_that_was_not_asked_is_missing() -> None:
    type_ = work({"live": "stock"}, {"live": "orders", "tell_hidden": True}, {"live": "prices"})
    answered = {"stock": LiveState("hidden", "is not for you"), "orders": LiveState("hidden", "is not for you")}
    found = Sufficiency([type_], []).standings(type_, may(), TODAY, answered)
    assert [(each.state, each.told, each.reason) for each in found] == [
        ("hidden", "missing", ""),
        ("hidden", "hidden", "is not for you"),
        ("missing", "missing", "did not answer"),
    ]


def test_the_strictest_outcome_comes_first() -> None:
    type_ = work(
        {"kind": "term", "otherwise": "caveat"},
        {"kind": "role", "otherwise": "abstain"},
        {"kind": "unit", "otherwise": "ask", "owner": "hr"},
    )
    found = strictest(Sufficiency([type_], []).standings(type_, may(), TODAY))
    assert [each.outcome.does for each in found] == ["abstain", "ask", "caveat"]


days = st.sampled_from(["", "2026-09-01", "2026-11-10", "2026-11-18", "2026-12-01"])
pages = st.lists(
    st.builds(
        Page,
        id=st.sampled_from("abc"),
        kind=st.sampled_from(["policy", "page"]),
        verified=days,
        expires=days,
        changed=days,
        trusted=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda page: page.id,
)
hidden = st.lists(st.builds(Page, id=st.sampled_from("wxyz"), verified=days, audience=st.just("board")), max_size=3)
needs = st.fixed_dictionaries(
    {}, optional={"kind": st.just("policy"), "fresh": st.sampled_from([5, 30]), "verified": st.booleans()}
)


@given(pages, hidden, hidden, needs, st.lists(st.frozensets(st.sampled_from("abcwxyz"), min_size=2, max_size=2)))
def test_what_somebody_may_not_read_changes_nothing_of_what_they_are_told(
    visible: list[Page], one: list[Page], other: list[Page], need: dict[str, Any], pairs: list[frozenset[str]]
) -> None:
    """Two worlds that differ only in pages that the caller may not read."""

    def told(unseen: list[Page]) -> tuple[object, ...]:
        standing = stands([*visible, *unseen], {"topics": ("refunds",)} | need, contradictions=tuple(pairs))
        return standing.told, standing.outcome, standing.pages, standing.reason

    assert told(one) == told(other)
