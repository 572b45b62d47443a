"""What is wrong with the JSON Schemas that a definition holds, each fault at its own place."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final

from fairlead.errors import BadInput
from fairlead.workflows.definition import Definition
from fairlead.workflows.forms import Form
from fairlead.workflows.graph import every_step
from fairlead.workflows.known import Fault, Path

_NEAR: Final = 0.8
_ONE: Final = ("additionalProperties", "contains", "else", "if", "items", "not", "propertyNames", "then")
_SEVERAL: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED: Final = ("$defs", "definitions", "dependentSchemas", "patternProperties", "properties")
_OTHER: Final = """
$anchor $comment $id $ref $schema const contentEncoding contentMediaType contentSchema default dependentRequired
deprecated description enum examples exclusiveMaximum exclusiveMinimum format maxContains maxItems maxLength
maxProperties maximum minContains minItems minLength minProperties minimum multipleOf pattern readOnly required title
type unevaluatedItems unevaluatedProperties uniqueItems writeOnly
"""
_KEYWORDS: Final = frozenset((*_ONE, *_SEVERAL, *_NAMED, *_OTHER.split()))
"""Of JSON Schema 2020-12. Others are allowed, and mean nothing."""


def schema_faults(definition: Definition) -> Iterator[Fault]:
    """Schemas that are none, and keywords that are nearly one."""
    for path, schema in _schemas(definition):
        try:
            Form(dict(schema), f"`{path[-1]}`")
        except BadInput as error:
            yield Fault(path=path, message=error.message, mend=error.mend)
            continue
        yield from _misspelt(path, schema)
    if definition.input.get("type", "object") != "object":
        yield Fault(path=("input", "type"), message="the input of a workflow is an object", mend="write its properties")


def _schemas(definition: Definition) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    yield ("input",), definition.input
    for path, step in every_step(definition.steps):
        for kind in step.kinds:
            for key in ("gives", "answer"):
                if kind in ("model", "agent", "wait", "approval"):
                    yield (*path, kind, key), getattr(getattr(step, kind), key, {})
        if step.check is not None:
            yield (*path, "check", "schema"), step.check.schema


def _misspelt(path: Path, schema: Any) -> Iterator[Fault]:
    if not isinstance(schema, Mapping):
        return
    for key in schema:
        if key not in _KEYWORDS and (meant := get_close_matches(key, _KEYWORDS, n=1, cutoff=_NEAR)):
            message = f"`{key}` is no keyword of JSON Schema, so it says nothing"
            yield Fault(path=(*path, key), message=message, mend=f"did you mean `{meant[0]}`?", remark=True)
    for key in _ONE:
        yield from _misspelt((*path, key), schema.get(key))
    for key in _SEVERAL:
        below = schema.get(key)
        for number, each in enumerate(below if isinstance(below, list) else ()):
            yield from _misspelt((*path, key, number), each)
    for key in _NAMED:
        below = schema.get(key)
        for name, each in (below if isinstance(below, Mapping) else {}).items():
            yield from _misspelt((*path, key, name), each)
