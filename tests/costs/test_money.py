from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.costs.money import exact_money, format_money, parse_money
from fairlead.errors import BadInput


@pytest.mark.parametrize(
    ("written", "nano"),
    [("12.50", 12_500_000_000), (12.5, 12_500_000_000), (12, 12 * 10**9), (0.1, 10**8), (" 0.000000001 ", 1), (0, 0)],
)
def test_amounts_are_read_exactly(written: object, nano: int) -> None:
    assert parse_money(written) == nano


@pytest.mark.parametrize(
    "written", ["", "12,50", "1 EUR", -1, "-0.01", float("inf"), "nan", True, None, [], 1e10, "1e-10"]
)
def test_what_is_no_amount_is_refused_by_its_key(written: object) -> None:
    with pytest.raises(BadInput, match=r"budgets\.x"):
        parse_money(written, "budgets.x")


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0.00"),
        (1_234_567_891, "1.23"),
        (1_235_000_000, "1.24"),
        (12_345_678_900_000, "12,345.68"),
        (999_999_999, "1.00"),
        (99_999_999, "0.100"),
        (1_234, "0.0000012"),
        (1, "0.000000001"),
        (-1_500_000_000, "-1.50"),
    ],
)
def test_people_read_two_significant_digits_at_least(nano: int, text: str) -> None:
    assert format_money(nano) == text
    assert format_money(nano, "EUR") == text + " EUR"


@given(st.integers(0, 10**18))
def test_whatever_is_written_out_in_full_is_read_back(nano: int) -> None:
    assert parse_money(f"{nano // 10**9}.{nano % 10**9:09d}") == nano


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_money_for_programs_is_exact(nano: int) -> None:
    assert Decimal(exact_money(nano)) * 10**9 == nano


def test_money_for_programs_has_no_needless_zeros() -> None:
    wanted = {0: "0", 1: "0.000000001", 1_500_000: "0.0015", 2 * 10**9: "2", -5 * 10**8: "-0.5", 10**10: "10"}
    assert {nano: exact_money(nano) for nano in wanted} == wanted
