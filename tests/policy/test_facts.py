from decimal import Decimal

import pytest

from fairlead.errors import BadInput
from fairlead.policy.facts import compiled
from fairlead.policy.settings import FactSetting


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("15", "15"),
        ("12.5", "12.5"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1,234", "1234"),
        ("12,5", "12.5"),
        ("1.234.567", "1234567"),
        ("-3", "-3"),
        ("€ 0.00005", "0.0000"),
        ("9" * 30, "922337203685477.5807"),
        ("nothing", "922337203685477.5807"),
    ],
)
def test_a_number_is_read_as_people_write_it_and_kept_within_what_cedar_can_hold(text: str, value: str) -> None:
    (fact,) = compiled([FactSetting("n", "(?P<value>x)")])
    assert fact.read(text) == Decimal(value)


def test_of_several_values_the_declared_one_counts() -> None:
    for take, expected in (("max", 3), ("min", 1), ("first", 2)):
        (fact,) = compiled([FactSetting("n", "(?P<value>x)", "decimal", take)])
        value = None
        for each in (2, 1, 3):
            value = fact.joined(value, Decimal(each))
        assert value == expected


@pytest.mark.parametrize(
    "settings",
    [
        [FactSetting("n", "x")],
        [FactSetting("n", "(?P<value>x*)y")],
        [FactSetting("n", "(?P<value>x)", "text", "max")],
        [FactSetting("n", "x", "bool"), FactSetting("n", "y", "bool")],
    ],
)
def test_a_fact_that_makes_no_sense_is_refused_by_name(settings: list[FactSetting]) -> None:
    with pytest.raises(BadInput, match="'n'"):
        compiled(settings)
