"""What a person asks: the last thing they said. As it is served, and as a door's body was kept.

What is learnt from must be what was seen when it was served, so both readers stand here, and a test holds that they
agree about whatever the doors take.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fairlead.models.message_text import text_of
from fairlead.models.types import ChatRequest

_TEXTS: Final = ("text", "input_text", "output_text")
_ROLES: Final = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_RESULT: Final = "tool_result"
_EARLIER: Final = 4


def last_question(request: ChatRequest) -> str:
    """The text of the last user message, "" if there is none."""
    for message in reversed(request.messages):
        if message.role == "user":
            return text_of(message)
    return ""


def earlier_questions(request: ChatRequest) -> list[str]:
    """The texts of the last user messages before the last one, the latest first."""
    said: list[str] = []
    for message in reversed(request.messages):
        if message.role == "user":
            said.append(text_of(message))
            if len(said) > _EARLIER:
                break
    return said[1:]


def kept_question(body: Mapping[str, Any]) -> str:
    """As `last_question`, of a decoded body that a door once took. What was remembered elsewhere is not in it: a
    request that says nothing of its own asks nothing here."""
    said = body.get("messages") or body.get("input") or body.get("prompt")
    if isinstance(said, str):
        return said
    for turn in reversed(said if isinstance(said, list) else []):
        if isinstance(turn, str):
            return turn
        if isinstance(turn, dict) and turn.get("role") == "user":
            content = turn.get("content")
            parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
            if parts and all(part.get("type") == _RESULT for part in parts):
                continue  # a turn of results is the tools', not the person's
            return _text(content)
    return ""


def kept_messages(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The texts of a decoded body that a door once took, each with who said it: `system`, `user` or `assistant`. What
    was called and what tools gave is left out, as is what was remembered elsewhere."""
    instructions = body.get("system") or body.get("instructions")
    found = [("system", _text(instructions))] if instructions else []
    said = body.get("messages") or body.get("input") or body.get("prompt")
    for turn in [said] if isinstance(said, str) else said if isinstance(said, list) else []:
        if isinstance(turn, str):
            found.append(("user", turn))
        elif isinstance(turn, dict) and (role := _ROLES.get(str(turn.get("role")))):
            found.append((role, _text(turn.get("content"))))
    return [each for each in found if each[1]]


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return "".join(_texts(parts))


def _texts(parts: list[dict[str, Any]]) -> Iterator[str]:
    for part in parts:
        source = part.get("source")
        if part.get("type") in _TEXTS:
            yield str(part.get("text", ""))
        elif part.get("type") == "document" and isinstance(source, dict) and source.get("type") == "text":
            yield str(source.get("data", ""))
