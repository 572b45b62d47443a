from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.clock import Clock
from fairlead.context import Context, Hit, Item, Pack, publish_items
from fairlead.context.measure import USUAL
from fairlead.context.packing import Gathered, pack_of
from fairlead.context.types import NO_CONTEXT
from fairlead.labels import NO_LABELS, Access, DataClass, Labels
from fairlead.storage.store import Store
from fairlead.tasks.types import Task, TaskType


def anyone(_: Access) -> bool:
    return True


def task(question: str, budget: int = 500) -> Task:
    return Task(type=TaskType(name="support", context=budget), labels=NO_LABELS, question=question)


def packed(hits: list[Hit], budget: int) -> Pack:
    return pack_of(Gathered(snapshot="s", budget=budget, hits=tuple(hits)))


def hit(item: str = "returns", text: str = "Thirty days.", **said: object) -> Hit:
    facts: dict[str, object] = {
        "version": "0123456789ab", "title": "Returns", "heading": "", "owner": "retail", "verified": "2026-01-31",
        "review_by": "", "data_class": DataClass.internal, "score": 1.0,
    } | said  # fmt: skip
    return Hit(item=item, text=text, **facts)  # type: ignore[arg-type]


@pytest.fixture
async def context(store: Store, clock: Clock, page: Callable[..., Item]) -> AsyncIterator[Context]:
    pages = [
        page("returns", "# Returns\n\nCustomers may return an item.\n", owner="retail", verified="2026-01-31"),
        page("board", "# Plans\n\nThe return of the founder.\n", class_="restricted", audience="board"),
    ]
    opened = Context.open(store, publish_items(store, pages, clock))
    yield opened
    opened.close()


async def test_a_pack_names_its_snapshot_its_sources_and_its_class(context: Context) -> None:
    pack = await context.stitch(task("return an item"), lambda access: access.data_class < DataClass.restricted)
    (passage,) = pack.passages
    (citation,) = pack.citations
    assert pack.snapshot == context.snapshot
    assert passage.citation == citation.id
    assert citation.id.startswith("returns@")
    assert (citation.title, citation.owner, citation.verified) == ("Returns", "retail", "2026-01-31")
    assert pack.labels == Labels(DataClass.internal)


async def test_the_pack_is_as_confidential_as_its_most_confidential_item(context: Context) -> None:
    pack = await context.stitch(task("return"), anyone)
    assert pack.labels.data_class is DataClass.restricted


async def test_a_task_without_a_budget_asks_neither_policy_nor_index(context: Context) -> None:
    def never(_: Access) -> bool:
        raise AssertionError

    assert await context.stitch(task("return", 0), never) is NO_CONTEXT
    assert await Context().stitch(task("return"), never) is NO_CONTEXT


async def test_a_pack_is_made_once_for_all_who_may_read_the_same(context: Context) -> None:
    def staff(access: Access) -> bool:
        return access.data_class < DataClass.restricted

    first = await context.stitch(task("return"), anyone)
    assert await context.stitch(task("return"), lambda _: True) is first
    theirs = await context.stitch(task("return"), staff)
    assert [each.citation.partition("@")[0] for each in theirs.passages] == ["returns"]
    assert await context.stitch(task("return"), anyone, today="2026-11-22") is not first
    assert await context.stitch(task("return", 400), anyone) is not first
    assert await context.stitch(task("return"), lambda _: False) != theirs


async def test_a_question_that_nothing_bears_on_gets_an_empty_pack(context: Context) -> None:
    pack = await context.stitch(task("volcano"), anyone)
    assert (pack.passages, pack.labels, pack.snapshot) == ((), NO_LABELS, context.snapshot)


def test_passages_keep_the_order_of_relevance_and_what_does_not_fit_is_left_out() -> None:
    pack = packed([hit("a", "short."), hit("b", "long. " * 400), hit("c", "short too.")], 160)
    assert [passage.citation.partition("@")[0] for passage in pack.passages] == ["a", "c"]


def test_the_same_text_is_given_once() -> None:
    pack = packed([hit("a", "Thirty  days.\n"), hit("b", "Thirty days.")], 500)
    assert [passage.citation for passage in pack.passages] == ["a@0123456789ab"]


def test_the_best_passage_is_cut_at_a_sentence_where_it_alone_is_too_long() -> None:
    pack = packed([hit(text="One sentence of some length stands here. " * 50)], 200)
    assert pack.passages[0].text.endswith("stands here.")
    assert USUAL.tokens(pack.passages[0].text) <= 200
    assert packed([hit(text="no end " * 500)], 200).passages == ()


def test_the_title_of_a_passage_says_page_and_section_once() -> None:
    titles = [
        packed([hit(heading=heading)], 500).passages[0].title
        for heading in ("", "Returns", "Returns > Late", "Abroad > Late")
    ]
    assert titles == ["Returns", "Returns", "Returns > Late", "Returns > Abroad > Late"]


@given(st.lists(st.text(max_size=400), max_size=8), st.integers(1, 600))
def test_a_pack_never_passes_its_budget(texts: list[str], budget: int) -> None:
    pack = packed([hit(str(number), text) for number, text in enumerate(texts)], budget)
    assert sum(USUAL.tokens(passage.text) for passage in pack.passages) <= budget
    assert len(pack.passages) == len(pack.citations)
