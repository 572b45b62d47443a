"""Workflows written as Python: `from fairlead.workflows.building import workflow, model, approval, …`.

A function with `@workflow` in a file below `workflows/` says the same as a YAML file of its name, and gets the same
checks. It is **read, not run**: each statement is a step, and all values stand in it as they are. So a workspace is
checked, published and compiled on every host without executing anything, and always means the same. What these names do
when the file is executed for its `python` steps is nothing.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Final


class Step:
    """What a step's name stands for. `with` holds the steps within it."""

    def __enter__(self) -> "Step":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None


class Written:
    """What stands where a workflow was written. It is begun by its name, not called."""

    def __init__(self, name: str) -> None:
        self.name = name


_STEP: Final = Step()


def workflow(**settings: Any) -> Callable[[Callable[[], object]], Written]:
    """The function below is a workflow of its name. `settings` are the keys of the file, such as `input` and `timeout`;
    the docstring is its description, and what the function returns its output."""
    return lambda function: Written(function.__name__)


def model(*, prompt: str, **settings: Any) -> Step:
    """One question to a model."""
    return _STEP


def agent(*, goal: str, at_most: int, **settings: Any) -> Step:
    """A model that calls tools, turn by turn."""
    return _STEP


def tool(*, call: str, **settings: Any) -> Step:
    """One call of a tool: `system.tool`."""
    return _STEP


def python(*, function: str | Callable[..., Any], **settings: Any) -> Step:
    """A function of this file, or `module:function` of another below `workflows/`."""
    return _STEP


def subflow(*, workflow: str, **settings: Any) -> Step:
    """Another workflow, as a part of this one."""
    return _STEP


def approval(*, role: str, ask: str, **settings: Any) -> Step:
    """A question to people."""
    return _STEP


def wait(**settings: Any) -> Step:
    """Wait for a time (`for_`, `until`) or a `signal`."""
    return _STEP


def transform(value: Any, **settings: Any) -> Step:
    """Data made of earlier data."""
    return _STEP


def map_(*, over: str, at_most: int, **settings: Any) -> Step:
    """`with map_(…) as NAME:` the steps below for each item of a list."""
    return _STEP


def loop(*, until: str, at_most: int, **settings: Any) -> Step:
    """`with loop(…) as NAME:` the steps below again and again."""
    return _STEP


def parallel(**settings: Any) -> Step:
    """`with parallel() as NAME:` holds `with branch("…"):`, which go side by side."""
    return _STEP


def branch(name: str) -> Step:
    """One branch of `parallel`."""
    return _STEP


def switch(**settings: Any) -> Step:
    """`with switch() as NAME:` holds `with case("…"):` and at last `with otherwise():`."""
    return _STEP


def case(when: str) -> Step:
    """The steps where this is the first that holds."""
    return _STEP


def otherwise() -> Step:
    """The steps where no case holds."""
    return _STEP
