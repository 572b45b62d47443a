"""How often pages change, and when to look at them again."""

from hypothesis import given
from hypothesis import strategies as st

from fairlead.context.upkeep.rates import DAY, Watched, likely, rates, review_by, spread

NOW = 20_000 * DAY
CHANGES = st.lists(st.integers(0, 1000), max_size=12).map(lambda days: tuple(NOW - day * DAY for day in days))


def one(item: str, *days_ago: int, group: str = "sales", watched: int = 1000) -> Watched:
    return Watched(item=item, group=group, first=NOW - watched * DAY, changes=tuple(NOW - d * DAY for d in days_ago))


def test_a_page_that_changes_often_is_looked_at_sooner_and_a_new_one_as_its_owners_others() -> None:
    busy = [one(f"busy{n}", *range(10, 900, 30)) for n in range(5)]
    quiet = [one(f"quiet{n}", group="legal") for n in range(5)]
    new = [one("new-sales", watched=1, group="sales"), one("new-legal", watched=1, group="legal")]
    found = rates([*busy, *quiet, *new], NOW)
    assert found["busy0"].interval < 40
    assert found["quiet0"].interval > 600
    assert found["new-sales"].interval < 60
    assert found["new-legal"].interval > 300
    assert review_by(found["busy0"], "2026-01-31") < "2026-03-15"


def test_versions_of_one_week_are_one_change_and_a_clock_that_was_wrong_breaks_nothing() -> None:
    assert len(spread([5 * DAY, 0, DAY, 7 * DAY, 30 * DAY])) == 3
    ahead = Watched(item="a", group="", first=NOW + 90 * DAY, changes=(NOW + 91 * DAY,))
    assert rates([ahead], NOW)["a"].interval >= 14


@given(st.lists(CHANGES, min_size=1, max_size=5), st.integers(0, 4))
def test_another_change_never_makes_a_page_rarer_and_everything_stays_within_bounds(
    changes: list[tuple[int, ...]], which: int
) -> None:
    pages = [Watched(item=str(n), group="g", first=NOW - 1001 * DAY, changes=each) for n, each in enumerate(changes)]
    before = rates(pages, NOW)
    which %= len(pages)
    more = Watched(item=str(which), group="g", first=pages[which].first, changes=(*changes[which], NOW - DAY // 2))
    after = rates([*pages[:which], more, *pages[which + 1 :]], NOW)
    assert after[str(which)].daily >= before[str(which)].daily or after[str(which)].changes < before[str(which)].changes
    for rate in after.values():
        assert 14 <= rate.interval <= 730
        assert 0 <= likely(rate, 30) <= likely(rate, 300) <= 1
