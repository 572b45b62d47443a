"""Every error that can reach a person can be explained."""

import re
from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead

import fairlead
from fairlead.cli.errors import exit_status
from fairlead.cli.explain import codes, meaning
from fairlead.errors import FairleadError

SOURCE = Path(fairlead.__file__).parent


def test_every_code_in_the_source_can_be_explained() -> None:
    written = {
        code
        for path in SOURCE.rglob("*.py")
        for code in re.findall(r'^    code = "([a-z_]+)"$', path.read_text(), re.MULTILINE)
    }
    assert written == set(codes()), "name the module of the error in cli/explain.py"


@pytest.mark.parametrize("code", sorted(codes()))
def test_every_code_has_a_meaning(code: str, fairlead: Fairlead) -> None:
    said = fairlead("explain", code)
    assert said.status == 0
    assert said.out.strip() == meaning(codes()[code])
    assert len(said.out) > 20


def test_without_a_code_all_are_listed(fairlead: Fairlead) -> None:
    said = fairlead("explain", "--json")
    assert {each["code"] for each in said.json} == set(codes())
    assert all(code in fairlead("explain").out for code in codes())


def test_a_code_can_be_pasted_with_its_brackets(fairlead: Fairlead) -> None:
    assert fairlead("explain", "[over_budget]").out == fairlead("explain", "over_budget").out


def test_a_mistyped_code_is_answered_with_the_likely_one(fairlead: Fairlead) -> None:
    said = fairlead("explain", "over_budgt")
    assert said.status == 2
    assert "did you mean `over_budget`?" in said.err


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("denied", 1),
        ("over_budget", 1),
        ("unauthenticated", 1),
        ("invalid_workspace", 1),
        ("bad_input", 2),
        ("not_found", 2),
        ("upstream", 3),
        ("no_server", 3),
        ("broken", 70),
    ],
)
def test_scripts_can_tell_errors_apart(code: str, status: int) -> None:
    error = FairleadError.__new__(codes()[code])
    assert exit_status(error) == status
