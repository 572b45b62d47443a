"""The operations of an OpenAPI description as tools, and how each is asked for."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.tools.arguments import Checker
from fairlead.tools.openapi_document import Document, Node
from fairlead.tools.openapi_parameters import STYLES, Parameter, Where, is_folder
from fairlead.tools.openapi_schemas import Schemas
from fairlead.tools.types import Definition, Effect, Schema

_METHODS: Final[Mapping[str, tuple[Effect, bool]]] = {  # whether it only reads, whether it may be repeated (RFC 9110)
    "get": ("read", True),
    "head": ("read", True),
    "put": ("write", True),
    "delete": ("write", True),
    "post": ("write", False),
    "patch": ("write", False),
}
_TEMPLATE: Final = re.compile(r"\{([^{}/]+)\}")
_LITERAL: Final = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*")
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9_.\-/]")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# The specification leaves the first three to others; the next are the connection's own; the last would say otherwise
# than the request what is asked for.
_NOT_SENT: Final = re.compile(
    r"accept|content-type|authorization|host|cookie|connection|keep-alive|upgrade|te|trailer|expect|content-.*|"
    r"transfer-encoding|proxy-.*|accept-encoding|idempotency-key|x-http-method.*|x-method-override|x-original-.*|"
    r"x-rewrite-.*",
    re.IGNORECASE,
)
_MOST_WORDS: Final = 8_000
_MOST_OUTPUT: Final = 1_000  # schemas in the schema of an answer
_FORM: Final = "application/x-www-form-urlencoded"


class Body(Struct, frozen=True, kw_only=True):
    """What is sent. `argument` is the one that holds it, "" where its fields are arguments of the tool by themselves;
    `styles` is how a form writes a field, where the description says so."""

    media: str
    argument: str
    fields: tuple[str, ...]
    required: bool
    styles: Mapping[str, Parameter]

    @property
    def is_form(self) -> bool:
        """Whether it is sent as `application/x-www-form-urlencoded`."""
        return self.media == _FORM


class Operation(Struct, frozen=True, kw_only=True):
    """One operation. `path` is the template in its parts."""

    method: str
    path: tuple[str | Parameter, ...]
    query: tuple[Parameter, ...]
    headers: tuple[Parameter, ...]
    cookies: tuple[Parameter, ...]
    body: Body | None
    definition: Definition


class Operations(Struct, frozen=True):
    """What a description offers. `left_out` says why of those that cannot be called."""

    by_name: Mapping[str, Operation]
    left_out: Mapping[str, str]


def operations_of(document: Document, url: str) -> Operations:
    """`url` is where the service answers. Raises `BadInput` where the description is unsound as a whole."""
    found: dict[str, Operation] = {}
    left_out: dict[str, str] = {}
    for path, item in document.paths():
        for method in _METHODS:
            if not isinstance(item.get(method), dict):
                continue
            name = _name(item[method], method, path)
            if name in found or name in left_out:
                raise document.bad(f"two operations are called {name}", "give each an `operationId` of its own")
            try:
                _refuse_elsewhere(document, item[method] if "servers" in item[method] else item, url)
                found[name] = _operation(document, name, method, path, item)
                Checker(found[name].definition)
            except BadInput as error:
                found.pop(name, None)
                left_out[name] = error.why if error.message.startswith(document.file) else error.message
    return Operations(found, left_out)


def _name(node: Node, method: str, path: str) -> str:
    named = node.get("operationId")
    if not isinstance(named, str) or not named.strip():
        named = f"{method}_{_TEMPLATE.sub(lambda each: each[1], path).strip('/').replace('/', '_')}"
    return _NO_NAME.sub("_", named.strip()).lstrip(".-/")[:128] or method


def _refuse_elsewhere(document: Document, node: Node, url: str) -> None:
    servers = document.items(node, "servers")
    if servers and not any(isinstance(each, dict) and str(each.get("url")).rstrip("/") == url for each in servers):
        raise document.bad("it is answered by another server than the rest")


def _operation(document: Document, name: str, method: str, path: str, item: Node) -> Operation:
    node = item[method]
    schemas = Schemas(document, "readOnly")
    properties: dict[str, Schema] = {}
    parameters = [
        _parameter(document, each, properties, schemas, f"{method} {path}") for each in _declared(document, item, node)
    ]
    required = [each.argument for each in parameters if each.required]
    body = _body(document, node, properties, required, schemas, name)
    effect, idempotent = _METHODS[method]
    summary, words = str(node.get("summary") or ""), str(node.get("description") or "")
    return Operation(
        method=method.upper(),
        path=tuple(_parts(document, path, parameters)),
        query=tuple(each for each in parameters if each.where == "query"),
        headers=tuple(each for each in parameters if each.where == "header"),
        cookies=tuple(each for each in parameters if each.where == "cookie"),
        body=body,
        definition=Definition(
            name=name,
            title=summary[:200],
            description=("Deprecated. " if node.get("deprecated") is True else "") + (words or summary)[:_MOST_WORDS],
            input={
                "type": "object",
                "properties": properties,
                **({"required": required} if required else {}),
                "additionalProperties": False,
                **schemas.definitions(),
            },
            output=_output(document, node, name),
            effect=effect,
            idempotent=idempotent,
        ),
    )


def _declared(document: Document, item: Node, node: Node) -> Iterator[Node]:
    """The parameters of an operation, after those of its path that it does not declare anew."""
    found: dict[tuple[str, str], Node] = {}
    for each in document.items(item, "parameters") + document.items(node, "parameters"):
        parameter = document.resolved(each, "a parameter")
        found[str(parameter.get("in")), str(parameter.get("name"))] = parameter
    for (where, name), parameter in found.items():
        if where not in STYLES:
            raise document.bad(f"the parameter {name} is in {where!r}")
        if where != "header" or not _NOT_SENT.fullmatch(name):
            yield parameter


def _parameter(
    document: Document, node: Node, properties: dict[str, Schema], schemas: Schemas, operation: str
) -> Parameter:
    name = str(node.get("name"))
    where: Where = node["in"]
    style = node.get("style") or STYLES[where][0]
    content = document.fields(node, "content")
    label = f"{operation}: the parameter {name}"
    if style not in STYLES[where]:
        raise document.bad(f"{label} has the style {style!r}, which there is not in a {where}")
    if where in ("header", "cookie") and not _TOKEN.fullmatch(name):
        raise document.bad(f"{label} cannot be the name of a {where}")
    if content and (len(content) != 1 or not _is_json(next(iter(content)))):
        raise document.bad(f"{label} is neither text nor JSON")
    shape = document.fields(content, next(iter(content))).get("schema") if content else node.get("schema")
    schema = schemas.of(shape, label)
    if words := node.get("description"):
        schema = {**schema, "description": str(words)[:_MOST_WORDS]}
    if node.get("deprecated") is True:
        schema = {**schema, "deprecated": True}
    argument = name if name not in properties else f"{name}_{where}"
    if argument in properties:
        raise document.bad(f"{label} has a name that is taken")
    properties[argument] = schema
    return Parameter(
        argument=argument,
        name=name,
        where=where,
        style=style,
        explode=bool(node.get("explode", style == "form")),
        required=where == "path" or node.get("required") is True,
        as_json=bool(content),
        reserved=node.get("allowReserved") is True,
    )


def _parts(document: Document, path: str, parameters: list[Parameter]) -> Iterator[str | Parameter]:
    known = {each.name: each for each in parameters if each.where == "path"}
    if not path.startswith("/") or any(is_folder(each) for each in path.split("/")):
        raise document.bad(f"the path {path!r} is not one")
    for number, part in enumerate(_TEMPLATE.split(path)):
        if number % 2 == 0:
            if not _LITERAL.fullmatch(part):
                raise document.bad(f"the path {path!r} holds what does not belong into one")
            if part:
                yield part
        elif part not in known:
            raise document.bad(f"the path {path!r} has a place for {part}, which is no parameter")
        else:
            yield known[part]


def _body(
    document: Document, node: Node, properties: dict[str, Schema], required: list[str], schemas: Schemas, name: str
) -> Body | None:
    if "requestBody" not in node:
        return None
    given = document.resolved(node["requestBody"], f"the body of {name}")
    content = document.fields(given, "content")
    media = next((each for wanted in (_is_json, _is_form, _is_text) for each in content if wanted(each)), None)
    if media is None:
        raise document.bad(f"it takes {', '.join(map(str, content)) or 'nothing'}, and neither JSON, a form nor text")
    described = document.fields(content, media)
    schema = schemas.of(described.get("schema"), f"the body of {name}")
    fields = schema.get("properties", {})
    # Many leave `required` out and mean it: then it is as the fields are. Arguments of their own have sources of their
    # own, so a body is taken apart where nothing is lost by it.
    needed = given.get("required", bool(schema.get("required"))) is True
    plain = schema.get("type") == "object" and fields and not _is_text(media)
    apart = plain and not (fields.keys() & properties.keys() or _SHAPING & schema.keys())
    if apart:
        properties.update(fields)
        required += [each for each in schema.get("required", ()) if needed and each in fields]
    else:
        properties["body" if "body" not in properties else "request_body"] = schema
        required += [next(reversed(properties))] * needed
    return Body(
        media="application/json" if "*" in media else media.partition(";")[0].strip().lower(),
        argument="" if apart else next(reversed(properties)),
        fields=tuple(fields) if apart else (),
        required=needed,
        styles=_styles(document, document.fields(described, "encoding")),
    )


_SHAPING: Final = frozenset(("allOf", "anyOf", "oneOf", "not", "if", "patternProperties", "dependentRequired", "$ref"))


def _styles(document: Document, encoding: Node) -> dict[str, Parameter]:
    found = {}
    for name in encoding:
        each = document.fields(encoding, name)
        style = each.get("style") or "form"
        if style not in STYLES["query"]:
            raise document.bad(f"the field {name} has the style {style!r}, which there is not in a form")
        found[name] = Parameter(
            argument=name,
            name=name,
            where="query",
            style=style,
            explode=bool(each.get("explode", style == "form")),
            as_json=_is_json(str(each.get("contentType", ""))),
        )
    return found


def _output(document: Document, node: Node, name: str) -> Schema | None:
    """The schema of what a successful answer holds, where it is an object and of a size that is worth passing on."""
    try:
        responses = document.fields(node, "responses")
        status = next((each for each in sorted(responses) if each[:1] == "2"), None)
        response = document.resolved(responses.get(status or ""), f"the answer of {name}")
        content = document.fields(response, "content")
        media = next((each for each in content if _is_json(each)), "")
        schemas = Schemas(document, "writeOnly", _MOST_OUTPUT)
        schema = schemas.of(document.fields(content, media).get("schema"), f"the answer of {name}")
        schema = {**schema, **schemas.definitions()}
    except BadInput:
        return None  # a tool can be called without it
    return schema if schema.get("type") == "object" else None


def _is_json(media: str) -> bool:
    bare = media.partition(";")[0].strip().lower()
    return bare in ("application/json", "*/*", "application/*") or bare.endswith("+json")


def _is_form(media: str) -> bool:
    return media.partition(";")[0].strip().lower() == _FORM


def _is_text(media: str) -> bool:
    return media.partition(";")[0].strip().lower() == "text/plain"
