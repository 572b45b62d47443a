"""Whether an agent goes in circles: it calls the same tool with the same arguments, and gets the same."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from fairlead.workflows.walk import Place, StepFailed

_SAME: Final = 3  # times that the same call may give the same, one after the other
_TOLD: Final = 2  # turns in which the agent is told so
_canonical: Final = msgspec.json.Encoder(order="sorted").encode


class Repeats:
    """What one agent has called. It follows from results that are kept, so every walk comes to the same."""

    def __init__(self) -> None:
        self._gave: dict[tuple[str, bytes], tuple[str, int]] = {}
        self._told: dict[tuple[str, bytes], set[tuple[str | int, ...]]] = {}

    def gave(self, tool: str, arguments: Mapping[str, Any], text: str) -> None:
        """Note what a call gave."""
        key = (tool, _canonical(arguments))
        before, times = self._gave.get(key, ("", 0))
        self._gave[key] = (text, times + 1 if text == before else 1)

    def refused(self, at: Place, tool: str, arguments: Mapping[str, Any]) -> str | None:
        """What the agent is told in place of a call that gave the same often enough. Raises `StepFailed` where it was
        told before and asks for it all the same."""
        key = (tool, _canonical(arguments))
        _, times = self._gave.get(key, ("", 0))
        if times < _SAME:
            return None
        turns = self._told.setdefault(key, set())
        turns.add(at.path[:-1])
        if len(turns) > _TOLD:
            raise StepFailed(
                "unfinished",
                f"the agent calls {tool} with the same arguments again and again",
                at=at.text,
                code="no_progress",
                why=f"it gave the same {times} times, and the agent was told so",
                mend="say in its goal when it is done, or give it the tool that it lacks",
            )
        return (
            f"Not called: {tool} gave the same {times} times with these arguments, and would again. Do something else, "
            "or say what you have."
        )
