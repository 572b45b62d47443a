from collections.abc import Callable

import pytest

from fairlead.clock import Clock
from fairlead.context import Context, Item, publish_items
from fairlead.context.catalogue import load_catalogue
from fairlead.errors import NotFound
from fairlead.storage.store import Store

Page = Callable[..., Item]


def test_a_catalogue_holds_what_is_known_of_each_item_but_its_text(store: Store, clock: Clock, page: Page) -> None:
    flow = page("flows/refunds", "Text.", kind="flow", covers="[refunds]", approvers="[lead]", quorum="2")
    rules = page("rules", "Text.", topics="[refunds, returns]", expires="2027-01-01", trusted="false", owner="care")
    catalogue = load_catalogue(store, publish_items(store, [rules, flow], clock))
    assert [entry.id for entry in catalogue.entries] == ["flows/refunds", "rules"]
    entry = catalogue.by_id["rules"]
    assert (entry.expires, entry.trusted, entry.owner, entry.version) == ("2027-01-01", False, "care", rules.version)
    assert (entry.stored_at, catalogue.access_of(entry).owner) == (clock.now(), "care")
    assert catalogue.by_kind["flow"][0].fields == {"covers": ("refunds",), "approvers": ("lead",), "quorum": ("2",)}


def test_items_of_equal_rights_share_an_access_unless_policies_name_single_items(
    store: Store, clock: Clock, page: Page
) -> None:
    snapshot = publish_items(store, [page("a", "x"), page("b", "y"), page("c", "z", audience="board")], clock)
    assert len(load_catalogue(store, snapshot).accesses) == 2
    assert [each.item for each in load_catalogue(store, snapshot, names_items=True).accesses] == ["a", "b", "c"]


@pytest.mark.parametrize("status", ["draft", "review", "retired"])
def test_only_what_is_published_is_in_a_snapshot(store: Store, clock: Clock, page: Page, status: str) -> None:
    snapshot = publish_items(store, [page("a", "x"), page("b", "y", status=status)], clock)
    assert list(load_catalogue(store, snapshot).by_id) == ["a"]
    assert snapshot == publish_items(store, [page("a", "x")], clock)
    context = Context.open(store, snapshot)
    assert list(context.catalogue.by_id) == ["a"]
    context.close()


def test_a_catalogue_of_what_was_never_published_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="no context snapshot ctx_x"):
        load_catalogue(store, "ctx_x")
