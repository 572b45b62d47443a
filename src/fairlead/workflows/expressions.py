"""Expressions of workflows: the Common Expression Language, by its official library, compiled once and evaluated in
bounded time and space. Values go in and come out as JSON.
"""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final

from fairlead.errors import BadInput, closest
from fairlead.workflows.expression_size import grows, longest, mentions, most_work, size_of_value
from fairlead.workflows.expression_tree import MOST_DEPTH, Path, TooDeep, Tree, Use, tree_of, uses_of, variables_of

NAMES: Final = ("input", "steps", "item", "index", "previous", "run", "error", "value", "values", "text")
"""What expressions may speak of; which of them there are depends on where an expression stands."""

_COMPARING: Final = tuple(f"`{operator}`" for operator in ("==", "!=", "<", "<=", ">", ">=", "@in"))
MOST_TEXT: Final = 4000
MOST_WORK: Final = 32 << 20
FEW: Final = 8  # values of which a text or an expression may be made without reckoning what it comes to
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


@cache
def library() -> Any:
    """The library, imported when an expression is first compiled. Raises `BadInput` where it is not installed."""
    try:
        from cel_expr_python import cel
    except ImportError as error:
        raise BadInput(
            "workflows need the library for their expressions, which is not installed",
            why="it is part of the extra `workflows`",
            mend="pip install 'fairlead[workflows]'",
        ) from error
    return cel


@cache
def _extensions() -> tuple[Any, ...]:
    from cel_expr_python.ext import ext_math, ext_strings

    return ext_strings.ExtStrings(), ext_math.ExtMath()


@cache
def _functions() -> tuple[Any, ...]:
    """`sum(list)` and `round(number, digits)`: exact for decimals as people write them, which money needs."""
    cel = library()
    kind = cel.Type
    added = cel.Overload("sum_list", kind.DOUBLE, [kind.List(kind.DYN)], False, _sum)
    rounded = [
        cel.Overload(f"round_{name}", kind.DOUBLE, [given, kind.INT], False, _round)
        for name, given in (("double", kind.DOUBLE), ("int", kind.INT))
    ]
    return cel.FunctionDecl("sum", [added]), cel.FunctionDecl("round", rounded)


def _sum(values: Iterable[Any]) -> float:
    return float(sum((Decimal(repr(value)) for value in values), Decimal(0)))


def _round(value: float, digits: int) -> float:
    return float(round(Decimal(repr(value)), min(max(digits, 0), 12)))


def _environment(variables: Mapping[str, Any]) -> Any:
    return library().NewEnv(variables=variables, extensions=_extensions(), functions=_functions())


@cache
def _plain() -> Any:
    """The environment in which every name may be anything."""
    return _environment(dict.fromkeys(NAMES, library().Type.DYN))


class Expression:
    """A compiled expression. `uses` are the names that it speaks of."""

    def __init__(self, text: str) -> None:
        """Raises `BadExpression`."""
        self.text = text
        self.tree = _parsed(text)
        self.uses: tuple[Use, ...] = tuple(uses_of(self.tree))
        self._names = frozenset(use.path[0] for use in self.uses)
        self._grows = grows(self.tree) or mentions(self.tree) > FEW
        self._program = _compiled(_plain(), text, NAMES)

    @property
    def steps(self) -> frozenset[str]:
        """The steps that it speaks of."""
        return frozenset(use.path[1] for use in self.uses if use.path[0] == "steps" and len(use.path) > 1)

    def value(self, given: Mapping[str, Any]) -> Any:
        """What it comes to. `given` are the names that there are. Raises `BadExpression`."""
        data = {name: given[name] for name in self._names if name in given}
        if "steps" in data:
            data["steps"] = {id: data["steps"][id] for id in self.steps if id in data["steps"]}
        if self._grows:
            self._bounded(data)
        try:
            found = self._program.eval(data=data)
            failed = found.type() == library().Type.ERROR
            value = found.value() if failed else found.plain_value()
        except (RuntimeError, ValueError, TypeError, OverflowError) as error:
            raise _failed(str(error), self.text) from error
        if failed:
            raise _failed(str(value), self.text)
        return _as_json(value, self.text)

    def holds(self, given: Mapping[str, Any]) -> bool:
        """Whether it is true. Raises `BadExpression`, also where it is neither true nor false."""
        value = self.value(given)
        if not isinstance(value, bool):
            raise BadExpression(
                "a condition must be true or false, and this is neither",
                self.text,
                mend="compare it: `x == …`, `x > …`",
            )
        return value

    def _bounded(self, data: Mapping[str, Any]) -> None:
        sizes: dict[Path, int] = {}

        def size_of(path: Path) -> int:
            if path not in sizes:
                sizes[path] = size_of_value(_at(data, path))
            return sizes[path]

        items = max((longest(_at(data, use.path)) for use in self.uses), default=0)
        if most_work(self.tree, size_of, max(items, len(self.text))) > MOST_WORK:
            raise BadExpression(
                "it could make too much of what it is given",
                self.text,
                mend="take less at a time: a `map` step, or a python function",
            )


def type_problem(text: str, variables: Mapping[str, Any], wanted: str = "") -> BadExpression | None:
    """What is wrong with an expression where names have these types: those of the library, by dotted name. `wanted` is
    the type it must have: `bool` or `list`."""
    try:
        program = _compiled(_environment(variables), text, NAMES)
    except BadExpression as wrong:
        number, anything = (library().Type.DOUBLE, library().Type.INT), library().Type.DYN
        open_ones = {name: anything if kind in number else kind for name, kind in variables.items()}
        if wrong.compares and open_ones != variables:  # numbers of both kinds may be compared
            return type_problem(text, open_ones, wanted)
        return wrong
    kind = str(program.return_type()).lower().partition("<")[0]
    if wanted and kind not in (wanted, "dyn"):
        word, mend = _WANTED[wanted]
        return BadExpression(f"this must be {word}, and is {_SAID.get(kind, kind)}", text, mend=mend)
    return None


_WANTED: Final = {
    "bool": ("true or false", "compare it: `x == …`, `x > …`"),
    "list": ("a list", "name a list, such as steps.ID.value.lines"),
}
_SAID: Final = {"int": "a number", "double": "a number", "string": "text", "map": "a mapping", "bool": "true or false"}


def _at(data: Mapping[str, Any], path: Path) -> Any:
    value: Any = data
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _parsed(text: str) -> Tree:
    if len(text) > MOST_TEXT:
        raise BadExpression(
            f"an expression may have {MOST_TEXT} characters", text, mend="use a python function, or several steps"
        )
    try:
        tree = tree_of(_plain().compile(text, True).serialize())
    except RuntimeError as error:
        raise _wrong(str(error), text, NAMES) from error
    except (TooDeep, RecursionError) as error:
        raise BadExpression(f"nested more than {MOST_DEPTH} levels deep", text, mend="use several steps") from error
    for name in variables_of(tree):
        if name in NAMES:
            raise BadExpression(
                f"`{name}` has a meaning already", text, mend=f"name the variable otherwise: `{name[0]}`"
            )
    return tree


def _compiled(environment: Any, text: str, known: Iterable[str]) -> Any:
    try:
        return environment.compile(text, False)
    except RuntimeError as error:
        raise _wrong(str(error), text, known) from error


def _wrong(said: str, text: str, known: Iterable[str]) -> BadExpression:
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


def _failed(said: str, text: str) -> BadExpression:
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


def _as_json(value: Any, text: str) -> Any:
    """A value of the library as JSON. Times become text, as ISO 8601 has it; durations become seconds. The library
    hands out mappings in an order of chance: they are put in that of their keys, so that every walk says the same."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise BadExpression("it comes to no number", text, mend="test the divisor before: x == 0.0 ? … : …")
        return value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise BadExpression("the keys of a mapping must be text", text, mend="use string(x) for a key")
        return {key: _as_json(value[key], text) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_as_json(each, text) for each in value]
    raise BadExpression(f"it comes to {type(value).__name__}, which is no data", text, mend="use string(x)")
