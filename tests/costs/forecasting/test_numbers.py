"""Numbers of drivers, from files and from databases."""

from datetime import UTC, datetime

import pytest

from fairlead.costs.forecasting import numbers_in, numbers_of
from fairlead.errors import BadInput

FIRST = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp()) // 86_400


def test_rows_and_lines_say_the_same() -> None:
    rows = [{"d": "2026-11-21", "n": 5}, {"d": "2026-11-22T00:00:00+00:00", "n": "7.5"}, {"d": "2026-11-23", "n": 0}]
    lines = "\ufeffday,number\n2026-11-21,5\n\n2026-11-22,7.5\n2026-11-23,0\n"
    assert numbers_of(rows, "d", "n", "q") == numbers_in(lines, "f") == {FIRST: 5.0, FIRST + 1: 7.5, FIRST + 2: 0.0}


@pytest.mark.parametrize(
    "row",
    [
        {"d": "2026-11-21"}, {"d": "2026-11-21", "n": None}, {"d": "2026-11-21", "n": True},
        {"d": "2026-11-21", "n": -1}, {"d": "2026-11-21", "n": "NaN"}, {"d": "2026-11-21", "n": float("inf")},
        {"d": "2026-11-21T10:00", "n": 1}, {"d": "soon", "n": 1}, {"d": None, "n": 1}, {"d": "2026-11-21", "n": 1e-9},
    ],
)  # fmt: skip
def test_what_is_no_day_or_no_number_is_refused_and_not_guessed(row: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        numbers_of([row], "d", "n", "q")


def test_a_day_that_stands_there_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="row 2 of q"):
        numbers_of([{"d": "2026-11-21", "n": 1}] * 2, "d", "n", "q")
