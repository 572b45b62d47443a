"""Every error that can reach a person can be explained."""

import re
from pathlib import Path

import pytest
from tests.cli.conftest import Fairlead

import fairlead
from fairlead.cli.errors import exit_status
from fairlead.cli.explain import codes, meaning
from fairlead.errors import FairleadError, closest

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


def test_every_error_stands_in_the_tree_at_the_top_of_its_file() -> None:
    import fairlead.errors

    drawn = dict(re.findall(r"[├└]── (\w+) +([0-9]{3})  ", fairlead.errors.__doc__ or ""))
    assert drawn == {error.__name__: str(error.status) for error in codes().values()}


@pytest.mark.parametrize(
    ("word", "mend"),
    [
        ("larg", "did you mean `large`?"),
        ("x", "known here: `large`, `small`"),
        ("LARGE", "known here: `large`, `small`"),
    ],
)
def test_a_name_that_does_not_exist_is_mended_by_what_does(word: str, mend: str) -> None:
    assert closest(word, {"small": 1, "large": 2}) == mend
    assert closest(word, ()) == ""


def test_of_many_names_only_the_first_are_listed() -> None:
    mend = closest("zzz", (f"n{number:03d}" for number in range(500)))
    assert mend.startswith("known here: `n000`")
    assert mend.endswith("`n015`, …")
