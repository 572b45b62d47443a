"""Workflows that are written as Python (`workflows/building.py`), read as the data that YAML would say, each value with
its line. Nothing of the file is executed."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from fairlead.workflows.definition import KINDS, Step
from fairlead.workspace.problems import Problem
from fairlead.workspace.yaml_lines import MOST_BYTES, MOST_DEPTH, MOST_VALUES, Document, Node

_DECORATOR: Final = "workflow"
_OF_STEP: Final = {each.encode_name for each in msgspec.structs.fields(Step)} - {*KINDS, "id"}
_HOLDS: Final = {"map_": "map", "loop": "loop", "parallel": "parallel", "switch": "switch"}


class _Wrong(Exception):
    def __init__(self, at: ast.AST, message: str, mend: str) -> None:
        super().__init__(message)
        self.at = at
        self.mend = mend


def written_in(file: str, source: str) -> Iterator[tuple[str, Document | Problem]]:
    """The workflows of a Python file by name, or what is wrong with one. A file that is no Python has none: that is
    told where its functions are read."""
    if f"@{_DECORATOR}" not in source and f".{_DECORATOR}" not in source:
        return
    if len(source) > MOST_BYTES:
        yield file, Problem(file=file, message=f"larger than {MOST_BYTES} bytes", mend="split it into several files")
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last: a stack of the parser's own
        return
    constants = {
        target.id: each.value
        for each in tree.body
        if isinstance(each, ast.Assign)
        for target in each.targets
        if isinstance(target, ast.Name)
    }
    module = file.rpartition("/")[2].removesuffix(".py")
    for each in tree.body:
        if isinstance(each, ast.FunctionDef) and (settings := _settings(each)) is not None:
            try:
                yield each.name, Document(file, _Reading(module, constants).definition(each, settings))
            except _Wrong as wrong:
                line, column = _place(wrong.at)
                yield each.name, Problem(file=file, line=line, column=column, message=str(wrong), mend=wrong.mend)


def _settings(function: ast.FunctionDef) -> Sequence[ast.keyword] | None:
    """What its decorator says, None where it has none of ours."""
    for each in function.decorator_list:
        if isinstance(each, ast.Call) and _named(each.func) == _DECORATOR:
            return each.keywords
        if _named(each) == _DECORATOR:
            return ()
    return None


class _Reading:
    def __init__(self, module: str, constants: Mapping[str, ast.expr]) -> None:
        self._module = module
        self._constants = constants
        self._values = 0

    def definition(self, function: ast.FunctionDef, settings: Sequence[ast.keyword]) -> Node:
        found = self._keywords(settings)
        body = list(function.body)
        if (said := ast.get_docstring(function)) is not None:
            found.setdefault("description", _leaf(body.pop(0), said))
        if body and isinstance(last := body[-1], ast.Return) and last.value is not None:
            found["output"] = self._value(last.value)
            body.pop()
        found["steps"] = self._steps(body, function)
        return _mapping(function, found)

    def _steps(self, body: Sequence[ast.stmt], within: ast.AST) -> Node:
        return _sequence(within, [self._step(each) for each in body])

    def _step(self, at: ast.stmt) -> Node:
        target: ast.AST
        if isinstance(at, ast.Assign) and len(at.targets) == 1 and isinstance(at.value, ast.Call):
            target, call = at.targets[0], at.value
            kind, block = _named(call.func), None
        elif isinstance(at, ast.With) and len(at.items) == 1 and isinstance(at.items[0].context_expr, ast.Call):
            item = at.items[0]
            target, call = item.optional_vars or at, at.items[0].context_expr
            kind, block = _HOLDS.get(_named(call.func), ""), at
        else:
            raise _Wrong(at, "a workflow's function is read, not run: this is no step", "NAME = model(prompt=…)")
        if not isinstance(target, ast.Name):
            raise _Wrong(at, "the step has no name", "NAME = … , or with … as NAME:")
        if kind not in KINDS or (block is None and kind in _HOLDS.values()):
            raise _Wrong(call, f"`{_named(call.func)}` is no kind of step", "see fairlead.workflows.building")
        given = self._keywords(call.keywords)
        found = {"id": _leaf(target, target.id), **{key: each for key, each in given.items() if key in _OF_STEP}}
        inner = {key: each for key, each in given.items() if key not in _OF_STEP}
        if kind == "transform":
            if len(call.args) != 1 or inner:
                raise _Wrong(call, "`transform` takes one value", 'NAME = transform({"key": "${steps.ID.value}"})')
            found[kind] = self._value(call.args[0])
            return _mapping(at, found)
        if call.args:
            raise _Wrong(call, f"`{kind}` takes its settings by name", f"{kind}(name=value)")
        if block is not None:
            inner |= self._within(kind, block)
        found[kind] = _mapping(call, inner)
        return _mapping(at, found)

    def _within(self, kind: str, block: ast.With) -> dict[str, Node]:
        """The lists of steps that a step holds."""
        if kind in ("map", "loop"):
            return {"steps": self._steps(block.body, block)}
        if kind == "parallel":
            branches = {self._word(call): self._steps(each.body, each) for _, call, each in _parts(block, "branch")}
            return {"branches": _mapping(block, branches)}
        found: dict[str, Node] = {}
        cases = []
        for name, call, each in _parts(block, "case", "otherwise"):
            steps = self._steps(each.body, each)
            if name == "case":
                cases.append(_mapping(each, {"when": self._value(_only(call)), "steps": steps}))
            else:
                found["otherwise"] = steps
        return {"cases": _sequence(block, cases), **found}

    def _word(self, call: ast.Call) -> str:
        return str(self._value(_only(call)).data)

    def _keywords(self, given: Sequence[ast.keyword], depth: int = 0) -> dict[str, Node]:
        found = {}
        for each in given:
            if each.arg is None:
                raise _Wrong(each, "`**` cannot be read without running it", "write the settings out")
            name = each.arg.removesuffix("_")
            if name == "function" and isinstance(each.value, ast.Name):
                found[name] = _leaf(each.value, f"{self._module}:{each.value.id}")
            elif name == "after" and isinstance(each.value, ast.List | ast.Tuple):
                steps = [
                    _leaf(one, one.id) if isinstance(one, ast.Name) else self._value(one, depth)
                    for one in each.value.elts
                ]
                found[name] = _sequence(each.value, steps)
            else:
                found[name] = self._value(each.value, depth)
        return found

    def _value(self, at: ast.expr, depth: int = 0) -> Node:
        if depth > MOST_DEPTH:
            raise _Wrong(at, f"nested more than {MOST_DEPTH} levels deep", "make it flatter")
        self._values += 1
        if self._values > MOST_VALUES:
            raise _Wrong(at, f"more than {MOST_VALUES} values, counting what constants repeat", "say less")
        if isinstance(at, ast.Constant) and isinstance(at.value, str | int | float | bool | None):
            return _leaf(at, at.value)
        if isinstance(at, ast.UnaryOp) and isinstance(at.op, ast.USub) and isinstance(at.operand, ast.Constant):
            inner = at.operand.value
            if isinstance(inner, int | float):
                return _leaf(at, -inner)
        if isinstance(at, ast.List | ast.Tuple):
            return _sequence(at, [self._value(each, depth + 1) for each in at.elts])
        if isinstance(at, ast.Dict):
            return _mapping(at, {_key(key, at): self._value(each, depth + 1)
                                 for key, each in zip(at.keys, at.values, strict=True)})  # fmt: skip
        if isinstance(at, ast.Call) and _named(at.func) == "dict" and not at.args:
            return _mapping(at, self._keywords(at.keywords, depth + 1))
        if isinstance(at, ast.Name) and at.id in self._constants:
            return self._value(self._constants[at.id], depth + 1)
        if isinstance(at, ast.JoinedStr):
            raise _Wrong(at, "an f-string is made when Python runs, and nothing is run here", 'write "${…}", no f')
        raise _Wrong(at, "this value is only known when it is run", "write it as it is, or as a constant of the file")


def _parts(block: ast.With, *names: str) -> Iterator[tuple[str, ast.Call, ast.With]]:
    for each in block.body:
        call = each.items[0].context_expr if isinstance(each, ast.With) and len(each.items) == 1 else None
        if not isinstance(each, ast.With) or not isinstance(call, ast.Call) or _named(call.func) not in names:
            raise _Wrong(
                each, "only " + " and ".join(f"`with {name}(…):`" for name in names) + " stand here", "see docs"
            )
        yield _named(call.func), call, each


def _only(call: ast.Call) -> ast.expr:
    if len(call.args) != 1 or call.keywords:
        raise _Wrong(call, f"`{_named(call.func)}` takes one text", f'{_named(call.func)}("…")')
    return call.args[0]


def _key(key: ast.expr | None, at: ast.AST) -> str:
    if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
        raise _Wrong(key or at, "keys are texts", 'write "key": value')
    return key.value


def _named(at: ast.expr) -> str:
    return at.id if isinstance(at, ast.Name) else at.attr if isinstance(at, ast.Attribute) else ""


def _place(at: ast.AST) -> tuple[int, int]:
    return getattr(at, "lineno", 1), getattr(at, "col_offset", 0) + 1


def _leaf(at: ast.AST, data: Any) -> Node:
    return Node(data, *_place(at))


def _mapping(at: ast.AST, found: Mapping[Any, Node]) -> Node:
    keys = {name: (each.line, each.column) for name, each in found.items()}
    size = 1 + sum(each.size for each in found.values())
    children: dict[str | int, Node] = dict(found)
    return Node({name: each.data for name, each in found.items()}, *_place(at), size, children, keys)


def _sequence(at: ast.AST, found: Sequence[Node]) -> Node:
    size = 1 + sum(each.size for each in found)
    return Node([each.data for each in found], *_place(at), size, dict(enumerate(found)))
