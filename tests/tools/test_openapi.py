"""Services with an OpenAPI description: what becomes a tool, what is sent, and what answers mean."""

import asyncio
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tools.calls import CLOCK, HTTP, a_system, a_system_call
from tests.tools.services import Reply, Service, json_reply, running

from fairlead.errors import BadInput, DeadlineExceeded, RateLimited, Upstream
from fairlead.tools.arguments import Checker
from fairlead.tools.failures import NotAuthorised, ResultTooLarge, SystemFailed
from fairlead.tools.openapi import OpenApiSystem, definitions_of, left_out
from fairlead.tools.plain_yaml import read_plain
from fairlead.tools.settings import OpenApiSettings, PagesSettings
from fairlead.tools.types import Blob, Credential, Definition, Link, Text, ToolResult

SHOP = """
openapi: 3.0.3
info: {title: Shop, version: "1"}
servers:
  - url: https://{region}.shop.example/v1
    variables: {region: {default: eu, enum: [eu]}}
paths:
  /orders/{id}:
    parameters:
      - {name: id, in: path, required: true, description: Its number., schema: {type: integer}}
    get:
      operationId: get_order
      summary: One order
      description: An order with its lines.
      parameters:
        - {name: id, in: query, schema: {type: string, nullable: true}}
        - {name: X-Trace, in: header, schema: {type: string}}
        - {name: Authorization, in: header, required: true, schema: {type: string}}
        - {name: X-HTTP-Method-Override, in: header, schema: {type: string}}
      responses:
        "200": {content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
    put:
      operationId: change order!
      deprecated: true
      requestBody: {$ref: "#/components/requestBodies/Order"}
    delete: {}
    head: {operationId: has_order}
  /orders:
    get:
      operationId: list_orders
      parameters:
        - {name: after, in: query, schema: {type: string}}
    post:
      operationId: add_order
      requestBody: {$ref: "#/components/requestBodies/Order"}
  /forms:
    post:
      operationId: send_form
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              properties:
                name: {type: string}
                tags: {type: array, items: {type: string}}
                ids: {type: array, items: {type: integer}}
                where: {type: object}
                deep: {type: object}
            encoding:
              ids: {style: form, explode: false}
              deep: {style: deepObject}
  /notes:
    post:
      operationId: note
      requestBody: {required: true, content: {text/plain: {schema: {type: string}}}}
  /any:
    post:
      operationId: any_body
      requestBody: {required: true, content: {application/json: {schema: {oneOf: [{type: string}, {type: integer}]}}}}
  /files:
    post:
      operationId: upload
      requestBody: {content: {multipart/form-data: {schema: {type: object}}}}
  /else:
    get: {operationId: elsewhere, servers: [{url: "https://evil.example"}]}
    put: {operationId: here, servers: [{url: "https://eu.shop.example/v1/"}]}
  /wrong:
    get: {operationId: wrong, parameters: [{name: a, in: query, schema: {type: colour}}]}
components:
  requestBodies:
    Order: {content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
  schemas:
    Order:
      type: object
      required: [number, lines, made]
      properties:
        number: {type: integer, minimum: 0, exclusiveMinimum: true}
        lines: {type: array, items: {$ref: "#/components/schemas/Line"}}
        colour: {type: string, enum: [red, no], nullable: true}
        made: {type: string, format: date, readOnly: true, example: 2026-11-21}
        secret: {type: string, writeOnly: true}
        parent: {nullable: true, allOf: [{$ref: "#/components/schemas/Line"}]}
    Line:
      type: object
      properties: {what: {type: string}, part_of: {$ref: "#/components/schemas/Node"}}
    Node:
      type: object
      properties: {inner: {$ref: "#/components/schemas/Node"}}
"""


def shop(**changes: Any) -> dict[str, bytes]:
    return {
        "systems/shop.yaml": yaml.safe_dump({**yaml.safe_load(SHOP), **changes}).encode() if changes else SHOP.encode()
    }


def tools_of(files: dict[str, bytes], **given: Any) -> dict[str, Definition]:
    declared = OpenApiSettings(description="systems/shop.yaml", **given)
    return {each.name: each for each in definitions_of("shop", declared, files)}


def one(operation: dict[str, Any], **more: Any) -> dict[str, bytes]:
    described = {
        "openapi": "3.1.0",
        "servers": [{"url": "https://x.example"}],
        "paths": {"/a": {"get": operation}},
        **more,
    }
    return {"systems/shop.yaml": msgspec.json.encode(described)}


TOOLS = tools_of({"systems/shop.yaml": SHOP.encode()})


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running() as opened:
        yield opened


@pytest.fixture(autouse=True)
def plain_reply(service: Service) -> None:
    service.reply = lambda _: Reply()


def opened_at(url: str, **given: Any) -> OpenApiSystem:
    declared = OpenApiSettings(description="shop.yaml", url=url, **{"at_home": True, "timeout": 30, **given})
    return OpenApiSystem(a_system("shop", declared, (), shop()), HTTP, CLOCK)


@pytest.fixture
async def system(service: Service) -> AsyncIterator[OpenApiSystem]:
    opened = opened_at(f"{service.url}/v1")
    yield opened
    await opened.close()


async def call(system: OpenApiSystem, tool: str, /, **arguments: Any) -> ToolResult:
    limits = {
        name: arguments.pop(f"_{name}") for name in ("seconds", "most_bytes", "credential") if f"_{name}" in arguments
    }
    return await system.call(a_system_call(TOOLS[tool], arguments, **limits))


# What becomes a tool


def test_operations_are_tools_under_their_names() -> None:
    assert sorted(TOOLS) == [
        "add_order",
        "any_body",
        "change_order_",
        "delete_orders_id",
        "get_order",
        "has_order",
        "here",
        "list_orders",
        "note",
        "send_form",
    ]
    effects = {name: (each.effect, each.idempotent) for name, each in TOOLS.items()}
    assert effects["get_order"] == effects["has_order"] == ("read", True)
    assert effects["change_order_"] == effects["delete_orders_id"] == ("write", True)
    assert effects["add_order"] == ("write", False)
    assert (TOOLS["get_order"].title, TOOLS["get_order"].description) == ("One order", "An order with its lines.")
    assert TOOLS["change_order_"].description.startswith("Deprecated.")


def test_what_cannot_be_called_is_left_out_and_told() -> None:
    declared = OpenApiSettings(description="shop.yaml")
    reasons = dict(left_out("shop", declared, shop()))
    assert "its arguments have no valid JSON Schema" in reasons.pop("wrong")
    assert reasons == {
        "elsewhere": "it is answered by another server than the rest",
        "upload": "it takes multipart/form-data, and neither JSON, a form nor text",
    }
    with pytest.raises(BadInput, match=r"systems\.shop\.only: upload cannot be offered"):
        tools_of(shop(), only=("upload",))


def test_parameters_are_arguments_and_fields_of_a_body_are_too() -> None:
    order = TOOLS["get_order"].input
    assert order["properties"] == {
        "id": {"type": "integer", "description": "Its number."},
        "id_query": {"type": ["string", "null"]},
        "X-Trace": {"type": "string"},
    }
    assert order["required"] == ["id"]
    assert order["additionalProperties"] is False
    added = TOOLS["add_order"].input
    assert list(added["properties"]) == ["number", "lines", "colour", "secret", "parent"], (
        "what is read only is not sent"
    )
    assert added["required"] == ["number", "lines"]
    assert list(TOOLS["any_body"].input["properties"]) == ["body"]


def test_the_dialect_of_3_0_becomes_json_schema() -> None:
    added = TOOLS["add_order"].input["properties"]
    assert added["number"] == {"type": "integer", "exclusiveMinimum": 0}
    assert added["colour"] == {"type": ["string", "null"], "enum": ["red", "no", None]}
    assert added["parent"]["anyOf"][1] == {"type": "null"}


def test_references_are_put_in_place_unless_they_never_end() -> None:
    added = TOOLS["add_order"].input
    line = added["properties"]["lines"]["items"]
    assert line["properties"]["what"] == {"type": "string"}
    assert line["properties"]["part_of"] == {"$ref": "#/$defs/Node"}
    assert added["$defs"] == {"Node": {"type": "object", "properties": {"inner": {"$ref": "#/$defs/Node"}}}}


def test_what_comes_back_has_a_schema_without_what_is_only_sent() -> None:
    output = TOOLS["get_order"].output
    assert output is not None
    assert list(output["properties"]) == ["number", "lines", "colour", "made", "parent"]


def test_yaml_and_json_say_the_same() -> None:
    as_json = msgspec.json.encode(yaml.safe_load(SHOP.replace("2026-11-21", '"2026-11-21"').replace("no]", '"no"]')))
    again = tools_of({"systems/shop.yaml": as_json})
    assert {name: each.digest for name, each in again.items()} == {name: each.digest for name, each in TOOLS.items()}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"systems/shop.yaml": b"swagger: '2.0'\npaths: {}"}, "this says swagger: 2.0"),
        ({"systems/shop.yaml": b"{nope"}, "it is no JSON"),
        ({"systems/shop.yaml": b"a: [\nb: c"}, "neither JSON nor YAML"),
        ({"systems/shop.yaml": b"[" * 100_000}, "no JSON|nested too deeply"),
        ({"systems/shop.yaml": b"- " * 200_000}, "nested too deeply"),
        ({"systems/shop.yaml": b"a: " + b"{b: " * 200_000}, "nested too deeply"),
        ({"systems/shop.yaml": b"a: *b"}, "no &b before it"),
        ({"systems/shop.yaml": b"? [a]\n: b"}, "a key must be a text"),
        ({"systems/shop.yaml": b"[]"}, "not an object with `paths`"),
        (shop(servers=[{"url": "https://{r}.x.example", "variables": {"r": {"default": "eu"}}}]), "has the variable r"),
        (shop(servers=[{"url": "/v1"}]), "does not say where"),
        (shop(servers=[]), "does not say where"),
        (shop(servers=[{"url": "http://shop.example"}]), "unencrypted"),
        (shop(servers=[{"url": "https://10.0.0.1"}]), "inside a private network"),
        (shop(servers=[{"url": "https://127.0.0.1"}]), "points at this machine"),
        (shop(servers=[{"url": "https://169.254.169.254"}]), "no system answers from"),
        (shop(servers=[{"url": "https://shop.example/v1?key=1"}]), "more than an address"),
        (shop(paths={"/a": {"get": {"operationId": "x"}, "put": {"operationId": "x"}}}), "two operations are called x"),
        (shop(paths={"/a": {"$ref": "other.yaml#/a"}}), "outside of the file are not followed"),
        (shop(paths={"/a": {"$ref": "#/paths/~1a"}}), "go in a circle"),
    ],
)
def test_a_description_that_cannot_be_used_is_told_so(files: dict[str, bytes], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        tools_of(files)
    assert re.search(said, f"{caught.value.message}: {caught.value.why}")


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ({"parameters": [{"$ref": "https://evil.example/p.json"}]}, "outside of the file are not followed"),
        ({"parameters": [{"$ref": "file:///etc/passwd"}]}, "outside of the file are not followed"),
        (
            {"parameters": [{"name": "x", "in": "query", "schema": {"$ref": "#/components/nowhere"}}]},
            "which is not there",
        ),
        ({"parameters": [{"name": "x", "in": "query", "style": "matrix"}]}, "which there is not in a query"),
        ({"parameters": [{"name": "x", "in": "body"}]}, "is in 'body'"),
        ({"parameters": [{"name": "x\r\ny", "in": "header"}]}, "cannot be the name of a header"),
        ({"parameters": [{"name": "x", "in": "query", "schema": {"$dynamicRef": "#a"}}]}, "uses $dynamicRef"),
        ({"parameters": [{"name": "x", "in": "query", "content": {"application/xml": {}}}]}, "neither text nor JSON"),
    ],
)
def test_an_operation_that_cannot_be_called_says_why(operation: dict[str, Any], why: str) -> None:
    declared = OpenApiSettings(description="shop.yaml")
    assert why in next(iter(left_out("shop", declared, one(operation)).values()))


@pytest.mark.parametrize(
    "path", ["/a/../b", "/a/%2e%2e/b", "/a?b=c", "/a#b", "a", "/a b", "/{nobody}", "//evil.example/{x}/.."]
)
def test_a_path_that_is_none_is_left_out(path: str) -> None:
    files = one({}, paths={path: {"get": {"operationId": "x"}}})
    assert list(left_out("shop", OpenApiSettings(description="shop.yaml"), files)) == ["x"]


def test_schemas_are_bounded() -> None:
    wide = {"type": "object", "properties": {f"p{n}": {"$ref": "#/components/schemas/S"} for n in range(200)}}
    schemas = {"S": {"type": "object", "properties": {f"q{n}": {"type": "string"} for n in range(200)}}}
    operation = {"parameters": [{"name": "x", "in": "query", "content": {"application/json": {"schema": wide}}}]}
    tool = next(iter(tools_of(one({"operationId": "x", **operation}, components={"schemas": schemas})).values()))
    assert len(msgspec.json.encode(tool.input)) < 20_000, "where all in its place would be too much, references stay"
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"type": "array", "items": deep}
    operation = {"operationId": "x", "parameters": [{"name": "x", "in": "query", "schema": deep}]}
    assert "too large" in left_out("shop", OpenApiSettings(description="shop.yaml"), one(operation))["x"]


def test_a_bomb_of_aliases_ends() -> None:
    lines = ["a0: &a0 {type: string}"]
    lines += [f"a{n}: &a{n} {{anyOf: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 30)]
    text = "\n".join(
        [
            "openapi: 3.1.0",
            "servers: [{url: 'https://x.example'}]",
            *lines,
            "paths: {/a: {get: {operationId: x, parameters: [{name: b, in: query, schema: *a29}]}}}",
        ]
    )
    declared = OpenApiSettings(description="shop.yaml")
    assert "too large" in left_out("shop", declared, {"systems/shop.yaml": text.encode()})["x"]


JUNK: list[Any] = [
    None, True, 0, 1.5, "", "x", [], {}, [1], ["a", None], {"a": 1}, {"$ref": "#/components/schemas/Order"},
    {"$ref": 1}, {"$ref": "#/"}, {"type": ["string", 3]}, {"required": 5, "properties": [1]}, {"properties": {"a": 5}},
    {"enum": 3},
]  # fmt: skip


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, each in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield (*path, key)
        yield from places(each, (*path, key))


WHOLE = msgspec.json.encode(yaml.safe_load(SHOP.replace("2026-11-21", '"x"')))
PLACES = list(places(msgspec.json.decode(WHOLE)))


@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(JUNK)), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_a_description_it_is_read_or_refused(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    described = msgspec.json.decode(WHOLE)
    for (*path, last), junk in changes:
        node = described
        for step in path:
            node = node[step] if isinstance(node, dict) and step in node else {}
        if isinstance(node, dict):
            node[last] = deepcopy(junk)
    try:
        tools = tools_of({"systems/shop.yaml": msgspec.json.encode(described)}, url="https://x.example")
    except BadInput:
        return
    for each in tools.values():
        assert Checker(each)


def test_yaml_is_read_as_plain_data() -> None:
    text = b"""
    a: &a {no: no, on: yes, day: 2026-11-21, name: 007, ten: 10, big: 1e3, half: .5, text: "1",
          nothing: ~, !!str tag: !!str 5}
    b: {<<: *a, ten: 11}
    c: [*a, -1, +2, -, ., 0x1f, 1_000, true]
    200: x
    """
    a = {
        "no": "no", "on": "yes", "day": "2026-11-21", "name": "007", "ten": 10, "big": 1000.0, "half": 0.5, "text": "1",
        "nothing": None, "tag": "5",
    }  # fmt: skip
    read = read_plain(text)
    assert read == {"a": a, "b": {**a, "ten": 11}, "c": [a, -1, 2, "-", ".", "0x1f", "1_000", True], "200": "x"}


# What is sent


async def test_a_read_is_a_get_with_the_credential_and_nothing_of_the_callers(
    system: OpenApiSystem, service: Service
) -> None:
    service.reply = lambda _: json_reply({"number": 7})
    mine = Credential(kind="exchange", secret="token-1")
    arguments = {"id": 7, "id_query": "x", "X-Trace": "t", "Authorization": "Bearer evil", "_credential": mine}
    result = await call(system, "get_order", **arguments)
    assert result.structured == {"number": 7}
    seen = service.last
    assert (seen.method, seen.path, seen.query) == ("GET", "/v1/orders/7", "id=x")
    assert seen.headers["authorization"] == "Bearer token-1"
    assert seen.headers["x-trace"] == "t"
    assert "idempotency-key" not in seen.headers
    assert "content-type" not in seen.headers


async def test_the_credential_goes_into_the_declared_header_alone(service: Service) -> None:
    system = opened_at(service.url, header="X-Trace")
    await call(system, "get_order", id=7, _credential=Credential(kind="service", secret="k3y"), **{"X-Trace": "mine"})
    assert service.last.headers["x-trace"] == "k3y"
    assert "authorization" not in service.last.headers
    with pytest.raises(BadInput) as caught:
        await call(system, "get_order", id=7, _credential=Credential(kind="service", secret="k3y\r\nx: y"))
    assert "k3y" not in f"{caught.value.message}{caught.value.why}{caught.value.mend}"
    await system.close()


async def test_a_write_carries_its_key_and_its_body(system: OpenApiSystem, service: Service) -> None:
    service.reply = lambda _: Reply(b"", 201, {"location": "/v1/orders/7"})
    result = await call(system, "add_order", number=7, lines=[{"what": "té"}], colour=None)
    assert result == ToolResult(pieces=(Link(uri="/v1/orders/7", name="location"),))
    seen = service.last
    assert (seen.method, seen.headers["idempotency-key"]) == ("POST", "run_1.1")
    assert seen.headers["content-type"] == "application/json"
    assert msgspec.json.decode(seen.body) == {"number": 7, "lines": [{"what": "té"}], "colour": None}
    await call(system, "change_order_", id=7, number=8, lines=[])
    assert (service.last.method, service.last.path) == ("PUT", "/v1/orders/7")
    assert msgspec.json.decode(service.last.body) == {"number": 8, "lines": []}


async def test_forms_and_texts_are_sent_as_declared(system: OpenApiSystem, service: Service) -> None:
    await call(system, "send_form", name="a&b=c", tags=["x", "y"], ids=[1, 2], where={"a": 1}, deep={"k": "v"})
    assert service.last.headers["content-type"] == "application/x-www-form-urlencoded"
    assert service.last.body == (b"name=a%26b%3Dc&tags=x&tags=y&ids=1,2&where=%7B%22a%22%3A1%7D&deep%5Bk%5D=v")
    await call(system, "note", body="hé\r\nllo")
    assert (service.last.headers["content-type"], service.last.body) == ("text/plain", "hé\r\nllo".encode())
    await call(system, "any_body", body="x")
    assert service.last.body == b'"x"'


async def test_head_and_delete_work_on_one_connection_after_the_other(system: OpenApiSystem, service: Service) -> None:
    service.reply = lambda _: json_reply({"a": "large" * 100})
    assert await call(system, "has_order", id=7) == ToolResult()
    service.reply = lambda _: Reply(b"", 204, {})
    assert await call(system, "delete_orders_id", id=7) == ToolResult()
    assert [each.method for each in service.saw[-2:]] == ["HEAD", "DELETE"]


# What answers mean


@pytest.mark.parametrize(
    ("reply", "result"),
    [
        (json_reply([1, {"a": None}]), ToolResult(structured=[1, {"a": None}])),
        (json_reply("word"), ToolResult(pieces=(Text("word"),), structured="word")),
        (
            Reply(b'{"a":1}', 200, {"content-type": "application/hal+json; charset=utf-8"}),
            ToolResult(structured={"a": 1}),
        ),
        (Reply("hé".encode(), 200, {"content-type": "text/plain"}), ToolResult(pieces=(Text("hé"),))),
        (
            Reply("hé".encode("latin-1"), 200, {"content-type": "text/plain; charset=ISO-8859-1"}),
            ToolResult(pieces=(Text("hé"),)),
        ),
        (Reply(b"\xff", 200, {"content-type": "text/csv; charset=klingon"}), ToolResult(pieces=(Text("\ufffd"),))),
        (Reply(b"<a/>", 200, {"content-type": "application/xml"}), ToolResult(pieces=(Text("<a/>"),))),
        (
            Reply(b"\x89PNG", 200, {"content-type": "image/png"}),
            ToolResult(pieces=(Blob("image/png", b64encode(b"\x89PNG").decode()),)),
        ),
        (Reply(b"", 200, {}), ToolResult()),
        (
            json_reply({"detail": "no such order"}, 404),
            ToolResult(pieces=(Text("HTTP 404"),), structured={"detail": "no such order"}, failed=True),
        ),
        (
            Reply(b"taken", 409, {"content-type": "text/plain"}),
            ToolResult(pieces=(Text("HTTP 409"), Text("taken")), failed=True),
        ),
        (Reply(b"<html>", 400, {"content-type": "text/html"}), ToolResult(pieces=(Text("HTTP 400"),), failed=True)),
        (
            Reply(b'{"a": "\xff"}', 422, {"content-type": "application/json"}),
            ToolResult(pieces=(Text("HTTP 422"),), failed=True),
        ),
        (Reply(b"{", 422, {"content-type": "application/json"}), ToolResult(pieces=(Text("HTTP 422"),), failed=True)),
        (json_reply({"x": "y" * 40_000}, 400), ToolResult(pieces=(Text("HTTP 400"),), failed=True)),
    ],
)
async def test_an_answer_is_a_result(system: OpenApiSystem, service: Service, reply: Reply, result: ToolResult) -> None:
    service.reply = lambda _: reply
    assert await call(system, "get_order", id=7) == result


async def error_of(system: OpenApiSystem, tool: str = "get_order", **arguments: Any) -> Upstream:
    with pytest.raises(Upstream) as caught:
        await call(system, tool, **{"id": 7, **arguments})
    assert "model" not in f"{caught.value.message} {caught.value.why} {caught.value.mend}", "a system is no model"
    return caught.value


@pytest.mark.parametrize("status", [401, 403])
async def test_what_the_system_forbids_is_final(system: OpenApiSystem, service: Service, status: int) -> None:
    service.reply = lambda _: json_reply({"token": "s3cret"}, status)
    error = await error_of(system, _credential=Credential(kind="exchange", secret="s3cret"))
    assert isinstance(error, NotAuthorised)
    assert (error.retryable, error.charged) == (False, "no")
    assert "s3cret" not in f"{error.message}{error.why}{error.mend}"


async def test_a_pause_is_told_with_its_length(system: OpenApiSystem, service: Service) -> None:
    service.reply = lambda _: json_reply({}, 429, retry_after="17")
    error = await error_of(system)
    assert isinstance(error, RateLimited)
    assert error.retry_after == 17


@pytest.mark.parametrize(("tool", "charged"), [("get_order", "no"), ("delete_orders_id", "unknown")])
@pytest.mark.parametrize("status", [301, 302, 307, 308, 304, 408, 500, 502, 503])
async def test_a_failure_says_whether_something_may_have_been_done(
    system: OpenApiSystem, service: Service, status: int, tool: str, charged: str
) -> None:
    service.reply = lambda _: Reply(b"", status, {"location": "http://169.254.169.254/", "retry-after": "3"})
    before = len(service.saw)
    error = await error_of(system, tool)
    assert isinstance(error, SystemFailed)
    assert error.charged == charged
    assert len(service.saw) == before + 1, "nobody is followed and nothing is repeated"


@pytest.mark.parametrize("body", [b"{", b'{"a": "\xff"}', b'{"\xed\xa0\x80": 1}', b'{"a": 1e999}', b'{"a":' * 5_000])
async def test_what_is_no_json_is_a_failure_of_the_system(system: OpenApiSystem, service: Service, body: bytes) -> None:
    service.reply = lambda _: Reply(body, 200, {"content-type": "application/json"})
    error = await error_of(system)
    assert (type(error), error.charged) == (SystemFailed, "unknown")


async def test_too_large_an_answer_is_refused(system: OpenApiSystem, service: Service) -> None:
    service.reply = lambda _: json_reply("x" * 998)
    assert len((await call(system, "get_order", id=7, _most_bytes=1000)).text) == 998
    service.reply = lambda _: json_reply("x" * 999)
    assert isinstance(await error_of(system, _most_bytes=1000), ResultTooLarge)


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def misbehaving(script: Script, **given: Any) -> AsyncIterator[OpenApiSystem]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await script(reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    system = opened_at(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", **{"timeout": 30, **given})
    try:
        yield system
    finally:
        await system.close()
        listener.close()


def says(*parts: bytes) -> Script:
    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return script


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def stuck(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
    await reader.read()


JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (endless, ResultTooLarge),
        (says(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"), ResultTooLarge),
        (silent, SystemFailed),
        (stuck, SystemFailed),
        (says(b""), SystemFailed),
        (says(b"not http at all\r\n\r\n"), SystemFailed),
        (says(JSON_HEAD % 10, b'{"a"'), SystemFailed),
        (says(JSON_HEAD % 5, b"<html"), SystemFailed),
        (says(JSON_HEAD % 50_000, b"[" * 50_000), SystemFailed),
        (says(JSON_HEAD % 3, b"NaN"), SystemFailed),
        (says(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\nxx"), SystemFailed),
        (says(b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"), SystemFailed),
        (says(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000), SystemFailed),
    ],
)
async def test_a_service_that_misbehaves_is_an_error_in_time(script: Script, kind: type[Upstream]) -> None:
    async with misbehaving(script, timeout=0.5 if script in (silent, stuck) else 30) as system:
        error = await error_of(system, "add_order", number=1, lines=[], _most_bytes=100_000)
        assert type(error) is kind
        assert error.charged == "unknown"


async def test_the_deadline_is_kept() -> None:
    async with misbehaving(silent, timeout=30) as system:
        error = await error_of(system, _seconds=1.0)
        assert isinstance(error, DeadlineExceeded)
        assert error.charged == "unknown"
        assert (await error_of(system, _seconds=-1)).charged == "no"


async def test_nothing_was_done_where_nobody_answers() -> None:
    system = opened_at("http://127.0.0.1:9")
    error = await error_of(system, "delete_orders_id")
    assert isinstance(error, SystemFailed)
    assert error.charged == "no"
    await system.close()


async def test_a_name_that_means_the_inside_is_not_called() -> None:
    declared = OpenApiSettings(description="shop.yaml", url="https://localhost.localdomain.")
    system = OpenApiSystem(a_system("shop", declared, (), shop()), HTTP, CLOCK)

    async def inside(*_: Any, **__: Any) -> list[Any]:
        return [(None, None, None, None, ("10.0.0.7", 443))]

    loop = asyncio.get_running_loop()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(loop, "getaddrinfo", inside, raising=False)
        error = await error_of(system)
    assert "inside a private network" in error.why
    assert error.charged == "no"
    await system.close()


# Lists in pages


def pages_of(link: Callable[[int], str]) -> Callable[[Any], Reply]:
    def reply(seen: Any) -> Reply:
        number = int(dict(parse_qsl(seen.query)).get("page", 1))
        headers = {"link": link(number)} if number < 4 else {}
        return json_reply([number, -number], **headers)

    return reply


async def test_pages_are_followed_by_the_link_within_the_service(service: Service) -> None:
    system = opened_at(f"{service.url}/v1", pages={"list_orders": PagesSettings()})
    links: list[Callable[[int], str]] = [
        lambda n: f'<{service.url}/v1/orders?page={n + 1}>; rel="next"',
        lambda n: f'</v1/orders?page={n + 1}>; title="a, b; c"; rel=next, <https://evil.example/x?page=9>; rel=last',
        lambda n: f'<https://evil.example/>; rel="prev", <?page={n + 1}>; rel="start next"',
    ]
    for link in links:
        service.reply = pages_of(link)
        result = await call(system, "list_orders", after="x=1")
        assert result == ToolResult(structured=[1, -1, 2, -2, 3, -3, 4, -4])
        assert service.saw[-4].query == "after=x%3D1"
    await system.close()


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1/orders?page=2",
        "//evil.example/v1/orders",
        "http://127.0.0.1:1/v1/orders",
        "/other",
        "/v1/../admin",
        "/v1/%2e%2e/admin",
        "/v1/..;/admin",
        "/v1x/orders",
        "ftp://127.0.0.1/v1/a",
        "http://a@127.0.0.1/v1/",
    ],
)
async def test_pages_elsewhere_are_refused(service: Service, link: str) -> None:
    system = opened_at(f"{service.url}/v1", pages={"list_orders": PagesSettings()})
    service.reply = lambda _: json_reply([1], link=f'<{link}>; rel="next"')
    before = len(service.saw)
    with pytest.raises(SystemFailed, match="said to be elsewhere"):
        await call(system, "list_orders")
    assert len(service.saw) == before + 1
    await system.close()


async def test_pages_are_followed_by_a_mark_and_bounded(service: Service) -> None:
    def reply(seen: Any) -> Reply:
        number = int(seen.query.rpartition("=")[2] or 1)
        return json_reply({"data": {"rows": [number]}, "meta": {"next": str(number + 1) if number < 5 else None}})

    service.reply = reply
    pages = PagesSettings(items="data.rows", cursor="meta.next", argument="after", most=3)
    system = opened_at(f"{service.url}/v1", pages={"list_orders": pages})
    result = await call(system, "list_orders")
    assert result.structured == {"data": {"rows": [1, 2, 3]}, "meta": {"next": "4"}}
    assert result.text == "There are more: these are the first 3 pages."
    service.reply = lambda _: json_reply({"data": {"rows": [1]}, "meta": {"next": {"a": "b"}}})
    with pytest.raises(SystemFailed, match="neither a text nor a number"):
        await call(system, "list_orders")
    service.reply = reply
    rest = await call(system, "list_orders", after="4")
    assert rest == ToolResult(structured={"data": {"rows": [4, 5]}, "meta": {"next": None}})
    await system.close()


async def test_pages_share_the_bytes_of_the_one_call(service: Service) -> None:
    service.reply = lambda seen: json_reply(["x" * 400], link=f'<{len(service.saw)}>; rel="next"')
    system = opened_at(f"{service.url}/v1", pages={"list_orders": PagesSettings(most=100)})
    before = len(service.saw)
    with pytest.raises(ResultTooLarge):
        await call(system, "list_orders", _most_bytes=1000)
    assert len(service.saw) - before == 3
    await system.close()


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ({"list_order": PagesSettings()}, "there is no such tool"),
        ({"add_order": PagesSettings()}, "asked for by GET"),
        ({"list_orders": PagesSettings(cursor="next")}, "belong together"),
        ({"list_orders": PagesSettings(cursor="next", argument="befor")}, "must be an argument"),
    ],
)
def test_pages_that_cannot_be_are_refused(pages: dict[str, PagesSettings], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        tools_of(shop(), pages=pages)


@pytest.mark.parametrize("header", ["host", "Content-Length", "x y", "x\r\ny", "cookie"])
def test_a_header_that_cannot_carry_a_credential_is_refused(header: str) -> None:
    with pytest.raises(BadInput, match="cannot carry a credential"):
        tools_of(shop(), header=header)
