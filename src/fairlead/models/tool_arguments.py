"""Arguments of earlier tool calls, for wires that want them as an object and not as the text that a model wrote."""

from typing import Any

import msgspec

from fairlead.errors import Rejected
from fairlead.models.types import ModelCall


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
