"""An edit that was proposed for a page which has changed meanwhile."""

from hypothesis import given
from hypothesis import strategies as st

from fairlead.context.upkeep.merge import merged

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "d"]), min_size=1, max_size=8).map("\n".join)
PAGE = "# Rules\n\nGoods come back\nwithin 30 days.\n\nA receipt is needed."


def test_what_changed_elsewhere_is_kept_and_what_changed_in_the_same_place_is_not_overwritten() -> None:
    wanted = PAGE.replace("30", "14")
    assert merged(PAGE, wanted, PAGE) == wanted
    assert merged(PAGE, wanted, PAGE.replace("receipt", "letter")) == wanted.replace("receipt", "letter")
    assert merged(PAGE, wanted, PAGE.replace("30", "20")) is None
    assert merged(PAGE, wanted, PAGE.replace("Goods", "Shoes")) is None, "a line beside it belongs together with it"
    assert merged(PAGE, wanted, wanted) == wanted


@given(LINES, LINES, LINES)
def test_nothing_is_lost_of_either_side(read: str, wanted: str, current: str) -> None:
    assert merged(read, wanted, read) == wanted
    assert merged(read, read, current) == current
    assert merged(read, wanted, wanted) == wanted
    assert merged(read, wanted, current) == merged(read, current, wanted)
