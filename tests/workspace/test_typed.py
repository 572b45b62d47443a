"""Documents as settings: all problems, each at its line, in plain words."""

from typing import Annotated, Literal

import msgspec
import pytest

from fairlead.errors import BadInput
from fairlead.workspace.problems import Problem
from fairlead.workspace.typed import read
from fairlead.workspace.yaml_lines import Document, parse_yaml


class Remote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    context: Annotated[int, msgspec.Meta(ge=1)] | None = None
    where: Literal["device", "cloud"] = "cloud"
    tools: bool = True


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    redact: tuple[str, ...]
    target: str = msgspec.field(name="for", default="cloud")

    def __post_init__(self) -> None:
        if not self.redact:
            raise BadInput("`redact` names no category", mend="name at least one")


_Time = Annotated[str, msgspec.Meta(pattern="^[0-9]+[hd]$", examples=["4h", "7d"])]


class Top(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    organisation: str
    models: dict[str, str | Remote] = {}
    rules: tuple[Rule, ...] = ()
    budgets: dict[str, float] = {}
    within: Annotated[_Time | None, msgspec.Meta(description="How long.")] = None
    code: Annotated[str, msgspec.Meta(pattern="^[A-Z]+$", description="Capitals.")] = "A"


def reading(source: str) -> tuple[Top | None, list[Problem]]:
    document = parse_yaml("fairlead.yaml", source.encode())
    assert isinstance(document, Document)
    problems: list[Problem] = []
    return read(document, Top, problems), problems


def test_a_good_document_becomes_settings() -> None:
    top, problems = reading("organisation: a\nmodels:\n  x: y/z\n  w: {id: q}\nrules: [{redact: [a], for: device}]\n")
    assert problems == []
    assert top == Top("a", {"x": "y/z", "w": Remote("q")}, (Rule(("a",), "device"),))


def test_all_problems_are_found_each_at_its_line() -> None:
    top, problems = reading(
        "models:\n  x: 5\n  w: {id: q, contxt: 1}\n  v:\n    id: r\n    context: 0\n"
        "budget: {}\nrules:\n  - {redact: word}\n"
    )
    assert top is None
    assert [(problem.line, problem.message) for problem in sorted(problems, key=lambda found: found.line)] == [
        (1, "the file lacks `organisation`"),
        (2, "`models.x` must be text or a mapping, not 5"),
        (3, "unknown key `models.w.contxt`"),
        (6, "`models.v.context` must be a whole number >= 1, not 0"),
        (7, "unknown key `budget`"),
        (9, "`rules[0].redact` must be a list, not 'word'"),
    ]


@pytest.mark.parametrize(
    ("source", "mend"),
    [
        ("organisation: a\nbudget: {}\n", "did you mean `budgets`?"),
        ("organisation: a\nmodels: {x: {id: a, where: clod}}\n", "did you mean `cloud`?"),
        ("organisation: a\nmodels: {x: {id: a, tools: yes}}\n", "write `true` or `false`"),
        ("organisation: 5\n", "put it in quotes"),
        ("organisation: a\nrules: [{redact: []}]\n", "name at least one"),
        ("models: {}\n", "add `organisation:`"),
        ("organisation: a\ncode: no\n", "Capitals."),
    ],
)
def test_a_problem_tells_its_mend(source: str, mend: str) -> None:
    _, problems = reading(source)
    assert [problem.mend for problem in problems] == [mend]


def test_a_form_is_told_by_what_would_fit() -> None:
    _, problems = reading("organisation: a\nwithin: 3 weeks\nmodels: []\n")
    said = [problem.message for problem in problems]
    assert "`within` must be text such as `4h` or `7d`, not '3 weeks'" in said
    assert "`models` must be a mapping, not an empty list" in said


def test_a_document_that_is_no_mapping_is_one_problem() -> None:
    top, problems = reading("- a\n- b\n")
    assert top is None
    assert len(problems) == 1
    assert "must be a mapping" in problems[0].message
