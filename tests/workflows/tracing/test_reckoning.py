"""What a model reckoned from what it was given is found, and by which slip one number stands for another."""

from decimal import Decimal
from typing import Any

import pytest

from fairlead.workflows.tracing.copying import reordered
from fairlead.workflows.tracing.evidence import against_nothing
from fairlead.workflows.tracing.leaves import empties
from fairlead.workflows.tracing.matching import atom_of, atoms, holds, shown_atom
from fairlead.workflows.tracing.reckoning import worked_out
from fairlead.workflows.tracing.slips import meant_for, slip
from fairlead.workflows.tracing.unsound import by_itself
from fairlead.workflows.tracing.writings import named_numbers

BILLS = {
    "bills": [
        {"of": "A", "state": "open", "pieces": 3, "price": 10.5},
        {"of": "B", "state": "paid", "pieces": 2, "price": 99.0},
        {"of": "C", "state": "open", "pieces": 4, "price": 48.25},
    ]
}


@pytest.mark.parametrize(
    ("number", "key", "asked", "given"),
    [
        ("42500", "cents", "Add them.", {"nights": 185, "breakfast": 240}),
        ("1284.5", "turnover", "Give it in thousands.", {"turnover": 1284500}),
        ("20", "euros", "What is it a month?", {"euros": 240, "per": "year"}),
        ("1240", "metres", "Round to tens of metres.", {"metres": 1237.4}),
        ("35", "per_head", "Per head, rounded down.", {"budget": 1500, "guests": 42}),
        ("62.4", "share", "Which percentage said so?", {"yes": 312, "no": 188}),
        ("422.5", "total", "What does it come to?", BILLS),
        ("58.75", "owed", "How much is open?", BILLS),
        ("2", "open", "How many are open?", BILLS),
        ("20", "days", "How long is the stay?", {"from": "2026-03-28", "to": "2026-04-17"}),
        ("65", "age", "How old is the person?", {"born": "1961-06-02", "today": "2026-11-22"}),
        ("510", "minutes", "How many minutes?", {"begins": "08:45", "ends": "17:15"}),
        ("3200", "each", "What does each get?", {"prize": 9600, "winners": ["A", "B", "C"]}),
    ],
)
def test_a_number_follows_as_its_question_asks(number: str, key: str, asked: str, given: Any) -> None:
    assert worked_out(Decimal(number), key, asked, [given]) is not None
    assert worked_out(Decimal(number) * 7 + 1, key, asked, [given]) is None


ASKED = "Round the share in cents of a month, within days: the percentage, the change."


@pytest.mark.parametrize(
    "number", [1580372915023847424, 10**31, 10**31 + 1, 10**4000, 1e300, 1e-300, "1E+999999", "1e400", "9" * 5000]
)
def test_numbers_beyond_what_is_reckoned_with_are_found_again_and_made_into_nothing(number: Any) -> None:
    atom = atom_of(number)
    assert atom is not None
    assert len(str(shown_atom(atom))) < 6000
    assert holds({"id": number}, atom) == ("id",)
    given = [{"order": number, "customer": 1580372915023847999, "rows": [{"of": number}, {"of": 3}]}]
    for each in (Decimal("12.5"), atom):
        assert not isinstance(each, Decimal) or worked_out(each, "share", ASKED, given) is None
        assert not isinstance(each, Decimal) or not isinstance(atom, Decimal) or slip(each, atom) == ""


def test_no_number_at_all_is_none() -> None:
    assert [atom_of(each) for each in (float("inf"), float("nan"), None, True)] == [None] * 4
    assert atom_of(10**31 + 1) != atom_of(10**31 + 2), "two ids are two"
    assert dict(atoms(["1e99999999999999999999"])) == {(0,): "1e99999999999999999999"}


def test_small_numbers_do_not_follow_from_whatever_stands_around() -> None:
    order = [{"nr": 41, "of": 7, "lamps": 13, "chairs": 29, "desks": 17, "weight": 83, "floor": 5, "door": 37}]

    def following(asked: str) -> int:
        return sum(worked_out(Decimal(each), "left", asked, order) is not None for each in range(1, 100))

    assert following("Write to the customer about the whole order.") == 0
    assert following("Write within a day.") <= 8, "times seven"
    assert following("Round what is left.") <= 20
    assert worked_out(Decimal("3.15"), "share", "Round the share.", order) is not None, "41 of 13"


def test_wide_tables_take_no_longer_than_their_first_columns() -> None:
    rows = [{f"c{each}": each + number / 8 for each in range(60)} for number in range(24)]
    columns = [sum((Decimal(repr(each[name])) for each in rows), Decimal()) / 24 for name in ("c7", "c59")]
    given = [{"months": [{"days": rows} for _ in range(3)]}]
    assert worked_out(columns[0], "mean", "What is it?", given) is not None
    assert worked_out(columns[1], "mean", "What is it?", given) is None, "too far to the right"


def test_nothing_is_converted_that_was_not_asked_for() -> None:
    assert worked_out(Decimal(20), "euros", "Read the sum.", [{"euros": 240}]) is None
    assert worked_out(Decimal(1240), "metres", "Read the length.", [{"metres": 1237.4}]) is None
    found = worked_out(Decimal(20), "euros", "What is it a month?", [{"euros": 240}])
    assert found is not None
    assert found.converted


@pytest.mark.parametrize(
    ("number", "meant", "how"),
    [("8000", "-8000", "sign"), ("240", "24", "point"), ("180", "15", "year"), ("46000", "64000", "swapped"),
     ("46000", "46001", ""), ("46010", "46100", "swapped"),
     ("120", "210", "swapped"), ("12", "1200", "point"), ("5", "0", "")],
)  # fmt: skip
def test_by_which_slip(number: str, meant: str, how: str) -> None:
    told = slip(Decimal(number), Decimal(meant))
    assert how in told
    assert bool(told) == bool(how)


def test_what_a_part_would_have_to_be() -> None:
    assert Decimal(15) in meant_for(Decimal(180), Decimal(311), Decimal(146))
    assert Decimal(24) in meant_for(Decimal(240), Decimal(42500), Decimal(20900)), "told in cents"
    assert Decimal(12) in meant_for(Decimal(21), Decimal(1344), Decimal(768)), "multiplied"


def test_a_list_in_another_order_is_told_from_the_same_and_from_another() -> None:
    rows = [{"name": "Abel", "seconds": 61.2}, {"name": "Brit", "seconds": 58.9}]
    assert reordered(["Brit", "Abel"], [rows])
    assert not reordered(["Abel", "Brit"], [rows])
    assert not reordered(["Abel", "Chen"], [rows])


def test_nothing_is_found_where_it_is() -> None:
    assert list(empties({"a": [], "b": {"c": None, "d": 0}, "e": [""]})) == [("a",), ("b", "c"), ("e", 0)]
    assert against_nothing({}) is not None
    assert against_nothing([]) is None, "there may be none"


def test_results_that_contradict_themselves_or_are_pages_of_errors() -> None:
    assert by_itself({"in_stock": True, "pieces": 0}) is not None
    assert by_itself({"in_stock": False, "pieces": 0}) is None
    assert by_itself({"next": "inspection"}) is None
    assert by_itself({"next": "c-2", "rows": [1]}) is not None
    assert by_itself({"body": "<html><title>502 Bad Gateway</title></html>"}) is not None
    assert by_itself({"body": "<html><title>Prices</title>A lamp costs 502 EUR.</html>"}) is None


def test_numbers_in_words_go_beyond_twelve() -> None:
    assert Decimal(40) in named_numbers("about forty litres")
    assert Decimal(25) in named_numbers("within twenty-five days")
