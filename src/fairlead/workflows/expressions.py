"""Expressions of workflows: the Common Expression Language, by its official library, compiled once and evaluated in
bounded time and space. Values go in and come out as JSON.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final

import msgspec

from fairlead.errors import BadInput
from fairlead.workflows.expression_errors import BadExpression, not_compiled, not_evaluated
from fairlead.workflows.expression_size import grows, longest, mentions, most_work, size_of_value
from fairlead.workflows.expression_tree import MOST_DEPTH, Path, TooDeep, Tree, Use, tree_of, uses_of, variables_of

NAMES: Final = ("input", "steps", "item", "index", "previous", "run", "error", "value", "values", "text")
"""What expressions may speak of; which of them there are depends on where an expression stands."""

MOST_TEXT: Final = 4000
_NUL: Final = rb"\u0000"  # as JSON has it
_encode: Final = msgspec.json.Encoder().encode
MOST_WORK: Final = 32 << 20
MOST_VALUES: Final = 500_000
"""How many values an expression may be given: the library takes some three microseconds for each, and nothing else is
walked meanwhile."""
FEW: Final = 8  # values of which a text or an expression may be made without reckoning what it comes to


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
            found = self._program.eval(data=_whole(data, self.text))
            failed = found.type() == library().Type.ERROR
            value = found.value() if failed else found.plain_value()
        except (RuntimeError, ValueError, TypeError, OverflowError) as error:
            raise not_evaluated(str(error), self.text) from error
        if failed:
            raise not_evaluated(str(value), self.text)
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


def type_problem(text: str, variables: Mapping[str, Any], wanted: str) -> BadExpression | None:
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


def _whole(data: dict[str, Any], text: str) -> dict[str, Any]:
    """The values as the library can have all of them: it ends a text at a NUL, so that a rule would look at less than
    what goes on. In its place stands the mark for what cannot be shown (U+FFFD). Raises `BadExpression` for too many.
    """
    encoded = _encode(data)
    if encoded.count(b",") > MOST_VALUES and _has_many(data):  # commas of texts are no values
        raise BadExpression(
            f"it is given more than {MOST_VALUES:,} values",
            text,
            mend="give the run less: the address of the data, and a tool or a python function that reads it",
        )
    return _without_nul(data) if _NUL in encoded else data


def _has_many(data: Any) -> bool:
    """Whether there are more values in it than an expression may be given."""
    count, left = 0, [data]
    while left:
        each = left.pop()
        if isinstance(each, Mapping):
            count += len(each)
            left.extend(each.values())
        elif isinstance(each, list | tuple):
            count += len(each)
            left.extend(each)
        if count > MOST_VALUES:
            return True
    return False


def _without_nul(value: Any) -> Any:
    """JSON with U+FFFD in the place of each NUL."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, Mapping):
        return {_without_nul(key): _without_nul(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nul(each) for each in value]
    return value


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
        raise not_compiled(str(error), text, NAMES) from error
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
        raise not_compiled(str(error), text, known) from error


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
