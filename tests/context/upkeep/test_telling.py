"""What owners are asked for: few at a time, the weightiest first, and once above them when they are late."""

from hypothesis import given
from hypothesis import strategies as st

from fairlead.context.catalogue import Catalogue, Entry
from fairlead.context.upkeep.owners import Owners, known_owners, vacant
from fairlead.context.upkeep.settings import OwnerSettings, UpkeepSettings
from fairlead.context.upkeep.telling import WEEK, needs_of, to_escalate, to_tell
from fairlead.labels import DataClass
from fairlead.storage.request_rows import RequestRow

NOW = 1_796_000_000_000
DAY = 86_400_000
SETTINGS = UpkeepSettings(alarm="owners", lead="operations", most=3)


def entry(item: str, owner: str = "", kind: str = "page", **fields: tuple[str, ...]) -> Entry:
    return Entry(
        id=item, version="v1", title=item.title(), kind=kind, topics=frozenset(), owner=owner,
        data_class=DataClass.internal, access=0, verified="", verified_by="", review_by="", expires="", changed="",
        trusted=True, source="", origin="", fields=fields, stored_at=1,
    )  # fmt: skip


def row(number: int, owner: str = "sales", **more: object) -> RequestRow:
    about = {
        "kind": "review", "need": "", "item": f"page{number}", "section": "", "task": "", "cause": "", "words": "",
        "state": "open", "times": 1, "weight": number, "due": WEEK, "asked_at": NOW, "last_at": NOW,
        "due_at": NOW + WEEK, "told_at": 0, "escalated_at": 0, "ended_at": 0, **more,
    }  # fmt: skip
    return RequestRow(id=f"req_{number:03}", owner=owner, **about)  # type: ignore[arg-type]


def owners(*entries: Entry, names: tuple[str, ...] = (), managers: dict[str, str] | None = None) -> Owners:
    catalogue = Catalogue(entries=entries)
    return known_owners(catalogue, names, managers or {}, {"lea": False, "kim": True}.get)


def test_an_owner_is_told_of_the_weightiest_and_the_rest_waits() -> None:
    rows = [row(number) for number in range(40)]
    (digest,) = to_tell(rows, NOW, SETTINGS)
    assert [each.weight for each in digest.rows] == [39, 38, 37]
    told = [row(number, told_at=NOW - DAY if number > 36 else 0) for number in range(40)]
    assert to_tell(told, NOW, SETTINGS) == []
    (later,) = to_tell(told, NOW + WEEK, SETTINGS)
    assert [each.weight for each in later.rows] == [36, 35, 34]


def test_a_clock_that_is_put_back_tells_nobody_more_than_their_share_and_keeps_nobody_from_being_told() -> None:
    assert to_tell([row(n, told_at=NOW + 6 * DAY if n < 3 else 0) for n in range(9)], NOW, SETTINGS) == []
    (digest,) = to_tell([row(n, told_at=NOW + 400 * DAY if n < 3 else 0) for n in range(9)], NOW, SETTINGS)
    assert len(digest.rows) == 3, "by a clock that was wrong for a while"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-20, 20), st.booleans()), max_size=40))
def test_nobody_is_told_of_more_than_their_share_in_a_week(given_rows: list[tuple[int, int, bool]]) -> None:
    rows = [
        row(n, owner=f"owner{who}", told_at=NOW + day * DAY if told else 0)
        for n, (who, day, told) in enumerate(given_rows)
    ]
    for digest in to_tell(rows, NOW, SETTINGS):
        lately = sum(each.owner == digest.owner and NOW - WEEK < each.told_at <= NOW + WEEK for each in rows)
        assert 0 < len(digest.rows) <= SETTINGS.most - lately
        assert all(not each.told_at for each in digest.rows)


def test_what_is_late_goes_once_to_who_is_above_its_owner() -> None:
    late = {"told_at": NOW - 9 * DAY, "due_at": NOW - 2 * DAY}
    known = owners(entry("org/sales", kind="unit", head=("lea",), members=("kim",)))
    rows = [row(1, "sales", **late), row(2, "kim", **late), row(3, "nobody", **late), row(4, "kim")]
    found = {
        (digest.owner, digest.to): [each.id for each in digest.rows]
        for digest in to_escalate(rows, NOW, known, SETTINGS)
    }
    assert found == {("sales", "lea"): ["req_001"], ("kim", "lea"): ["req_002"], ("nobody", "operations"): ["req_003"]}
    assert to_escalate([row(1, escalated_at=NOW, **late)], NOW, known, SETTINGS) == []


def test_pages_of_owners_who_have_left_are_one_request() -> None:
    pages = [entry(f"rules/{n}", "lea") for n in range(12)] + [entry("travel", "kim"), entry("odd", "old team")]
    known = owners(*pages, managers={"kim": "max"})
    assert set(vacant(Catalogue(entries=tuple(pages)), known)) == {"lea", "old team"}
    needs = needs_of([], Catalogue(entries=tuple(pages)), known, SETTINGS, {})
    assert [(need.kind, need.need, need.owner) for need in needs] == [
        ("vacancy", "lea", "operations"),
        ("vacancy", "old team", "operations"),
    ]
    assert "rules/7 and 4 more" in needs[0].words


def test_a_workspace_that_does_not_say_who_there_is_is_not_asked_about_every_team() -> None:
    pages = [entry("rules", "some team"), entry("odd")]
    assert list(needs_of([], Catalogue(entries=tuple(pages)), owners(*pages), SETTINGS, {})) == []


def test_managers_come_from_settings_before_pages_and_heads_answer_to_the_unit_above() -> None:
    known = owners(
        entry("org/sales", kind="unit", head=("lea",), members=("kim",), parent=("org/board",)),
        entry("org/board", kind="unit", head=("ada",)),
        managers={"kim": OwnerSettings(manager="max").manager},
    )
    assert [known.above(name, "ops") for name in ("kim", "sales", "lea", "ada", "ops")] == [
        "max",
        "lea",
        "ada",
        "ops",
        "",
    ]
