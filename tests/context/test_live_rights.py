"""An older snapshot under the rights of now: who lost the right to words does not get them any more, wherever they
stand."""

from collections.abc import Callable, Sequence

import pytest

from fairlead.clock import Clock
from fairlead.context import Context, ContextSettings, Item, publish_items, read_item
from fairlead.context.items import includes_of
from fairlead.labels import Access
from fairlead.storage.store import Store

RETURNS = "# Returns\nLamps are taken back.\n"
PAY = "# Bonus\nThe chief gets 4711 lamps\nfor ninety returns.\n"
Pages = dict[str, tuple[str, str]]  # audience and text, by name


def items(pages: Pages) -> list[Item]:
    files = {
        f"{name}.md": f"---\naudience: [{audience}]\n---\n{text}".encode() for name, (audience, text) in pages.items()
    }
    includes = includes_of(files, ContextSettings())
    return [read_item(path, data, ContextSettings(), includes) for path, data in files.items()]


def reader(*groups: str) -> Callable[[Access], bool]:
    return lambda access: bool(access.audience.intersection(groups))


async def told(store: Store, clock: Clock, before: Pages, after: Sequence[Pages], *groups: str) -> str:
    """What is found in the older snapshot by somebody of these groups, once the others were published."""
    first = publish_items(store, items(before), clock)
    latest = [publish_items(store, items(each), clock) for each in after][-1]
    live = Context.open(store, latest)
    old = Context.open(store, first, live=live)
    hits = await old.find("Which lamps does the chief get for returns?", reader(*groups))
    live.close()
    old.close()
    return "\n".join(hit.text for hit in hits)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            {"returns": ("staff", RETURNS + "\n!include bonus.md\n"), "bonus": ("staff", PAY)},
            [{"returns": ("staff", RETURNS), "bonus": ("board", PAY)}],
        ),
        (
            {"returns": ("staff", RETURNS + "The chief gets 4711 lamps for ninety returns.\n")},
            [{"returns": ("staff", RETURNS), "board/pay": ("board", PAY)}],
        ),
        (
            {"returns": ("staff", RETURNS), "bonus": ("staff", PAY)},
            [{"returns": ("staff", RETURNS)}, {"returns": ("staff", RETURNS), "board/pay": ("board", PAY)}],
        ),
    ],
    ids=["included", "taken apart", "taken back and put elsewhere"],
)
async def test_words_are_known_wherever_they_stand_now(
    store: Store, clock: Clock, before: Pages, after: list[Pages]
) -> None:
    assert "4711" not in await told(store, clock, before, after, "staff")
    assert "4711" in await told(store, clock, before, after, "staff", "board")


async def test_words_that_their_page_says_still_or_nobody_says_stay_readable(store: Store, clock: Clock) -> None:
    before: Pages = {"returns": ("staff", RETURNS), "bonus": ("staff", PAY)}
    minutes = f"# Minutes\nThe board met twice, and spoke of money.\n{PAY}"
    kept: Pages = {"bonus": ("staff", PAY + "It is paid in May.\n"), "board/minutes": ("board", minutes)}
    for after in (kept, {"returns": ("staff", RETURNS)}):
        assert "4711" in await told(store, clock, before, [after], "staff")
