"""Whether a page was changed after somebody verified it, told from the versions that were published."""

from collections.abc import Callable

from tests.world import FixedClock

from fairlead.context import Item, publish_items
from fairlead.context.catalogue import load_catalogue
from fairlead.context.upkeep.impact import due_of
from fairlead.storage.store import Store

Page = Callable[..., Item]
DAY = 86_400_000
KIM = "{by: kim, at: 2026-11-20}"
TEXT = "# Returns\n\nCustomers get their money back within *60 days*.\n\n## Where\n\nAt any shop of ours.\n"
SHORTER = TEXT.replace("60", "30")


def edited(store: Store, clock: FixedClock, *items: Item) -> dict[str, str]:
    """The pages that count as changed since they were verified, once these are published, a day later than the last."""
    clock.at += DAY
    catalogue = load_catalogue(store, publish_items(store, items, clock))
    return {each.id: each.edited for each in catalogue.entries if each.edited}


def test_a_text_that_changes_under_the_same_word_is_nobodys_until_it_is_verified_anew(
    store: Store, clock: FixedClock, page: Page
) -> None:
    first, second = page("returns", TEXT, verified=KIM), page("returns", SHORTER, verified=KIM)
    assert edited(store, clock, first) == {}
    assert edited(store, clock, second, page("other", "x", verified=KIM)) == {"returns": "2026-12-02"}
    reformatted = page("returns", SHORTER.replace("*", "").replace("# ", "## "), verified=KIM)
    assert edited(store, clock, reformatted) == {"returns": "2026-12-02"}
    (entry,) = load_catalogue(store, publish_items(store, [second], clock)).entries
    assert due_of(entry, "2026-12-03") == [("outdated", "2026-12-02")]
    assert edited(store, clock, first) == {}
    assert edited(store, clock, page("returns", SHORTER, verified="{by: kim, at: 2026-12-03}")) == {}


def test_how_a_page_is_written_and_called_and_who_may_read_it_change_nothing(
    store: Store, clock: FixedClock, page: Page
) -> None:
    edited(store, clock, page("returns", TEXT, verified=KIM))
    wrapped = TEXT.replace("*", "**").replace("money ", "money\n")
    later = page("returns", wrapped, verified=KIM, owner="care", review_by="2027-01-01")
    assert edited(store, clock, later) == {}
    assert edited(store, clock, page("shop/returns", TEXT, verified=KIM)) == {}
    assert edited(store, clock, page("shop/returns", SHORTER, verified=KIM)) != {}


def test_a_page_that_is_renamed_and_changed_at_once_is_still_the_page_that_was_verified(
    store: Store, clock: FixedClock, page: Page
) -> None:
    edited(store, clock, page("returns", TEXT, verified=KIM))
    assert list(edited(store, clock, page("shop/returns", SHORTER, verified=KIM))) == ["shop/returns"]


def test_what_the_front_matter_says_for_a_kind_is_what_was_verified(
    store: Store, clock: FixedClock, page: Page
) -> None:
    role = {"kind": "role", "verified": KIM}
    edited(store, clock, page("lead", "Leads.", holders="[ann]", **role))
    assert edited(store, clock, page("lead", "Leads.", holders="[ann]", contradicts="[x]", **role)) == {}
    assert list(edited(store, clock, page("lead", "Leads.", holders="[bob]", **role))) == ["lead"]
