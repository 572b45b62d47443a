import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.databases import Lent

from fairlead.clock import Clock
from fairlead.context import Context, Item, publish_items
from fairlead.context.nearness import InDatabase, InMemory, Scores, best_of, fused
from fairlead.context.page_vectors import PageVectors
from fairlead.context.search import load_snapshot
from fairlead.context.vector_rows import Lacking, embed_sections, embedded_text, packed_vector, stored_vectors
from fairlead.context.vector_space import AskedVector
from fairlead.labels import Access
from fairlead.storage import postgres_vectors
from fairlead.storage.database import Where
from fairlead.storage.store import Store

Page = Callable[..., Item]
MEANT = {"leave": 0, "holiday": 0, "vacation": 0, "lamp": 1, "light": 1, "money": 2, "salary": 2}


class Toy:
    """Knows three meanings, and counts what it reads."""

    model = "test/toy"

    def __init__(self) -> None:
        self.read: list[str] = []

    def vectors(self, texts: Sequence[str]) -> Any:
        self.read += texts
        rows = np.zeros((len(texts), 4), dtype=np.float32)
        rows[:, 3] = 0.01
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().replace(".", " ").split():
                if word in MEANT:
                    row[MEANT[word]] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def pages(page: Page) -> list[Item]:
    return [
        page("leave", "# Leave\n\nEverybody has 28 days.", audience="[everyone]"),
        page("lamps", "# Lamps\n\nA lamp gives light.", audience="[everyone]"),
        page("pay", "# Bands\n\nThe salary of a vacation.", audience="[hr]"),
    ]


def to_all(access: Access) -> bool:
    return "everyone" in access.audience


@pytest.fixture
def where(scored_where: Where) -> Where:
    return scored_where


@pytest.fixture
def toy() -> Toy:
    return Toy()


async def found(store: Store, snapshot: str, toy: Toy, question: str, may_read: Callable[[Access], bool]) -> list[Any]:
    context = Context.open(store, snapshot, embedder=toy)
    try:
        hits = await context.find(question, may_read)
        reasons = (await context.explained(question, may_read, most=10)).reasons
        assert [each.score for each in reasons] == pytest.approx([hit.score for hit in hits])
        assert all(each.nth_by_words or each.nth_by_nearness for each in reasons)
        return [(hit.item, hit.score) for hit in hits]
    finally:
        context.close()


async def test_what_means_the_same_is_found_by_no_word_in_common(
    store: Store, clock: Clock, page: Page, toy: Toy
) -> None:
    snapshot = publish_items(store, pages(page), clock)
    embed_sections(store, snapshot, toy)
    assert [item for item, _ in await found(store, snapshot, toy, "vacation", to_all)] == ["leave"]
    assert {item for item, _ in await found(store, snapshot, toy, "vacation", lambda _: True)} == {"pay", "leave"}
    assert await found(store, snapshot, toy, "unheard", to_all) == []
    assert await found(store, snapshot, toy, "vacation", lambda _: False) == []


async def test_hidden_pages_move_nothing_in_meaning_either(store: Store, clock: Clock, page: Page, toy: Toy) -> None:
    both, alone = publish_items(store, pages(page), clock), publish_items(store, pages(page)[:2], clock)
    embed_sections(store, both, toy)
    for question in ("vacation light", "28 days of holiday", "salary money"):
        assert await found(store, both, toy, question, to_all) == await found(store, alone, toy, question, to_all)


async def test_what_says_the_same_is_embedded_once_and_an_interrupted_publish_goes_on(
    store: Store, clock: Clock, page: Page, toy: Toy
) -> None:
    first = publish_items(store, pages(page), clock)

    def crash(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_sections(store, first, toy, crash)
    assert len(toy.read) == 3
    assert embed_sections(store, first, toy) == 0
    changed = [*pages(page)[:2], page("pay", "# Bands\n\nThe *salary* of a vacation.", audience="[board]")]
    second = publish_items(store, changed, clock)
    assert embed_sections(store, second, toy) == 0
    assert len(toy.read) == 3
    assert len(list(stored_vectors(store, second, toy.model))) == 3
    assert list(stored_vectors(store, second, "another")) == []


async def test_a_search_is_made_again_over_what_was_embedded_by_then(
    store: Store, clock: Clock, page: Page, toy: Toy
) -> None:
    snapshot = publish_items(store, pages(page), clock)
    vectors = PageVectors(store, snapshot, "toy=a")
    first, *others = vectors.lacking()

    def keep(*sections: Lacking) -> int:
        numbers = toy.vectors([each.text for each in sections])
        vectors.keep({each.digest: one.tolist() for each, one in zip(sections, numbers, strict=True)}, sections)
        vectors.look()
        vectors.look()
        return vectors.embedded.upto

    async def found(upto: int) -> list[Any]:
        asked = AskedVector("toy=a", upto, 0.25, packed_vector(toy.vectors(["vacation"])[0].tolist(), "toy"))
        context = Context.open(store, snapshot, key="toy=a")
        try:
            return [(hit.item, hit.score) for hit in await context.find("vacation", lambda _: True, asked=asked)]
        finally:
            context.close()

    upto = keep(first)
    then = await found(upto)
    assert await found(keep(*others)) != then
    assert await found(upto) == then
    assert (vectors.embedded.sections, vectors.lacking()) == (3, [])
    with store.reading() as connection:
        on_server = bool(postgres_vectors.extension(connection))
    assert postgres_vectors.complete(store, snapshot, "toy=a") == on_server


async def test_questions_at_once_are_embedded_beside_the_event_loop(
    store: Store, clock: Clock, page: Page, toy: Toy
) -> None:
    snapshot = publish_items(store, pages(page), clock)
    embed_sections(store, snapshot, toy)
    context = Context.open(store, snapshot, embedder=toy)
    before = len(toy.read)
    await asyncio.gather(*(context.find("vacation", to_all) for _ in range(5)))
    assert toy.read[before:] == ["vacation"]
    context.close()


async def test_vectors_are_scored_alike_wherever_that_is_done(store: Store, clock: Clock, page: Page, toy: Toy) -> None:
    words = ["leave", "holiday lamp", "lamp money", "money", "salary", "light leave", "lamp lamp money", "vacation"]
    audiences = ["[everyone]", "[hr]", "[board]"]
    items = [page(f"p{at}", f"# Page {at}\n\n{words[at % 8]}", audience=audiences[at % 3]) for at in range(90)]
    snapshot = publish_items(store, items, clock)
    embed_sections(store, snapshot, toy)
    sections = load_snapshot(store, snapshot)
    with_extension = postgres_vectors.complete(store, snapshot, toy.model)
    with store.reading() as connection:
        assert with_extension == bool(postgres_vectors.extension(connection))
        numpy = InMemory(store, sections, toy.model)
        used: Scores = (InDatabase if with_extension else InMemory)(store, sections, toy.model)
        for asked in toy.vectors(["leave lamp", "money", "nothing"]):
            for allowed in (frozenset({0}), frozenset({0, 2}), frozenset({0, 1, 2}), frozenset[int]()):
                beside = [at for at in range(0, 90, 7) if sections.access_of[at] in allowed]
                scored = used.of(connection, asked, allowed, beside, 10)
                assert scored == pytest.approx(numpy.of(connection, asked, allowed, beside, 10), abs=1.1e-5)
                assert {sections.access_of[section] for section in scored} <= allowed
                hidden = [at for at in range(90) if sections.access_of[at] not in allowed]
                assert used.of(connection, asked, allowed, hidden, 10).keys() <= scored.keys()


def test_a_copy_that_is_not_whole_is_not_scored(lent_with_vectors: Lent, clock: Clock, page: Page, toy: Toy) -> None:
    url = lent_with_vectors.lend()
    store = Store(url)
    snapshot = publish_items(store, pages(page), clock)
    assert postgres_vectors.complete(store, snapshot, toy.model)  # nothing is embedded, so nothing is lacking
    embed_sections(store, snapshot, toy)
    for spoil in (
        "UPDATE context_pgvector SET text = ''",
        "DELETE FROM context_pgvector",
        "DROP TABLE context_pgvector",
    ):
        assert postgres_vectors.complete(store, snapshot, toy.model)
        with store.writing() as connection:
            connection.exec_driver_sql(spoil)
        assert not postgres_vectors.complete(store, snapshot, toy.model)
        embed_sections(store, snapshot, toy)
    with store.writing() as connection:
        connection.exec_driver_sql(
            "DROP EXTENSION vector CASCADE; DROP TABLE context_pgvector; CREATE ROLE plain LOGIN"
        )
        connection.exec_driver_sql("GRANT pg_read_all_data, pg_write_all_data TO plain")
    store.close()
    store = Store(url.replace("fairlead@", "plain@"))
    assert not postgres_vectors.copy(store, snapshot, toy.model)  # who may not make the extension does without
    assert embed_sections(store, snapshot, toy) == 0
    assert len(list(stored_vectors(store, snapshot, toy.model))) == 3
    store.close()
    lent_with_vectors.take_back(url)


def test_marks_and_targets_of_links_are_not_embedded() -> None:
    text = embedded_text("Leave", "Leave > Days", "- **28** days,\n  see [the law](https://law.example/x)")
    assert text == "Leave Days\n- 28 days, see the law"


_SCORES = st.dictionaries(st.integers(0, 30), st.floats(0, 20), max_size=12)


@settings(max_examples=40)
@example({0: 1.0}, {0: 0.0, 1: 1.0, 2: 1.0})
@given(_SCORES, st.dictionaries(st.integers(0, 30), st.floats(-1, 1), max_size=12))
def test_every_candidate_has_a_score_above_nothing(words: dict[int, float], near: dict[int, float]) -> None:
    by_words = best_of(words, 5)
    scores = fused(words, near, by_words)
    assert set(by_words) <= set(scores) <= set(by_words) | set(near)
    assert all(score >= 1 for score in scores.values())
