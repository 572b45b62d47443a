"""Valid bodies drawn from a JSON Schema, and what can be wrong with one: the property-based half of `evals.fuzz`."""

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
Place = tuple[Any, str | int]  # a container, and the key or index in it

_WORDS = ("harbour", "calm", "", "ключ", "🚢", "a" * 300, "\u2028", "'; --", "{{7*7}}", "../../etc")
_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, -0.0, 10**30, -(10**30), 2**63, 1e308, "", "x", "null", "🚢" * 50, [], {}, [[]],
    [None], {"": ""}, {"type": "image_url"}, ["a", 1, None], {"a": {"b": {"c": [1, 2, {"d": None}]}}},
)  # fmt: skip


class Shapes:
    """Draws values of a schema (as `msgspec.json.schema` writes them) and spoils them."""

    def __init__(self, schema: Schema, rng: random.Random) -> None:
        self._schema = schema
        self._defs: dict[str, Schema] = schema.get("$defs", {})
        self._rng = rng

    def valid(self) -> dict[str, Any]:
        """A body that the door takes."""
        return _consistent(self._draw(self._schema, 0))

    def spoilt(self, valid: dict[str, Any]) -> dict[str, Any]:
        """A valid body in which one to three things were changed. By luck it may still be valid."""
        body = copy.deepcopy(valid)
        for _ in range(self._rng.randrange(1, 4)):
            self._spoil(body)
        return body

    def _draw(self, schema: Schema, depth: int) -> Any:
        if "$ref" in schema:
            return self._draw(self._defs[schema["$ref"].rpartition("/")[2]], depth)
        if "anyOf" in schema:
            options = [each for each in schema["anyOf"] if each.get("type") != "null"] or schema["anyOf"]
            return self._draw(self._rng.choice(options), depth)
        if "enum" in schema:
            return self._rng.choice(schema["enum"])
        if "const" in schema:
            return schema["const"]
        return self._draw_type(schema, depth)

    def _draw_type(self, schema: Schema, depth: int) -> Any:
        rng, kind = self._rng, schema.get("type")
        if kind == "object":
            return self._draw_object(schema, depth)
        if kind == "array":
            count = rng.randrange(max(1, schema.get("minItems", 0)), 4)
            return [self._draw(schema.get("items", {}), depth + 1) for _ in range(count)]
        if kind == "integer":
            low = max(schema.get("minimum", 0), -(2**53))
            return rng.randrange(low, min(schema.get("maximum", 100), low + 1000) + 1)
        plain: dict[Any, Any] = {
            "string": (rng.choice(_WORDS) or "x")[: schema.get("maxLength", 300)],
            "number": rng.uniform(schema.get("minimum", 0), schema.get("maximum", 1)),
            "boolean": rng.random() < 0.5,
            "null": None,
        }
        return plain[kind] if kind in plain else rng.choice(("text", 1, True, {"type": "string"}))

    def _draw_object(self, schema: Schema, depth: int) -> dict[str, Any]:
        if "properties" not in schema:
            inner = schema.get("additionalProperties")
            return {} if depth > 4 or not isinstance(inner, dict) else {"key": self._draw(inner, depth + 1)}
        required = set(schema.get("required", ()))
        chance = 0.25 if depth < 3 else 0.05
        return {
            name: self._draw(part, depth + 1)
            for name, part in schema["properties"].items()
            if name in required or self._rng.random() < chance
        }

    def _spoil(self, body: dict[str, Any]) -> None:
        rng = self._rng
        places = list(_places(body))
        if not places:  # all of it was deleted
            return
        container, key = rng.choice(places)
        match rng.randrange(6):
            case 0 | 1:
                container[key] = copy.deepcopy(rng.choice(_ODD))
            case 2:
                del container[key]
            case 3 if isinstance(container, dict):
                container[rng.choice(["wings", "", "__proto__", "model ", "Messages", "🚢"])] = copy.deepcopy(
                    rng.choice(_ODD)
                )
            case 4 if isinstance(container, dict):
                container[f"{key}{rng.choice('_ sX')}"] = container.pop(key)
            case _:
                container[key] = [container[key]] if rng.random() < 0.5 else {"value": container[key]}


def _consistent(body: dict[str, Any]) -> dict[str, Any]:
    """The same body, keeping the rules that a schema of types cannot say."""
    for message in body.get("messages", ()):
        message["content"] = message.get("content") or "x"
        if message["role"] == "tool":
            message["tool_call_id"] = "call_1"
    if isinstance(body.get("prompt"), list):
        body["prompt"] = ["x"]
    if isinstance(body.get("input"), list):
        body["input"] = ["x"] if "instructions" not in body else "x"
    for alone in ("suffix", "best_of", "previous_response_id", "conversation"):
        body.pop(alone, None)
    if not body.get("tools"):
        body.pop("tool_choice", None)
    if not body.get("stream"):
        body.pop("stream_options", None)
    if not body.get("logprobs"):
        body.pop("top_logprobs", None)
    if body.get("response_format", {}).get("type") == "json_schema":
        body["response_format"].setdefault("json_schema", {"name": "x"})
    return body


def _places(value: Any) -> Iterator[Place]:
    if isinstance(value, dict):
        for key in list(value):
            yield value, key
            yield from _places(value[key])
    elif isinstance(value, list):
        for index in range(len(value)):
            yield value, index
            yield from _places(value[index])


def nested(rng: random.Random) -> bytes:
    """Something that is nested very deeply."""
    depth = rng.choice([100, 1_000, 50_000, 200_000])
    opening, closing = rng.choice([(b"[", b"]"), (b'{"a":', b"}")])
    inside = opening * depth + b"1" + closing * (depth if rng.random() < 0.5 else 0)
    around = rng.choice(
        [b"%s", b'{"model":"small","messages":[{"role":"user","content":%s}]}',
         b'{"model":"small","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":'
         b'{"name":"f","parameters":%s}}],"wings":1}'],
    )  # fmt: skip
    return around.replace(b"%s", inside)


def numbers(rng: random.Random) -> bytes:
    """Numbers that are too large, too precise or none."""
    number = rng.choice(["1e999", "-1e999", "9" * 5000, "0." + "1" * 5000, "NaN", "Infinity", "0x10", "01", "+1", "1_0",
                         "1e", "--1", "9223372036854775808", "1.0000001e400"])  # fmt: skip
    field = rng.choice(["max_tokens", "temperature", "n", "seed", "top_p", "logprobs"])
    return f'{{"model":"small","messages":[{{"role":"user","content":"x"}}],"{field}":{number}}}'.encode()


def twice(rng: random.Random, body: dict[str, Any]) -> bytes:
    """A body in which a key stands twice, the second time with nonsense."""
    key = rng.choice(list(body))
    first = json.dumps(body)[:-1]
    return f"{first}, {json.dumps(key)}: {json.dumps(rng.choice(_ODD))}}}".encode("utf-8", "surrogatepass")


def encoded_wrongly(rng: random.Random, body: dict[str, Any]) -> bytes:
    """JSON that is not UTF-8, or holds what UTF-8 has no place for."""
    text = json.dumps(body, ensure_ascii=False)
    return rng.choice([
        text.encode("utf-16"),
        b"\xef\xbb\xbf" + text.encode(),
        text.encode().replace(b'"x"', b'"\xff\xfe"') + b"\xc3",
        b'{"model":"small","messages":[{"role":"user","content":"\\ud800"}]}',
        b'{"model":"sm\x00all","messages":[{"role":"user","content":"\x01"}]}',
        b'{"model":"small","messages":[{"role":"user","content":"\xed\xa0\x80"}]}',
        text.encode() + rng.choice([b"\x00", b"}", b"{}", b"\n\n,", b"//"]),
    ])  # fmt: skip


def garbage(rng: random.Random) -> bytes:
    """Bytes, and JSON that is no object."""
    if rng.random() < 0.5:
        return rng.randbytes(rng.choice([0, 1, 2, 17, 300, 5000]))
    return rng.choice([b"", b" ", b"null", b"true", b"[]", b"{}", b'""', b"0", b"{", b"[[[", b'{"model"', b"{]}",
                       b"<xml/>", b"model=small&messages=x", b"--boundary\r\n", b"\r\n\r\n",
                       b"{'model': 'small'}"])  # fmt: skip
