import asyncio
import inspect
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairlead.clock import Clock
from fairlead.context import Context, Item, publish_items
from fairlead.context.search import Search, words_of
from fairlead.labels import Access
from fairlead.storage.store import Store

Page = Callable[..., Item]


def anyone(_: Access) -> bool:
    return True


def readers(*groups: str) -> Callable[[Access], bool]:
    return lambda access: bool(access.audience.intersection(groups))


@pytest.fixture
def pages(page: Page) -> list[Item]:
    return [
        page("returns", "# Returns\n\nCustomers may return an item within 30 days.", audience="[everyone]"),
        page("refunds", "# Refunds\n\nRefunds of returned items take five days.", audience="[everyone]"),
        page("merger", "# Merger\n\nProject Falcon returns in May. Returns, returns.", audience="[board]"),
        page("salaries", "# Salaries\n\nThe bands of Falcon.", audience="[hr, board]", class_="restricted"),
    ]


@pytest.fixture
async def context(store: Store, clock: Clock, pages: list[Item]) -> AsyncIterator[Context]:
    opened = Context.open(store, publish_items(store, pages, clock))
    yield opened
    opened.close()


async def test_the_page_that_answers_comes_first(context: Context) -> None:
    hits = await context.find("How may customers return things?", anyone)
    assert hits[0].item == "returns"
    assert hits[0].text == "Customers may return an item within 30 days."


async def test_words_are_found_in_other_forms(context: Context) -> None:
    assert [hit.item for hit in await context.find("refunding", anyone)] == ["refunds"]


async def test_what_a_caller_may_not_read_is_never_found(context: Context) -> None:
    assert await context.find("Falcon merger salaries", readers("everyone")) == []
    assert [hit.item for hit in await context.find("Falcon", readers("hr"))] == ["salaries"]
    assert {hit.item for hit in await context.find("Falcon", readers("board"))} == {"salaries", "merger"}


async def test_hidden_pages_move_nothing_not_even_a_score(
    store: Store, clock: Clock, pages: list[Item], context: Context
) -> None:
    alone = Context.open(store, publish_items(store, pages[:2], clock))
    for question in ("return items", "days", "returns refunds customers"):
        assert await context.find(question, readers("everyone")) == await alone.find(question, anyone)
    alone.close()


async def test_why_a_page_was_found_is_told_of_what_may_be_read_alone(
    store: Store, clock: Clock, pages: list[Item], context: Context
) -> None:
    alone = Context.open(store, publish_items(store, pages[:2], clock))
    for question in ("return items", "days", "returns refunds customers", "nowhere"):
        hits = await context.find(question, readers("everyone"))
        why = await context.explained(question, readers("everyone"), most=10)
        assert why.reasons == (await alone.explained(question, anyone, most=10)).reasons
        assert [reason.score for reason in why.reasons] == pytest.approx([hit.score for hit in hits])
        for reason in why.reasons:
            assert sum(adds for _, adds in reason.words) == pytest.approx(reason.by_words) == reason.section
            assert (reason.nth_by_words > 0, reason.nearness) == (True, None)
    assert (await context.explained("returns", readers("everyone"), most=10)).left_out == 1, "in the merger's page"
    assert (await context.explained("Falcon", readers(), most=10)).left_out == 2
    alone.close()


async def test_other_versions_move_nothing_either(
    store: Store, clock: Clock, page: Page, pages: list[Item], context: Context
) -> None:
    before = await context.find("return items", anyone)
    publish_items(
        store, [*pages[1:], page("returns", "# Returns\n\nReturn return item item."), page("n", "return")], clock
    )
    fresh = Context.open(store, context.snapshot)
    assert await fresh.find("return items", anyone) == before
    fresh.close()


async def test_each_distinct_access_is_decided_once(context: Context) -> None:
    asked: list[Access] = []
    await context.find("return", lambda access: not asked.append(access))
    assert len(asked) == len(set(asked)) == 3
    assert all(access.item == "" for access in asked)


async def test_single_items_are_decided_where_policies_name_them(store: Store, context: Context) -> None:
    naming = Context.open(store, context.snapshot, names_items=True)
    hits = await naming.find("returns refunds", lambda access: access.item == "refunds")
    assert [hit.item for hit in hits] == ["refunds"]
    naming.close()


async def test_a_policy_that_fails_fails_the_search(context: Context) -> None:
    def broken(_: Access) -> bool:
        raise ValueError("policy error")

    with pytest.raises(ValueError, match="policy error"):
        await context.find("return", broken)


async def test_searches_at_once_do_not_mix(context: Context) -> None:
    groups = ["everyone", "hr", "board"] * 20
    found = await asyncio.gather(*(context.find("Falcon refunds", readers(group)) for group in groups))
    for group, hits in zip(groups, found, strict=True):
        assert {hit.item for hit in hits} == {
            "everyone": {"refunds"},
            "hr": {"salaries"},
            "board": {"merger", "salaries"},
        }[group]


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "'",
        "return*",
        "NEAR(return items)",
        "title: return",
        "-return",
        "a AND",
        "^return",
        "\0",
        "{",
        "(" * 5000,
        "🙂",
    ],
)
async def test_the_index_query_language_is_only_text(context: Context, text: str) -> None:
    assert isinstance(await context.find(text, anyone), list)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=200))
async def test_no_text_makes_the_search_fail(context: Context, text: str) -> None:
    for hit in await context.find(text, readers("everyone")):
        assert hit.item in {"returns", "refunds"}


def test_a_very_long_question_is_searched_by_its_ends() -> None:
    words = words_of("alpha " + " ".join(f"w{number}" for number in range(50_000)) + " omega")
    assert len(words) == 48
    assert (words[0], words[-1]) == ("alpha", "omega")


def test_nobody_searches_without_saying_whose_rights_count() -> None:
    for search in (Context.find, Context.stitch, Search.find, Search.of_pages):
        assert inspect.signature(search).parameters["may_read"].default is inspect.Parameter.empty
