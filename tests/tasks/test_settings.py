"""Task types as a workspace writes them: what compiles, and what is refused with its key."""

import msgspec
import pytest

from fairlead.errors import BadInput
from fairlead.tasks import TaskSettings, compile_tasks


def test_a_file_becomes_a_type_under_its_name() -> None:
    made = msgspec.convert(
        {
            "description": "Questions on bills.",
            "examples": ["Why was I charged?"],
            "prefer": ["small"],
            "context": 1500,
            "grounded": True,
            "max_output": 300,
            "deadline": 20,
            "instructions": "Cite.",
        },
        TaskSettings,
    )
    (made_type,) = compile_tasks({"billing": made}).types.values()
    written = msgspec.structs.asdict(made)
    assert written.pop("tier") == "", "one tier in short"
    assert msgspec.structs.asdict(made_type) == written | {"name": "billing"}


@pytest.mark.parametrize("name", ["auto", "", "Billing", "1st", "a b", "a/b", "a" * 64, "größe"])
def test_an_unfit_name_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="no fit name"):
        compile_tasks({name: TaskSettings()})


def test_grounded_without_context_is_refused() -> None:
    with pytest.raises(BadInput, match=r"billing\.grounded needs billing\.context"):
        compile_tasks({"billing": TaskSettings(grounded=True)})


def test_an_unknown_default_is_refused() -> None:
    with pytest.raises(BadInput, match=r"defaults\.task: there is no task type 'desk'"):
        compile_tasks({"billing": TaskSettings()}, default="desk")


@pytest.mark.parametrize("example", ["", "  ", "?!"])
def test_an_empty_example_is_refused(example: str) -> None:
    with pytest.raises(BadInput, match=r"billing\.examples\[1\] holds no word"):
        compile_tasks({"billing": TaskSettings(examples=("Why?", example))})


def test_one_example_of_two_types_is_refused() -> None:
    with pytest.raises(BadInput, match=r"b\.examples\[0\] is also an example of 'a'"):
        compile_tasks({"a": TaskSettings(examples=("Why  me?",)), "b": TaskSettings(examples=("why me?",))})


@pytest.mark.parametrize("changes", [{"context": -1}, {"max_output": 0}, {"deadline": 0}, {"schema": {}}])
def test_what_a_file_cannot_say_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(changes, TaskSettings)
