"""Text with expressions in it: `"Compare ${input.a} with ${steps.b.text}"`. What is nothing but one keeps its type.

`$${` stands for `${`. Within an expression, braces and quotes are followed, so that `${ {"a": 1}.a }` ends at its end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from fairlead.workflows.expression_errors import BadExpression
from fairlead.workflows.expression_size import size_of_value
from fairlead.workflows.expressions import FEW, MOST_WORK, Expression

Compile = Callable[[str], Expression]


class Template:
    """JSON with text in which expressions stand, compiled."""

    def __init__(self, value: Any, compiled: Compile) -> None:
        """Raises `BadExpression`."""
        self._parts = _compiled(value, compiled)
        self.expressions = tuple(_expressions(self._parts))

    def filled(self, given: Mapping[str, Any]) -> Any:
        """The JSON with every expression's value in its place. Raises `BadExpression`."""
        if len(self.expressions) <= FEW:
            return _filled(self._parts, given)
        return _filled(self._parts, _Within(given))

    def making(self, path: Sequence[str | int]) -> tuple[Expression, ...]:
        """The expressions that make what stands at a path of the JSON; all below it where it is not one."""
        part = self._parts
        for key in path:
            if isinstance(part, dict):
                part = part.get(key)
            elif isinstance(part, list) and isinstance(key, int) and key < len(part):
                part = part[key]
            else:
                break
        return tuple(_expressions(part))

    def text(self, given: Mapping[str, Any]) -> str:
        """The same as text. Raises `BadExpression`."""
        return as_text(self.filled(given))


class _Within(dict[str, Any]):
    """What is given, and how much was made of it so far."""

    made = 0

    def take(self, value: Any, text: str) -> Any:
        """The value, taken in. Raises `BadExpression` once it is too much."""
        self.made += size_of_value(value)
        if self.made > MOST_WORK:
            mend = "take less at a time: a `map` step, or a python function"
            raise BadExpression("it makes too much of what it is given", text, mend=mend)
        return value


def as_text(value: Any) -> str:
    """A value as it stands in the middle of a text: text as it is, all else as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return msgspec.json.encode(value).decode()


def texts_in(value: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text within a JSON value, with its path."""
    if isinstance(value, str):
        yield (), value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from (((key, *path), text) for path, text in texts_in(each))
    elif isinstance(value, list | tuple):
        for number, each in enumerate(value):
            yield from (((number, *path), text) for path, text in texts_in(each))


def pieces_of(text: str) -> list[tuple[bool, str]]:
    """The pieces of a text: each an expression (true) or plain. Raises `BadExpression` where one does not end."""
    pieces: list[tuple[bool, str]] = []
    plain, at = "", 0
    while (start := text.find("${", at)) >= 0:
        if start > at and text[start - 1] == "$":
            plain, at = plain + text[at : start - 1] + "${", start + 2
            continue
        end = _end(text, start + 2)
        if plain := plain + text[at:start]:
            pieces.append((False, plain))
        pieces.append((True, text[start + 2 : end].strip()))
        plain, at = "", end + 1
    if plain := plain + text[at:]:
        pieces.append((False, plain))
    return pieces


def _end(text: str, at: int) -> int:
    """Where the expression that begins here ends: its closing brace."""
    start, depth, quote = at, 0, ""
    while at < len(text):
        letter = text[at]
        if quote:
            if letter == "\\":
                at += 1
            elif letter == quote:
                quote = ""
        elif letter in "'\"":
            quote = letter
        elif letter == "{":
            depth += 1
        elif letter == "}":
            if not depth:
                return at
            depth -= 1
        at += 1
    raise BadExpression(
        "an expression in a text does not end",
        text[start - 2 : start + 80],
        mend="close it with `}`, or write `$${` for `${`",
    )


def _compiled(value: Any, compiled: Compile) -> Any:
    if isinstance(value, str):
        if "${" not in value:
            return value
        made = tuple(compiled(piece) if is_one else piece for is_one, piece in pieces_of(value))
        return made[0] if len(made) == 1 else made
    if isinstance(value, Mapping):
        return {key: _compiled(each, compiled) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_compiled(each, compiled) for each in value]
    return value


def _expressions(part: Any) -> Iterator[Expression]:
    if isinstance(part, Expression):
        yield part
    elif isinstance(part, dict):
        for each in part.values():
            yield from _expressions(each)
    elif isinstance(part, list | tuple):
        for each in part:
            yield from _expressions(each)


def _filled(part: Any, given: Mapping[str, Any]) -> Any:
    if isinstance(part, Expression):
        value = part.value(given)
        return given.take(value, part.text) if isinstance(given, _Within) else value
    if isinstance(part, tuple):
        return "".join(as_text(_filled(each, given)) for each in part)
    if isinstance(part, dict):
        return {key: _filled(each, given) for key, each in part.items()}
    if isinstance(part, list):
        return [_filled(each, given) for each in part]
    return part
