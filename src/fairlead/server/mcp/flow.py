"""To which flow a call belongs, and what the person has said since: `_meta` of a call, in keys of ours.

A call that names no flow there, nor by a header, belongs to the one flow that an agent has for a person. The protocol's
session names none: it says what a program can do, and revisions without one would behave otherwise.
"""

from collections.abc import Mapping
from typing import Final

from fairlead.costs.told import Arrival
from fairlead.errors import BadInput
from fairlead.execution.tool_asking import ToolRequest
from fairlead.server.door import fit_name
from fairlead.server.mcp.message import INVALID_PARAMS, Message, Unanswerable

FLOW: Final = "fairlead/flow"
SAID: Final = "fairlead/said"
_MOST: Final = 32  # texts at once


def of_flow(message: Message, arrival: Arrival, session: str) -> ToolRequest:
    """The request as far as `_meta` makes it; `session` is the protocol's own. Raises `Unanswerable`."""
    meta, otherwise = message.params.get("_meta"), arrival.flow or session
    if not isinstance(meta, Mapping):
        return ToolRequest(name="", arguments={}, flow=otherwise)
    return ToolRequest(name="", arguments={}, flow=_name(meta) or otherwise, said=_said(meta))


def _name(meta: Mapping[str, object]) -> str:
    given = meta.get(FLOW, "")
    try:
        return "" if given == "" else fit_name(given if isinstance(given, str) else "", f"_meta {FLOW}")
    except BadInput as error:
        raise Unanswerable(INVALID_PARAMS, f"{error.message}: {error.why}") from None


def _said(meta: Mapping[str, object]) -> tuple[str, ...]:
    given = meta.get(SAID, ())
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list | tuple) or len(texts) > _MOST:
        raise Unanswerable(INVALID_PARAMS, f"_meta {SAID} must be a text, or a list of at most {_MOST}")
    said = tuple(each for each in texts if isinstance(each, str))
    if len(said) < len(texts):
        raise Unanswerable(INVALID_PARAMS, f"_meta {SAID} must be a text, or a list of texts")
    return said
