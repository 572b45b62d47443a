"""Parameters in every style, read back as a server reads them; and values that would get out of their place."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.tools.calls import CLOCK, HTTP, a_system, a_system_call
from tests.tools.services import Seen, Service, running

from fairlead.errors import BadInput
from fairlead.tools.openapi import OpenApiSystem, definitions_of
from fairlead.tools.settings import OpenApiSettings
from fairlead.tools.types import Definition

Send = Callable[[str, Any], Any]
OFTEN = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

VARIANTS = {
    "path": [
        ("simple", False),
        ("simple", True),
        ("label", False),
        ("label", True),
        ("matrix", False),
        ("matrix", True),
    ],
    "query": [
        ("form", True),
        ("form", False),
        ("spaceDelimited", False),
        ("pipeDelimited", False),
        ("deepObject", True),
    ],
    "header": [("simple", False), ("simple", True)],
    "cookie": [("form", True), ("form", False)],
}
ALL = [(where, style, explode) for where, styles in VARIANTS.items() for style, explode in styles]


def name_of(where: str, style: str, explode: bool) -> str:
    return f"{where}_{style}_{'each' if explode else 'one'}"


def description() -> bytes:
    paths: dict[str, Any] = {}
    for where, style, explode in ALL:
        name = name_of(where, style, explode)
        path = f"/{name}/{{color}}/end" if where == "path" else f"/{name}/end"
        parameter = {"name": "color", "in": where, "style": style, "explode": explode, "required": where == "path"}
        paths[path] = {"get": {"operationId": name, "parameters": [{**parameter, "schema": {}}]}}
    content = {"application/json": {"schema": {"type": "object"}}}
    paths["/json"] = {
        "get": {"operationId": "json", "parameters": [{"name": "color", "in": "query", "content": content}]}
    }
    paths["/free"] = {
        "get": {"operationId": "free", "parameters": [
            {"name": "color", "in": "query", "allowReserved": True, "schema": {"type": "string"}},
            {"name": "admin", "in": "query", "schema": {"type": "string"}},
            {"name": "rest", "in": "query", "schema": {"type": "object"}},
        ]}
    }  # fmt: skip
    paths["/v{major}.{minor}/x"] = {
        "get": {"operationId": "two", "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in ("major", "minor")
        ]}
    }  # fmt: skip
    paths["/{major}{minor}/x"] = {"get": {**paths["/v{major}.{minor}/x"]["get"], "operationId": "beside"}}
    return msgspec.json.encode({"openapi": "3.0.3", "paths": paths})


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running() as opened:
        yield opened


@pytest.fixture
async def system(service: Service) -> AsyncIterator[OpenApiSystem]:
    given = OpenApiSettings(description="c.json", url=f"{service.url}/base", at_home=True)
    opened = OpenApiSystem(a_system("paint", given, (), {"systems/c.json": description()}), HTTP, CLOCK)
    yield opened
    await opened.close()


TOOLS: Mapping[str, Definition] = {
    each.name: each
    for each in definitions_of(
        "paint", OpenApiSettings(description="c.json", url="https://x.example"), {"systems/c.json": description()}
    )
}


async def sent(system: OpenApiSystem, service: Service, tool: str, /, **arguments: Any) -> Seen:
    before = len(service.saw)
    await system.call(a_system_call(TOOLS[tool], arguments))
    assert len(service.saw) == before + 1
    return service.last


async def refused(system: OpenApiSystem, service: Service, tool: str, /, **arguments: Any) -> BadInput:
    before = len(service.saw)
    with pytest.raises(BadInput) as caught:
        await system.call(a_system_call(TOOLS[tool], arguments))
    assert len(service.saw) == before, "nothing was sent"
    return caught.value


ARRAY = ["blue", "black", "brown"]
OBJECT = {"R": 100, "G": 200, "B": 150}
# The examples of the specification: what stands in place of `color` for a text, a list and an object.
SHAPES = {
    "path_simple_one": ("blue", "blue,black,brown", "R,100,G,200,B,150"),
    "path_simple_each": ("blue", "blue,black,brown", "R=100,G=200,B=150"),
    "path_label_one": (".blue", ".blue,black,brown", ".R,100,G,200,B,150"),
    "path_label_each": (".blue", ".blue.black.brown", ".R=100.G=200.B=150"),
    "path_matrix_one": (";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"),
    "path_matrix_each": (";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"),
    "query_form_each": ("color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"),
    "query_form_one": ("color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"),
    "query_spaceDelimited_one": ("color=blue", "color=blue%20black%20brown", "color=R%20100%20G%20200%20B%20150"),
    "query_pipeDelimited_one": ("color=blue", "color=blue%7Cblack%7Cbrown", "color=R%7C100%7CG%7C200%7CB%7C150"),
    "query_deepObject_each": (None, None, "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"),
    "header_simple_one": ("blue", "blue,black,brown", "R,100,G,200,B,150"),
    "header_simple_each": ("blue", "blue,black,brown", "R=100,G=200,B=150"),
    "cookie_form_each": ("color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"),
    "cookie_form_one": ("color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"),
}


def place_of(tool: str, seen: Seen) -> str:
    """What stands in the request where the parameter does, as it came over the wire."""
    if tool.startswith("path"):
        assert seen.path.startswith(f"/base/{tool}/")
        assert seen.path.endswith("/end")
        assert seen.path.count("/") == 4
        return seen.path.split("/")[3]
    assert seen.path == f"/base/{tool}/end"
    if tool.startswith("query"):
        return seen.query
    return seen.headers.get("color" if tool.startswith("header") else "cookie", "")


@pytest.mark.parametrize("tool", SHAPES)
async def test_each_style_is_as_the_specification_shows_it(tool: str, system: OpenApiSystem, service: Service) -> None:
    for value, shape in zip(("blue", ARRAY, OBJECT), SHAPES[tool], strict=True):
        if shape is None:
            await refused(system, service, tool, color=value)
        else:
            assert place_of(tool, await sent(system, service, tool, color=value)) == shape


def test_the_styles_are_all_there_are() -> None:
    assert {name_of(*each) for each in ALL} == set(SHAPES)


def read_back(tool: str, raw: str, like: Any) -> Any:
    """What a server makes of the place: divided first, decoded afterwards, as RFC 6570 means it."""
    where, style, how = tool.split("_")
    each = how == "each"
    if style == "deepObject":
        return {name[6:-1]: value for name, value in parse_qsl(raw, keep_blank_values=True)}
    between = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}.get(style, ",")
    start = {"label": ".", "matrix": ";"}.get(style, "")
    raw = raw.removeprefix(start)
    if each and style in ("label", "matrix"):
        between = start
    if where in ("query", "cookie") and each:
        between = "&"
    named = style in ("matrix", "form", "spaceDelimited", "pipeDelimited")
    if named and not (each and isinstance(like, dict)):
        if each and isinstance(like, list):
            return [unquote(part.removeprefix("color=")) for part in raw.split(between)]
        raw = raw.removeprefix("color").removeprefix("=")
    if isinstance(like, str):
        return unquote(raw) if where != "header" else raw
    decode = unquote if where != "header" else str
    parts = [decode(part) for part in raw.split(between)] if not each or isinstance(like, list) else raw.split(between)
    if isinstance(like, list):
        return parts
    if each:
        return {decode(part.partition("=")[0]): decode(part.partition("=")[2]) for part in parts}
    return dict(zip(parts[::2], parts[1::2], strict=True))


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "..",
        ".",
        "../../admin",
        "a/b",
        "%2e%2e",
        "%252e%252e%252f",
        "a?b=c",
        "a#b",
        "a\r\nx-evil: 1",
        "\0",
        "a;b",
        "..;x",
        "a&admin=1",
        "a=b",
        "a+b",
        "a,b",
        "a|b",
        "a b",
        "%",
        "%zz",
        "\u2028",
        "é",
        "//evil.example",
        "\\",
        " ",
        "",
        "a%0d%0ab",
    ]
)
VALUES = WORDS | st.lists(WORDS, min_size=1, max_size=4) | st.dictionaries(WORDS, WORDS, min_size=1, max_size=3)


@pytest.mark.parametrize("tool", SHAPES)
@given(value=VALUES)
@OFTEN
async def test_what_is_sent_is_what_was_meant_or_nothing_is(tool: str, service: Service, value: Any) -> None:
    assume(tool != "query_deepObject_each" or isinstance(value, dict))
    given = OpenApiSettings(description="c.json", url=f"{service.url}/base", at_home=True)
    system = OpenApiSystem(a_system("paint", given, (), {"systems/c.json": DESCRIPTION}), HTTP, CLOCK)
    before = len(service.saw)
    try:
        await system.call(a_system_call(TOOLS[tool], {"color": value}))
    except BadInput:
        assert len(service.saw) == before
        return
    finally:
        await system.close()
    seen = service.last
    raw = place_of(tool, seen)
    assert "x-evil" not in seen.headers
    if tool.startswith("path"):
        plain = raw
        for _ in range(9):
            plain = unquote(plain)
        assert "/" not in plain
        assert "\\" not in plain
        assert plain.partition(";")[0].strip() not in (".", "..")
        assert raw
    else:
        assert not seen.query or tool.startswith("query")
    back = read_back(tool, raw, value)
    assert back == (value if tool[:6] != "header" else _trimmed(value, back))


def _trimmed(value: Any, back: Any) -> Any:
    """Blanks around the value of a header do not count."""
    return value.strip(" \t") if isinstance(value, str) else back if _joined(value) == _joined(back) else value


def _joined(value: Any) -> str:
    return ",".join(value if isinstance(value, list) else [f"{k}={v}" for k, v in value.items()]).strip(" \t")


DESCRIPTION = description()


@pytest.mark.parametrize(
    "value",
    ["", " ", ".", "..", "a/b", "/", "\\", "..\\", "%2e%2e", "%2E", "%252e%252e", "%25252525252e", "a%2fb", "a%5cb",
     "..;a", "%2e%2e;a", "a\r\nb", "a%0d%0ab", "\0", "../../admin?x=1#y", "%c0%ae/"],
)  # fmt: skip
@pytest.mark.parametrize("style", ["simple_one", "label_each", "matrix_each"])
async def test_no_value_makes_another_path(value: str, style: str, system: OpenApiSystem, service: Service) -> None:
    tool = f"path_{style}"
    for hidden in (value, ["ok", value], {"k": value}, {value: "ok"}):
        if value in (".", "..", "%2e%2e", "%2E", "%252e%252e", "%25252525252e", "..;a", "%2e%2e;a") and (
            hidden is not value or style != "simple_one"
        ):
            continue  # beside others these are no folders; the property above looks at what they come to
        error = await refused(system, service, tool, color=hidden)
        assert error.param.startswith("arguments")


async def test_two_values_do_not_make_another_path_together(system: OpenApiSystem, service: Service) -> None:
    assert (await sent(system, service, "two", major="1", minor="2")).path == "/base/v1.2/x"
    assert (await sent(system, service, "beside", major="a", minor=".")).path == "/base/a./x"
    await refused(system, service, "beside", major=".", minor=".")
    await refused(system, service, "beside", major="%2", minor="e.")


async def test_an_object_does_not_bring_other_arguments(system: OpenApiSystem, service: Service) -> None:
    assert (await sent(system, service, "free", rest={"a": "1&admin=1"})).query == "a=1%26admin%3D1"
    await refused(system, service, "free", rest={"admin": "1"})


async def test_allowed_characters_stay_and_dividing_ones_never_do(system: OpenApiSystem, service: Service) -> None:
    seen = await sent(system, service, "free", color="a/b:c?d&e=f#g+h;i", rest={})
    assert seen.query == "color=a/b:c?d%26e%3Df%23g%2Bh%3Bi"


async def test_a_parameter_of_json_is_one_text(system: OpenApiSystem, service: Service) -> None:
    seen = await sent(system, service, "json", color={"a": [1, {"b": "&x=1"}]})
    assert dict(parse_qsl(seen.query)) == {"color": '{"a":[1,{"b":"&x=1"}]}'}


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (7, "7"), (1.5, "1.5"), (2**70, str(2**70)), (-0.0, "-0.0"), (1e300, "1e300")]
)
async def test_values_are_written_as_json_has_them(
    value: Any, text: str, system: OpenApiSystem, service: Service
) -> None:
    assert (await sent(system, service, "query_form_one", color=value)).query == f"color={text}"


async def test_what_has_parts_in_parts_is_refused(system: OpenApiSystem, service: Service) -> None:
    for value in ([["a"]], {"a": {"b": 1}}, [None], {"a": ["b"]}, float("nan"), "\ud800"):
        for tool in ("path_simple_one", "query_form_each", "header_simple_one", "cookie_form_one"):
            await refused(system, service, tool, color=value)


async def test_nothing_is_left_out(system: OpenApiSystem, service: Service) -> None:
    assert (await sent(system, service, "query_form_each")).query == ""
    assert (await sent(system, service, "query_form_each", color=None)).query == ""
    assert (await sent(system, service, "query_form_one", color=[])).query == ""
    assert (await sent(system, service, "query_form_each", color="")).query == "color="
    await refused(system, service, "path_simple_one", color=[])
    await refused(system, service, "path_simple_one")


async def test_an_address_has_a_length(system: OpenApiSystem, service: Service) -> None:
    for tool in ("path_simple_one", "query_form_one", "header_simple_one", "cookie_form_one"):
        await refused(system, service, tool, color="x" * 20_000)
