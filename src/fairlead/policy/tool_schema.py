"""Tools as Cedar sees them: an action for each, with the arguments and facts that its policies may speak of, typed."""

from collections.abc import Iterable, Mapping
from decimal import ROUND_UP, Decimal
from typing import Any, Final

from fairlead.errors import BadInput
from fairlead.policy.cedar_request import CEDAR_DECIMAL
from fairlead.policy.sources import quoted
from fairlead.tools.cards import FactKind
from fairlead.tools.systems import System
from fairlead.tools.types import Schema, Tool

_SCALARS: Final = {"string": "String", "boolean": "Bool", "integer": "Long", "number": "decimal"}
_FACTS: Final[Mapping[FactKind, str]] = {
    "decimal": "decimal",
    "text": "String",
    "bool": "Bool",
    "texts": "Set<String>",
    "integer": "Long",
    "integers": "Set<Long>",
}
_LONG: Final = 2**63
_DEEPEST: Final = 4  # objects in objects that policies can see into
_STEP: Final = Decimal("0.0001")


def cedar_type(schema: Schema, depth: int = 0) -> str | None:
    """The Cedar type of values under a JSON Schema; None where policies cannot speak of them."""
    kind = schema.get("type")
    if isinstance(kind, list):
        named = [each for each in kind if each != "null"]
        kind = named[0] if len(named) == 1 and len(named) == len(kind) else None
    if kind is None and "const" not in schema and all(isinstance(each, str) for each in schema.get("enum", [0])):
        return "String"
    if kind in _SCALARS:
        return _SCALARS[kind]
    if kind == "array":
        inner = schema.get("items")
        each = cedar_type(inner, depth + 1) if isinstance(inner, dict) and depth < _DEEPEST else None
        return f"Set<{each}>" if each else None
    if kind == "object" and isinstance(schema.get("properties"), dict) and depth < _DEEPEST:
        return record_type(schema, depth + 1)
    return None


def record_type(schema: Schema, depth: int = 0) -> str:
    """The Cedar record of an object's properties. What is not required is optional."""
    required = schema.get("required", [])
    fields = []
    for name, each in schema.get("properties", {}).items():
        found = cedar_type(each, depth) if isinstance(each, dict) else None
        if found is not None:
            fields.append(f"{quoted(name)}{'' if name in required else '?'}: {found}")
    return "{" + ", ".join(fields) + "}"


def cedar_value(value: Any, schema: Schema, where: str, depth: int = 0) -> Any:
    """The value as Cedar takes it, None where policies cannot speak of it. A number is rounded away from zero at the
    fourth place, so that no limit is passed by less. Raises `BadInput` for a number that Cedar cannot hold."""
    kind = cedar_type(schema, depth)
    if kind is None:
        return None
    if kind == "Long":
        whole = int(value)
        if not -_LONG <= whole < _LONG:
            raise _too_large(where)
        return whole
    if kind == "decimal":
        return _decimal(value, where)
    if kind.startswith("Set<"):
        return [cedar_value(each, schema["items"], f"{where}/{n}", depth + 1) for n, each in enumerate(value)]
    if kind.startswith("{"):
        return record_value(value, schema, where, depth + 1)
    return value


def record_value(given: Mapping[str, Any], schema: Schema, where: str = "", depth: int = 0) -> dict[str, Any]:
    """The arguments, or an object in them, as a Cedar record of `record_type`."""
    found = {}
    for name, each in schema.get("properties", {}).items():
        if name in given and isinstance(each, dict):
            value = cedar_value(given[name], each, f"{where}/{name}", depth)
            if value is not None:
                found[name] = value
    return found


def counts(arguments: Mapping[str, Any], schema: Schema) -> dict[str, int]:
    """How many each argument that is a list holds: a set in Cedar has each element once."""
    properties = schema.get("properties", {})
    return {
        name: len(each) for name, each in arguments.items() if isinstance(each, list) and _is_list(properties.get(name))
    }


def _is_list(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "array"


def fact_value(value: Any, kind: FactKind, name: str) -> Any:
    """A fact as Cedar takes it. Raises `BadInput` where it is not of the declared kind."""
    if kind == "decimal" and isinstance(value, int | float | str | Decimal) and not isinstance(value, bool):
        return _decimal(value, f"fact {name}")
    if (kind == "text" and isinstance(value, str)) or (kind == "bool" and isinstance(value, bool)):
        return value
    if kind == "text" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if kind == "texts" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    if kind == "integer" and _is_long(value):
        return int(value)
    if kind == "integers" and isinstance(value, list) and all(map(_is_long, value)):
        return [int(each) for each in value]
    raise BadInput(
        f"the fact {name} is not of the kind {kind}",
        why=f"the system gave a {type(value).__name__}",
        mend="correct `take` or `type` of this fact in the system's card",
    )


def _is_long(value: Any) -> bool:
    """Whether it is a whole number that Cedar can hold. Python's own truth values are none."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return whole and not isinstance(value, bool) and -_LONG <= value < _LONG


def _decimal(value: Any, where: str) -> Any:
    try:
        exact = Decimal(str(value))
        rounded = exact.quantize(_STEP, rounding=ROUND_UP)
    except ArithmeticError:
        raise _too_large(where) from None
    if not abs(rounded) <= CEDAR_DECIMAL:
        raise _too_large(where)
    return {"__extn": {"fn": "decimal", "arg": f"{rounded:f}"}}


def _too_large(where: str) -> BadInput:
    return BadInput(
        f"the number at {where} is larger than policies can judge",
        why="what no policy can see is not done",
        mend=f"give a number of at most {CEDAR_DECIMAL}",
        param=where,
    )


def actions(systems: Iterable[System]) -> str:
    """The part of the Cedar schema that speaks of a workspace's tools."""
    return "".join(
        _action(tool, system.card_of(tool.definition.name).facts)
        for system in systems
        for tool in system.tools.values()
    )


def _action(tool: Tool, facts: Mapping[str, Any]) -> str:
    arguments = record_type(tool.definition.input)
    properties = tool.definition.input.get("properties", {})
    known = ", ".join(f"{quoted(name)}: {_FACTS[fact.type]}" for name, fact in facts.items())
    origins = ", ".join(f"{quoted(name)}?: Set<String>" for name in properties)
    must = tool.definition.input.get("required", [])
    lists = ", ".join(
        f"{quoted(name)}{'' if name in must else '?'}: Long" for name, each in properties.items() if _is_list(each)
    )
    return (
        f'action {quoted(tool.name)} in [Action::"call_tool"] appliesTo {{ principal: Person, resource: Tool, context: '
        f"{{\n  {_COMMON},\n  arguments: {arguments},\n  facts: {{{known}}},\n  from: {{{origins}}},\n"
        f"  count: {{{lists}}},\n}} }};\n"
    )


_COMMON: Final = (
    "task: String, door: String, labels: Set<String>, data_class: Long, class: String, redacted: Set<String>,\n"
    "  given: Set<String>, sources: Set<String>, untrusted: Set<String>, decided_by_others: Set<String>,\n"
    "  read: Set<String>, tainted: Bool"
)
