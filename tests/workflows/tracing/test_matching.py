"""Values are found again however they are written, and sums are told from inventions."""

from decimal import Decimal

import pytest

from fairlead.workflows.tracing.matching import (
    atom_of,
    atoms,
    counted,
    holds,
    numbers_in,
    reckoned,
    reckoned_day,
    shown_path,
)


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,234.50 EUR", "1234.5"), ("1.234,50", "1234.5"), ("49,9", "49.9"), ("12 000", "12"), ("1,234", "1234"),
     ("0,125", "0.125"), ("-7.", "-7"), ("1'250.00", "1250"), ("CHF 3.", "3")],
)  # fmt: skip
def test_a_number_is_the_same_however_it_is_written(text: str, number: str) -> None:
    assert Decimal(number) in list(numbers_in(text))
    assert holds({"said": [text]}, Decimal(number)) == ("said", 0)


def test_what_only_looks_alike_is_another_value() -> None:
    assert holds("order ZK-4812 of 149.90", Decimal("49.90")) is None
    assert holds("version 1.2.3", Decimal("1.2")) is None
    assert holds("the ZK-48123 of Nord", "zk-4812") is None
    assert holds("Nord  Papier & Sons", "papier & sons") == ()
    assert [atom_of(each) for each in (True, None, "", "–", "ja ")] == [None, None, None, None, "ja"]


def test_prose_is_no_value_but_its_numbers_are() -> None:
    found = dict(atoms({"id": "ZK-1", "why": "It is 49.90 a piece.", "ok": True, "n": 3}))
    assert found == {("id",): "zk-1", ("why",): Decimal("49.9"), ("n",): Decimal(3)}


def test_a_value_follows_from_numbers_by_a_simple_sum() -> None:
    lines = {"qty": 10, "lines": [{"price": 4.5}, {"price": 5.25}, {"price": 1.0}]}
    assert reckoned(Decimal("10.75"), [lines]) == (Decimal("4.5"), Decimal("5.25"), Decimal(1))
    assert set(reckoned(Decimal("107.5"), [lines]) or ()) >= {Decimal(10), Decimal("4.5")}
    assert reckoned(Decimal("94.60"), [{"net": 107.5, "rate": 12}]) == (Decimal("107.5"), Decimal(12))
    assert reckoned(Decimal("61.2"), [lines]) is None
    assert reckoned("a word", [lines]) is None


@pytest.mark.parametrize("text", ["31 March 2026", "31.03.2026", "March 31, 2026", "2026-03-31", "31. März 2026"])
def test_a_date_is_the_same_however_it_is_written(text: str) -> None:
    assert atom_of(text) == "2026-03-31"
    assert holds(f"Filed by {text} at the latest.", "2026-03-31") == ()
    assert holds(f"Filed by {text} at the latest.", "2026-03-30") is None


def test_a_date_follows_from_another_and_a_number_of_days_weeks_or_months() -> None:
    given, page = [{"issued": "2026-01-31"}], ["Invoices are due 30 days after they were issued, in two weeks at most."]
    assert reckoned_day("2026-03-02", given, page) == ("2026-01-31", Decimal(30))
    assert reckoned_day("2026-02-14", given, page) == ("2026-01-31", Decimal(2))
    assert reckoned_day("2026-02-28", [*given, {"months": 1}], []) == ("2026-01-31", Decimal(1))
    assert reckoned_day("2026-05-27", given, page) is None


def test_names_shares_and_small_numbers_are_known_in_other_words() -> None:
    assert holds("Contact: Brandt, Ilse (Graz)", "ilse brandt") == ()
    assert holds("Contact: Brandt, Ilse (Graz)", "dr. brandt") == ()
    assert holds("Contact: Brandt, Ilse. Ilka is out.", "ilka brandt") is None
    assert holds("The tax is 19 %.", Decimal("0.19")) == ()
    assert holds("It has a notice of three months.", Decimal(3)) == ()


def test_rounding_and_counting_are_no_inventions() -> None:
    assert reckoned(Decimal("11.81"), [{"rate": 11.8134}]) == (Decimal("11.8134"),)
    assert reckoned(Decimal("11.82"), [{"rate": 11.8134}]) is None
    told = {"appointments": [{"day": 4}, {"day": 7}], "seats": [1, 2, 3]}
    assert list(counted(Decimal(2), ("value", "count"), told)) == [("appointments",)]
    assert list(counted(Decimal(2), ("value", "appointments"), told)) == [("appointments",)]
    assert list(counted(Decimal(2), ("value", "price"), told)) == []


def test_paths_are_written_as_expressions_write_them() -> None:
    assert shown_path(("value", "parts", 2, "name")) == "value.parts[2].name"
