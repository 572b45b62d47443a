"""What may go back and forth between a system and the caller's own program while a call is under way: how far it is,
what the system notes of its work, and what it asks before it goes on.

Nothing of it passes unless the system's settings say so, and everything that passes is screened as results are.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

from msgspec import Struct

Passing = Literal["questions", "progress", "logs"]

ASKED_BY: Final[Mapping[str, str]] = {
    "elicitation/create": "elicitation",
    "sampling/createMessage": "sampling",
    "roots/list": "roots",
}
"""Which ability of the caller's program each kind of question needs."""


class Notice(Struct, frozen=True, kw_only=True):
    """Something that is told while a call is under way: "progress" or "log", with what the protocol says of it."""

    kind: Literal["progress", "log"]
    told: Mapping[str, Any]


class Questions(Struct, frozen=True, kw_only=True):
    """What a system asks in place of a result, by names of its own, and what it wants to hear with the answers."""

    asked: Mapping[str, Any]
    state: str | None = None


Tell = Callable[[Notice], Awaitable[None]]
Ask = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Asks the caller's program one question in the midst of a call: the method and what it is about. Gives the answer.
Raises `FairleadError` where there will be none."""


class Talk(Struct, frozen=True, kw_only=True):
    """What the caller's program offers for the time of one call. `abilities` are those that it declared.

    `ask` is None where it takes questions only in place of a result; it then calls again with `answers` and `state`.
    `log` is the least grave note that it wants to hear, "" for none.
    """

    abilities: Mapping[str, Any] = {}
    answers: Mapping[str, Any] = {}
    state: str | None = None
    progress: bool = False
    log: str = ""
    tell: Tell | None = None
    ask: Ask | None = None

    @property
    def is_again(self) -> bool:
        """Whether the call brings answers to what was asked in place of a result before."""
        return bool(self.answers) or self.state is not None
