"""Functions with type hints, read as tools: their definitions, and how arguments and results cross over.

Each public function that a module itself defines is a tool. Its docstring is the description, its hints are the schema,
a text in `Annotated[int, "the order's number"]` describes an argument. The module names its tools that change nothing
in `READS = {"get_order"}` and those that may be repeated in `IDEMPOTENT = {...}`; all others write.
"""

import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from fairlead.errors import BadInput, closest
from fairlead.tools.person import Person
from fairlead.tools.schemas import inlined
from fairlead.tools.types import Definition, Schema

_REF: Final = "#/$defs/{name}"
_UNREADABLE: Final = "name it with a leading `_` if it is no tool"


class Function(Struct, frozen=True, kw_only=True):
    """A function that is a tool. `caller` are its parameters that get who calls."""

    definition: Definition
    run: Callable[..., Any]
    waits: bool  # whether it is an `async def`
    caller: tuple[str, ...]
    form: type[Struct]

    def given(self, arguments: Mapping[str, Any], person: Person) -> dict[str, Any]:
        """What it is called with. Raises `BadInput` naming the argument that is not as the hints say."""
        try:
            form = msgspec.convert(arguments, self.form, str_keys=True)
        except msgspec.ValidationError as error:
            raise BadInput(
                f"{self.definition.name}: the arguments are not as its schema says",
                why=str(error).replace("`$.", "`").replace("Object contains", "it has"),
                mend=f"it takes {', '.join(self.form.__struct_fields__) or 'no arguments'}",
            ) from error
        values = {name: getattr(form, name) for name in self.form.__struct_fields__}
        given = {name: value for name, value in values.items() if value is not UNSET}
        for name in self.caller:
            given[name] = person
        return given


def functions_of(module: ModuleType) -> dict[str, Function]:
    """The module's tools by name. Raises `BadInput`, or what looking at its hints raises."""
    offered = getattr(module, "__all__", None)
    found = {
        name: each
        for name, each in vars(module).items()
        if inspect.isfunction(each) and each.__module__ == module.__name__
        if not name.startswith("_") and (offered is None or name in offered)
    }
    reads, idempotent = (_named(module, constant, found) for constant in ("READS", "IDEMPOTENT"))
    return {name: _function(name, each, name in reads, name in idempotent) for name, each in found.items()}


def _named(module: ModuleType, constant: str, known: Iterable[str]) -> frozenset[str]:
    names = getattr(module, constant, ())
    if isinstance(names, str) or not all(isinstance(each, str) for each in names):
        raise BadInput(f"{constant} must be a set of names", mend=f'write for example {constant} = {{"get_order"}}')
    if unknown := sorted(set(names) - set(known)):
        raise BadInput(
            f"{constant} names {unknown[0]!r}, which is no public function here", mend=closest(unknown[0], known)
        )
    return frozenset(names)


def _function(name: str, run: Callable[..., Any], reads: bool, idempotent: bool) -> Function:
    if not name.isascii() or inspect.isgeneratorfunction(run) or inspect.isasyncgenfunction(run):
        raise BadInput(f"{name} cannot be a tool: it is a generator or its name is not ASCII", mend=_UNREADABLE)
    hints = typing.get_type_hints(run, include_extras=True)
    fields: list[tuple[str, Any, Any]] = []
    plain: dict[str, Any] = {}
    caller: list[str] = []
    for parameter in inspect.signature(run).parameters.values():
        hint = _hint_of(name, parameter, hints)
        if hint is Person:
            caller.append(parameter.name)
        elif parameter.default is parameter.empty:
            fields.append((parameter.name, hint, msgspec.NODEFAULT))
        else:  # what is left out is left to the function's own default
            fields.append((parameter.name, typing.Union[hint, UnsetType], UNSET))  # noqa: UP007 - some hints have no `|`
            plain[parameter.name] = parameter.default
    # Without a prefix a struct of the module could have the same name, and one schema would hide the other.
    form = msgspec.defstruct(f"Arguments of {name}", fields, kw_only=True, forbid_unknown_fields=True)
    definition = Definition(
        name=name,
        description=inspect.getdoc(run) or "",
        input=_input(form, plain),
        output=_output(_described(hints.get("return", Any))),
        effect="read" if reads else "write",
        idempotent=reads or idempotent,
    )
    return Function(
        definition=definition, run=run, waits=inspect.iscoroutinefunction(run), caller=tuple(caller), form=form
    )


def _hint_of(name: str, parameter: inspect.Parameter, hints: Mapping[str, Any]) -> Any:
    if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
        raise BadInput(
            f"{name}: the parameter {parameter.name} cannot be given by name",
            mend=f"give each argument a name and a type hint, or {_UNREADABLE}",
        )
    if parameter.name not in hints:
        raise BadInput(
            f"{name}: the parameter {parameter.name} has no type hint",
            why="the hints say which arguments are taken",
            mend=f"write for example `{parameter.name}: str`, or {_UNREADABLE}",
        )
    return _described(hints[parameter.name])


def _described(hint: Any) -> Any:
    """The hint with its texts as descriptions: `Annotated[int, "its number"]`."""
    if typing.get_origin(hint) is not Annotated:
        return Any if hint is object else hint
    inner, *notes = typing.get_args(hint)
    for note in notes:
        if isinstance(note, str | Meta):
            inner = Annotated[inner, Meta(description=note) if isinstance(note, str) else note]
    return inner


def _input(form: type[Struct], defaults: Mapping[str, Any]) -> Schema:
    (reference,), components = msgspec.json.schema_components([form], ref_template=_REF)
    schema = components.pop(reference["$ref"].removeprefix(_REF.partition("{")[0]))
    schema.pop("title")
    for name, default in defaults.items():
        try:
            schema["properties"][name]["default"] = msgspec.json.decode(msgspec.json.encode(default))
        except (TypeError, ValueError):
            continue  # it is made when the function is called, and no data
    return inlined(schema, components)


def _output(hint: Any) -> Schema | None:
    """The schema of a structured result: of an object. What else is given back says of itself what it is."""
    if hint in (None, type(None), Any, str):
        return None
    (schema,), components = msgspec.json.schema_components([hint], ref_template=_REF)
    if "$ref" in schema:
        schema = components[schema["$ref"].removeprefix(_REF.partition("{")[0])]
    if schema.get("type") != "object":
        return None
    return inlined(schema, components)
