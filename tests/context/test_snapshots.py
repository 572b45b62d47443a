import threading
from collections.abc import Callable

import pytest
from sqlalchemy import text

from fairlead.clock import Clock
from fairlead.context import Context, Item, publish_items
from fairlead.context.search import load_snapshot
from fairlead.context.snapshots import snapshot_id, stored_item
from fairlead.errors import BadInput, NotFound
from fairlead.storage.store import Store

Page = Callable[..., Item]


def count(store: Store, table: str) -> int:
    with store.reading() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_a_snapshots_name_depends_on_its_versions_alone(page: Page) -> None:
    one, two = page("one", "a"), page("two", "b")
    assert snapshot_id([one, two]) == snapshot_id([two, one])
    assert snapshot_id([one]) != snapshot_id([one, two]) != snapshot_id([one, page("two", "c")])


def test_only_new_versions_are_stored_and_indexed(store: Store, clock: Clock, page: Page) -> None:
    told: list[tuple[int, int]] = []
    pages = [page(f"p{number}", f"# P\n\nText {number}.") for number in range(20)]
    first = publish_items(store, pages, clock, lambda done, all_: told.append((done, all_)))
    assert told[-1] == (20, 20)
    before = count(store, "context_section")
    changed = [*pages[:19], page("p19", "# P\n\nOther text.")]
    second = publish_items(store, changed, clock, lambda done, all_: told.append((done, all_)))
    assert (told[-1], first != second) == ((1, 1), True)
    assert count(store, "context_section") == before + 1
    assert count(store, "context_item") == 21


def index_of(store: Store) -> str:
    with store.reading() as connection:
        return "context_occurrence" if connection.dialect.name == "sqlite" else "context_word"


def test_publishing_the_same_again_changes_nothing(store: Store, clock: Clock, page: Page) -> None:
    pages = [page("a", "x"), page("b", "y")]
    tables = ("context_item", "context_section", "context_member", "context_snapshot", index_of(store))
    first = publish_items(store, pages, clock)
    before = [count(store, table) for table in tables]
    assert publish_items(store, pages, clock) == first
    assert [count(store, table) for table in tables] == before


async def test_a_publish_that_died_half_way_leaves_whole_versions_and_is_finished_by_the_next(
    store: Store, clock: Clock, page: Page
) -> None:
    pages = [page(f"p{number}", f"# P{number}\n\nzebra {number} " + "word " * 40_000) for number in range(3)]

    class Killed(BaseException):
        pass

    def die(done: int, _: int) -> None:
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        publish_items(store, pages, clock, die)
    assert (count(store, "context_item"), count(store, "context_snapshot")) == (2, 0)
    snapshot = publish_items(store, pages, clock)
    context = Context.open(store, snapshot)
    hits = await context.find("zebra", lambda access: True)
    assert {hit.item for hit in hits} == {"p0", "p1", "p2"}
    context.close()


def test_a_failure_inside_a_batch_leaves_nothing_of_it(
    store: Store, clock: Clock, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("fairlead.context.snapshots.word_index.add", fail)
    with pytest.raises(OSError, match="disk full"):
        publish_items(store, [page("a", "x")], clock)
    assert (count(store, "context_item"), count(store, "context_section")) == (0, 0)


def test_publishers_at_once_store_each_version_once(store: Store, clock: Clock, page: Page) -> None:
    pages = [page(f"p{number}", f"# P{number}\n\n" + "word " * 9_000) for number in range(12)]
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(publish_items(store, pages, clock))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 3
    assert len(set(names)) == 1
    assert count(store, "context_item") == 12
    with store.reading() as connection:
        twice = connection.execute(
            text("SELECT count(*) FROM context_section GROUP BY item, version, ordinal HAVING count(*) > 1")
        )
        assert twice.all() == []


def test_two_files_of_one_name_are_refused(store: Store, clock: Clock, page: Page) -> None:
    with pytest.raises(BadInput, match="both called 'a'"):
        publish_items(store, [page("a", "x"), page("a", "y")], clock)


def test_a_snapshot_without_items_can_be_published_and_opened(store: Store, clock: Clock) -> None:
    assert not load_snapshot(store, publish_items(store, [], clock)).keys


def test_a_snapshot_that_was_never_published_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="no context snapshot ctx_x"):
        load_snapshot(store, "ctx_x")


def test_a_version_can_be_read_as_it_was_published(store: Store, clock: Clock, page: Page) -> None:
    old, new = page("returns", "# Returns\n\n30 days.", audience="sales"), page("returns", "# Returns\n\n14 days.")
    publish_items(store, [old], clock)
    publish_items(store, [new], clock)
    assert stored_item(store, "returns", old.version) == old
    assert stored_item(store, "returns", new.version) == new
    assert stored_item(store, "returns", "0") is None
    assert stored_item(store, "refunds", new.version) is None
