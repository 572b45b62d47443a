from collections.abc import Callable

from sqlalchemy import text

from fairlead.clock import Clock
from fairlead.context import Context, Item, publish_items
from fairlead.storage.store import Store

Page = Callable[..., Item]
LONG = "Customers may return a lamp within sixty days of the day on which they bought it, with the receipt. "


def sections(store: Store, item: Item) -> list[tuple[str, str]]:
    query = "SELECT identity, meaning FROM context_section WHERE item = :item AND version = :version ORDER BY ordinal"
    with store.reading() as connection:
        rows = connection.execute(text(query), {"item": item.id, "version": item.version})
        return [(row[0], row[1]) for row in rows]


def test_a_page_that_is_moved_and_edited_continues_its_sections(store: Store, clock: Clock, page: Page) -> None:
    body = f"# Returns\n\n{LONG * 3}\n\n# Late\n\n{LONG.replace('sixty', 'ninety') * 3}"
    first, other = page("returns", body), page("other", "# Other\n\nSomething else.")
    publish_items(store, [first, other], clock)
    old = sections(store, first)
    assert len({identity for identity, _ in old}) == 2
    second = page("shop/returns", body.replace("ninety", "eighty"), owner="care")
    publish_items(store, [second, other], clock)
    new = sections(store, second)
    assert [identity for identity, _ in new] == [identity for identity, _ in old]
    assert (new[0][1] == old[0][1], new[1][1] == old[1][1]) == (True, False)


def test_a_version_that_comes_back_has_the_identities_that_it_had(store: Store, clock: Clock, page: Page) -> None:
    first, second = page("a", f"# A\n\n{LONG}"), page("a", "# A\n\nQuite another text.")
    publish_items(store, [first], clock)
    known = sections(store, first)
    publish_items(store, [second], clock)
    assert sections(store, second)[0][0] == known[0][0]
    publish_items(store, [first], clock)
    assert sections(store, first) == known


def test_what_is_continued_is_what_was_in_force_and_not_only_what_came_last(
    store: Store, clock: Clock, page: Page
) -> None:
    first, other = page("a", f"# A\n\n{LONG}"), page("b", f"# B\n\nAnother. {LONG}")
    in_force = publish_items(store, [first, other], clock)
    publish_items(store, [other], clock)
    assert publish_items(store, [first, other], clock) == in_force
    edited = page("a", f"# A\n\n{LONG} But never on Sundays.")
    publish_items(store, [edited, other], clock, before=in_force)
    assert sections(store, edited)[0][0] == sections(store, first)[0][0]


def test_sections_from_before_there_were_identities_get_theirs_at_the_next_publish(
    store: Store, clock: Clock, page: Page
) -> None:
    items = [page("a", f"# A\n\n{LONG}\n\n## Tiny\n\nYes."), page("b", "word " * 900)]
    snapshot = publish_items(store, items, clock)
    known = [sections(store, item) for item in items]
    with store.writing() as connection:
        connection.execute(text("UPDATE context_section SET identity = '', meaning = ''"))
    assert publish_items(store, items, clock) == snapshot
    assert [sections(store, item) for item in items] == known


async def test_what_is_found_says_which_section_it_is(store: Store, clock: Clock, page: Page) -> None:
    item = page("a", f"# A\n\n{LONG}")
    context = Context.open(store, publish_items(store, [item], clock))
    (hit,) = await context.find("lamp receipt", lambda access: True)
    assert hit.identity == sections(store, item)[0][0] != ""
    context.close()
