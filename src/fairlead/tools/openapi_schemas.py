"""Schemas of an OpenAPI description as JSON Schema that stands by itself: bounded, and without references where it can
be, because policies see into what stands where it belongs."""

from collections.abc import Callable
from typing import Any, Final

from fairlead.tools.openapi_document import Document, Node
from fairlead.tools.schemas import placed

_MOST_NODES: Final = 20_000
_DEEPEST: Final = 64
_ONE: Final = frozenset(
    (
        "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
        "unevaluatedProperties", "unevaluatedItems",
    )
)  # fmt: skip
_LIST: Final = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
_NAMED: Final = frozenset(("properties", "patternProperties", "dependentSchemas"))
_PLAIN: Final = frozenset(
    (
        "title", "description", "type", "enum", "const", "default", "format", "pattern", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems",
        "uniqueItems", "minContains", "maxContains", "minProperties", "maxProperties", "required",
        "dependentRequired", "deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "examples",
    )
)  # fmt: skip


class Schemas:
    """Translates the schemas of one direction: `hides` is "readOnly" for what is sent, "writeOnly" for what comes."""

    def __init__(self, document: Document, hides: str, most_nodes: int = _MOST_NODES) -> None:
        self._document = document
        self._hides = hides
        self._most = most_nodes
        self._names: dict[str, str] = {}  # by reference
        self._found: dict[str, Node] = {}  # by name
        self._waiting: list[str] = []
        self._nodes = 0
        self._left: dict[str, Node] = {}

    def of(self, schema: Any, where: str) -> Node:
        """A schema that stands by itself, but for `definitions`. Raises `BadInput` if it is too large or refers to
        elsewhere."""
        root = self._translated(schema, where, 0)
        while self._waiting:
            reference = self._waiting.pop()
            target = self._document.at(reference, where)
            self._found[self._names[reference]] = self._translated(target, reference, 0)
        out, left = placed(root, self._found)
        self._left.update(left)
        return out

    def definitions(self) -> Node:
        """`$defs` for the schema in which all that were asked for stand, empty if it needs none."""
        return {"$defs": self._left} if self._left else {}

    def _translated(self, schema: Any, where: str, depth: int) -> Node:
        self._nodes += 1
        if self._nodes > self._most or depth > _DEEPEST:
            raise self._document.bad(f"the schema at {where} is too large", "leave the operation out by `only:`")
        if schema is True or schema is None:
            return {}
        if schema is False:
            return {"not": {}}
        if not isinstance(schema, dict):
            raise self._document.bad(f"the schema at {where} is not an object")
        out = self._parts(schema, where, lambda each: self._translated(each, where, depth + 1))
        if "$ref" in schema:
            reference = {"$ref": f"#/$defs/{self._name(schema['$ref'], where)}"}
            if self._document.is_old:  # what stands beside a reference does not count there, but is meant
                out = {key: out[key] for key in ("description",) if key in out}
            out = {**out, **reference}
        return _modern(out, schema)

    def _parts(self, schema: Node, where: str, translate: Callable[[Any], Node]) -> Node:
        out: Node = {}
        for key, value in schema.items():
            if key in _PLAIN:
                out[key] = self._plain(key, value, where)
            elif key in _ONE:
                out[key] = value if isinstance(value, bool) else translate(value)
            elif key in _LIST and isinstance(value, list):
                out[key] = [translate(each) for each in value]
            elif key in _NAMED and isinstance(value, dict):
                out[key] = {name: translate(each) for name, each in value.items()}
            elif key in ("$dynamicRef", "$id"):
                raise self._document.bad(f"the schema at {where} uses {key}", "use plain references")
        self._hide(out)
        return out

    def _plain(self, key: str, value: Any, where: str) -> Any:
        names = key in ("required", "type") and isinstance(value, list)
        if (key in ("required", "enum") and not isinstance(value, list)) or (
            names and not all(isinstance(each, str) for each in value)
        ):
            raise self._document.bad(f"the schema at {where} has a {key} that is none")
        return value

    def _hide(self, out: Node) -> None:
        """Leave out what only goes the other way."""
        properties = out.get("properties", {})
        hidden = {name for name, each in properties.items() if each.get(self._hides) is True}
        if hidden:
            out["properties"] = {name: each for name, each in properties.items() if name not in hidden}
            out["required"] = [name for name in out.get("required", ()) if name not in hidden]

    def _name(self, reference: Any, where: str) -> str:
        self._document.at(reference, where)
        if reference not in self._names:
            bare = "".join(each if each.isalnum() else "_" for each in reference.rpartition("/")[2]) or "schema"
            taken = set(self._names.values())
            self._names[reference] = next(
                name
                for number in range(len(taken) + 1)
                if (name := bare + "_" * bool(number) + str(number or "")) not in taken
            )
            self._waiting.append(reference)
        return self._names[reference]


def _modern(out: Node, schema: Node) -> Node:
    """What 3.0 says otherwise than JSON Schema does. Many descriptions of 3.1 still say it so."""
    for limit, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(out.get(limit), bool) and out.pop(limit) and bound in out:
            out[limit] = out.pop(bound)
    if schema.get("nullable") is not True:
        return out
    if "enum" in out and None not in out["enum"]:
        out["enum"] = [*out["enum"], None]
    if isinstance(out.get("type"), str):
        out["type"] = [out["type"], "null"]
        return out
    # Without a type everything is allowed already; what is composed is not.
    composed = {"$ref", "allOf", "anyOf", "oneOf", "not"} & out.keys()
    return {"anyOf": [out, {"type": "null"}]} if composed else out
