"""What a workspace has that its workflows may name, as far as checking them needs it."""

import ast
import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.workflows.definition import Definition
from fairlead.workflows.nodes import Schema

Path = tuple[str | int, ...]
FIT_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
"""What a workflow may be called."""


class Fault(Struct, frozen=True, kw_only=True):
    """Something wrong with a definition, at a path of its text; or, with `remark`, something that may be meant."""

    path: Path
    message: str
    mend: str = ""
    remark: bool = False


class KnownTool(Struct, frozen=True, kw_only=True):
    """A tool that is in force. `asks` are the roles that its card may ask to approve a call."""

    input: Schema
    output: Schema | None = None
    writes: bool = True
    asks: frozenset[str] = frozenset()


class KnownFunction(Struct, frozen=True):
    """A function of a python file: what it must be given, and what it may be. `anything` for `**arguments`."""

    needs: frozenset[str]
    takes: frozenset[str]
    anything: bool = False


class Known(Struct, frozen=True, kw_only=True):
    """Names by kind. `opening` are systems of which no tool is accepted yet, so that theirs cannot be told wrong.

    `roles` are those that the workspace itself says somebody has.
    """

    tasks: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    tools: Mapping[str, KnownTool] = {}
    opening: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    workflows: Mapping[str, Definition] = {}
    functions: Mapping[str, Mapping[str, KnownFunction]] = {}


def functions_in(source: str, file: str) -> dict[str, KnownFunction]:
    """The functions that a python file defines at its top, read and not executed. Raises `BadInput` naming the line."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None) or 1
        raise BadInput(f"{file}:{line}: not Python: {getattr(error, 'msg', error)}", mend="mend the line") from None
    return {
        each.name: _function(each) for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _function(found: ast.FunctionDef | ast.AsyncFunctionDef) -> KnownFunction:
    given = found.args
    plain = [each for each in (*given.args, *given.kwonlyargs) if not _is_caller(each)]
    optional = set[str]()
    optional.update(each.arg for each in given.args[len(given.args) - len(given.defaults) :] if given.defaults)
    optional.update(each.arg for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True) if default)
    names = frozenset(each.arg for each in plain)
    return KnownFunction(names - optional, names, given.kwarg is not None)


def _is_caller(parameter: ast.arg) -> bool:
    """Whether it gets who began the run, and is no argument: a hint `Person`, of `fairlead.tools`."""
    hint = parameter.annotation
    return isinstance(hint, ast.Name | ast.Attribute) and getattr(hint, "attr", getattr(hint, "id", "")) == "Person"
