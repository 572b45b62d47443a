"""What a model merely handed on is told from what it made, chose or left out."""

from decimal import Decimal
from typing import Any

import pytest

from fairlead.workflows.tracing.copying import added, gave_way, is_chosen, made_here, other_row
from fairlead.workflows.tracing.matching import reckoned
from fairlead.workflows.tracing.units import converted

CARD = {"name": "Wei Ling", "lines": [{"what": "tea", "price": 4.5}, {"what": "jam", "price": 3.25}], "open": True}


@pytest.mark.parametrize(
    ("reply", "made"),
    [
        ({"name": "Ling, Wei", "prices": [4.5, 3.25], "open": True}, []),
        ({"prices": [4.5]}, [("prices",)]),  # one of two is left out
        ({"prices": []}, [("prices",)]),
        ({"prices": [4.5, 3.25, 9]}, [("prices",)]),
        ({"open": False, "note": "It is open."}, [("open",), ("note",)]),
        ({"fine": True}, [("fine",)]),
        ({"name": "", "lines": None}, []),
    ],
)
def test_what_is_merely_handed_on_was_not_made_here(reply: dict[str, Any], made: list[Any]) -> None:
    assert list(made_here(reply, [CARD])) == made


def test_the_item_of_a_list_that_nobody_gave() -> None:
    guests = [{"guests": ["Ilse", "Tom"]}]
    assert added(["Tom", "Paul", "Ilse"], guests) == "Paul"
    assert added(["Tom", "Ilse"], guests) is None
    assert added(["Paul", "Ida"], guests) is None, "all of it is made up, or in other words"


def test_a_value_that_was_taken_in_place_of_the_right_one() -> None:
    job = [{"origin": "Trondheim", "goal": "Bodø", "members": 18.5, "guests": 27.25}]
    assert gave_way("bodø", "load_at", job, {"bodø"}, "trondheim") == "trondheim"
    assert gave_way("bodø", "goal", job, {"bodø"}, "trondheim") is None, "it was given just that under this name"
    assert gave_way(Decimal("27.25"), "rate", job, {Decimal(327)}, Decimal(222)) == Decimal("18.5")
    assert gave_way(Decimal("27.25"), "rate", job, {Decimal(327)}, Decimal(250)) is None
    rows = [{"rows": [{"id": "B-1", "price": 31.5}, {"id": "B-2", "price": 48.25}]}]
    assert other_row(Decimal("31.5"), "price", rows, Decimal("48.25"))
    assert not other_row(Decimal("31.5"), "price", rows, Decimal("40.25"))
    assert is_chosen(Decimal("27.25"), "rate", ("guests",), job)
    assert not is_chosen(Decimal("27.25"), "guests", ("guests",), job)


def test_the_same_in_another_unit_and_of_three_numbers() -> None:
    assert converted(Decimal("36.6"), "metres", [{"feet": 120}]) == (120,)
    assert converted(Decimal("26.6"), "metres", [{"feet": 120}]) is None
    assert converted(Decimal(483), "fee_eur", [{"fee": 48300, "unit": "cent"}]) == (48300,)
    assert converted(Decimal("36.6"), "kilos", [{"feet": 120}]) is None
    assert reckoned(Decimal(1251), [{"way": 411, "bed": 507, "food": 333}]) == (411, 507, 333)
    assert reckoned(Decimal(91), [{"a": 20, "b": 30, "c": 41}]) is None, "so small a number is met with by chance"
