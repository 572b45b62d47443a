"""How large may be what a run makes. Whoever walks it has all of it in memory, and other runs beside it."""

from typing import Any, Final

from fairlead.workflows.expression_size import size_of_value, values_in
from fairlead.workflows.walk import StepFailed, StepResult

LONGEST_RESULT: Final = 8 << 20
"""Bytes of what one step gives."""

MOST_VALUES: Final = 200_000
"""Values in what one step reckons. A list that holds another twice costs as much as two, however few bytes it has."""

MOST_GATHERED: Final = 64 << 20
"""Bytes of what a `map` or a `parallel` gathers of its items or branches."""

MOST_KEPT: Final = 256 << 20
"""Bytes of all that the steps of one run give, together."""


def require_room(value: Any) -> None:
    """Raises `StepFailed` for what no step may give. What an effect gave is measured as it is kept; this is for what
    was only reckoned, which a loop can double in every turn."""
    if values_in(value, MOST_VALUES + 1) > MOST_VALUES:
        raise StepFailed(
            "error",
            f"it gives more than {MOST_VALUES:,} values, those within others counted each",
            code="too_large",
            mend="give less at a time: a `map` step, or a python function that keeps the data where steps can read it",
        )
    size = size_of_value(value)
    if size > LONGEST_RESULT:
        raise too_large(size)


class Gathering:
    """What is gathered item by item."""

    def __init__(self) -> None:
        self._size = 0

    def took(self, result: StepResult) -> StepResult:
        """The result that was taken in. Raises `StepFailed` once it is too much."""
        self._size += size_of_value(result.value)
        if self._size > MOST_GATHERED:
            raise StepFailed(
                "error",
                f"what its items give has more than {MOST_GATHERED:,} bytes",
                code="too_large",
                mend="have each give less: say what by `gives`, and keep the data where steps can read it",
            )
        return result


def too_large(size: int, at: str = "", *, run: str = "", in_doubt: bool = False) -> StepFailed:
    """The failure of a step that gives so many bytes."""
    return StepFailed(
        "error",
        f"it gives {size:,} bytes, and at most {LONGEST_RESULT:,} are kept",
        at=at,
        code="too_large",
        mend="keep the data where steps can read it, and give its address",
        run=run,
        in_doubt=in_doubt,
    )


def run_too_large(at: str, *, run: str, in_doubt: bool) -> StepFailed:
    """The failure of the step with which a run would keep more than it may."""
    return StepFailed(
        "error",
        f"with this, the steps of the run give more than {MOST_KEPT:,} bytes together",
        at=at,
        code="too_large",
        mend="begin several runs, or keep the data where steps can read it",
        run=run,
        in_doubt=in_doubt,
    )
