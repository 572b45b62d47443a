"""Whoever follows a run waits while it goes on by itself, and no longer."""

from typing import Any

import pytest

from fairlead.cli.resting import rests

SOON = {"for": "time", "asked_at": 1_000, "until": 3_000}
LATER = {"for": "time", "asked_at": 1_000, "until": 1_000 + 600_000}
NEVER = {"for": "time", "asked_at": 1_000, "until": None}
ASKED = {"for": "answer", "asked_at": 1_000, "until": 3_000}


@pytest.mark.parametrize(
    ("status", "waits", "expected"),
    [
        ("running", [], False),
        ("waiting", [SOON], False),
        ("waiting", [SOON, LATER], True),
        ("waiting", [LATER], True),
        ("waiting", [NEVER], True),
        ("waiting", [SOON, ASKED], True),
        ("waiting", [], True),
        ("paused", [SOON], True),
        ("done", [], True),
        ("lost", [], True),
    ],
)
def test_a_run_that_goes_on_by_itself_does_not_rest(status: str, waits: list[dict[str, Any]], expected: bool) -> None:
    assert rests({"status": status, "waits": waits}) is expected


def test_a_run_of_which_little_is_told_rests_where_it_waits() -> None:
    assert rests({"status": "waiting"})
