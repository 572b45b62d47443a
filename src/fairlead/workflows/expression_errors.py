"""What is wrong with an expression, in words of ours."""

import re
from collections.abc import Iterable
from typing import Final

from fairlead.errors import BadInput, closest

_COMPARING: Final = tuple(f"`{operator}`" for operator in ("==", "!=", "<", "<=", ">", ">=", "@in"))


_WHERE: Final = re.compile(r"<input>:(\d+):(\d+): (.*)")


_OVERLOAD: Final = re.compile(
    r"no matching overloads?(?: found)? (?:for|:) '?([^ '(]+)'?(?: applied to )?'?\((.*?)\)", re.I
)


class BadExpression(BadInput):
    """An expression of a workflow cannot be compiled, or not be evaluated with the values that it was given.

    The message shows the expression. Expressions are of the Common Expression Language: a key that may be missing is
    tested with `has(...)`, and whole numbers and decimals mix only by `double(...)`.
    """

    code = "bad_expression"

    def __init__(
        self, said: str, expression: str, *, mend: str = "", line: int = 1, column: int = 1, compares: bool = False
    ) -> None:
        shown = expression if len(expression) <= 200 else expression[:200] + "…"
        super().__init__(f"{said}: {shown}", why="", mend=mend)
        self.said = said
        self.expression = expression
        self.line = line
        self.column = column
        self.compares = compares


def not_compiled(said: str, text: str, known: Iterable[str]) -> BadExpression:
    """What the compiler says, in words of ours."""
    found = _WHERE.search(said)
    line, column = (int(found[1]), int(found[2])) if found else (1, 1)
    first = found[3] if found else said.partition("\n")[0]
    if name := re.search(r"undeclared reference to '([^']*)'", first):
        return BadExpression(
            f"there is no `{name[1]}` here", text, mend=closest(name[1], known), line=line, column=column
        )
    if mixed := _mixed(first):
        compares = mixed[0].startswith(_COMPARING) and "int" in mixed[0] and "double" in mixed[0]
        return BadExpression(mixed[0], text, mend=mixed[1], line=line, column=column, compares=compares)
    if "Syntax error" in first:
        unexpected = re.search(r"(?:mismatched|extraneous) input '([^']*)'|at: '([^']*)'", first)
        word = (unexpected[1] or unexpected[2] or "") if unexpected else ""
        said = (
            "it ends too early" if word == "<EOF>" else f"`{word}` is not expected here" if word else "it is malformed"
        )
        mend = "texts stand in quotes; `==`, `&&`, `||`, `!` compare and join"
        return BadExpression(said, text, mend=mend, line=line, column=column)
    if "recursion" in said:
        return BadExpression("nested too deeply", text, mend="use several steps")
    return BadExpression(first.removesuffix("[INVALID_ARGUMENT]").strip(), text, line=line, column=column)


def _mixed(said: str) -> tuple[str, str] | None:
    """An operator or function that does not take what it was given."""
    found = _OVERLOAD.search(said)
    if not found:
        return None
    operator, kinds = found[1].strip("_"), [kind.strip() for kind in found[2].split(",")]
    names = {"int64": "int", "uint64": "uint"}
    plain = [names.get(kind, kind) for kind in kinds]
    what = f"`{operator}` does not take {' and '.join(plain)}"
    if {"int", "double"} <= set(plain):
        return what, "whole numbers and decimals do not mix: write 2.0 for 2, or double(x)"
    if "null" in plain or "null_type" in plain:
        return what, "a value is null: test it, as in `x != null && x > 1`"
    if "string" in plain:
        return what, "text and other things do not mix: string(x), int(x), double(x)"
    return what, "bring both to one type: int(x), double(x), string(x)"


def not_evaluated(said: str, text: str) -> BadExpression:
    """What went wrong at evaluation, in words of ours."""
    if key := re.search(r'Key not found in map : "?(.*?)"?$', said):
        return BadExpression(f"there is no `{key[1]}`", text, mend=f"test it before: has(….{key[1]}) ? … : …")
    if mixed := _mixed(said):
        return BadExpression(mixed[0], text, mend=mixed[1])
    for sign, told, mend in _TOLD:
        if sign in said:
            return BadExpression(told, text, mend=mend)
    return BadExpression(said.partition(": ")[2].removesuffix("]").partition(" [")[0] or said, text)


_TOLD: Final = (
    ("divide by zero", "it divides by zero", "test the divisor before: x == 0 ? … : …"),
    ("modulus by zero", "it divides by zero", "test the divisor before: x == 0 ? … : …"),
    ("Index error", "the list has no such item", "test its length before: size(x) > 0 ? x[0] : …"),
    ("iter_range", "what it goes through is no list", "give it a list, or a mapping"),
    ("overflow", "a whole number grows beyond 2^63", "use double(x)"),
    ("out of range", "a number is beyond what can be reckoned with", "use text for it, or double(x)"),
    ("Iteration budget", "it goes through more than 10,000 items", "use a `map` step, or a python function"),
    ("non-message type", "a value that is text, a number or null has no keys", "test it before: has(x.y) ? … : …"),
    ("No value with name", "a name that it uses has no value here", "see which names there are at this place"),
    ("regular expression", "the regular expression is malformed or too large", "its syntax is that of RE2"),
)
