"""Erasing a person: what was said is gone, what was proven holds."""

from pathlib import Path

from tests.cli.conftest import HOTEL, Fairlead

from fairlead.execution import Answer


def test_erasing_a_person_loses_the_text_and_keeps_the_proof(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    fairlead("audit", "checkpoint")
    assert HOTEL in fairlead("trace", "--payload").out
    said = fairlead("data", "erase", "kim", "--yes", "--json")
    assert said.json == {"person": "kim", "erased": True, "keys_left": []}
    after = fairlead("trace", "--payload")
    assert after.status == 2
    assert HOTEL not in after.out + after.err
    assert "(erased)" in fairlead("runs").out
    assert "kim" not in fairlead("runs").out
    assert fairlead("audit", "verify").status == 0


def test_nobody_is_erased_without_a_yes(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    assert "would erase" in fairlead("data", "erase", "kim", "--dry-run").err
    said = fairlead("data", "erase", "kim")
    assert said.status == 2
    assert "--yes" in said.err
    assert HOTEL in fairlead("trace", "--payload").out


def test_keys_that_still_carry_the_name_are_told(acme: Path, fairlead: Fairlead) -> None:
    fairlead("key", "add", "app", "--person", "kim")
    said = fairlead("data", "erase", "kim", "--yes")
    assert said.status == 0
    assert "nothing was sealed for kim" in said.err
    assert "app (fairlead key revoke NAME)" in said.err
