"""Tool calls on other wires than chat completions: arguments as an object and as text, and ids that all take."""

import re
from typing import Any, Final

import msgspec

from fairlead.errors import Rejected
from fairlead.models.types import ModelCall

_NOT_IN_AN_ID: Final = re.compile(r"[^A-Za-z0-9_-]")


def arguments_of(name: str, arguments: str, call: ModelCall) -> dict[str, Any]:
    """A tool call's arguments as an object, for wires that want them so. Raises `Rejected` if they are none."""
    try:
        found = msgspec.json.decode(arguments or "{}")
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        return found
    raise Rejected(
        f"the arguments of an earlier call of {name} are not a JSON object",
        why=f"model {call.model.name} takes no others",
        mend="leave that turn out of the messages, or mend its arguments",
        subject=call.model.name,
        retryable=False,
    )


def compact(arguments: msgspec.Raw) -> str:
    """The arguments of a call that came as an object, as the text that they are here."""
    return msgspec.json.format(arguments, indent=-1).decode() if arguments else "{}"


def plain_id(id_: str) -> str:
    """The id of another vendor's call, in the characters that every wire takes."""
    return _NOT_IN_AN_ID.sub("_", id_)
