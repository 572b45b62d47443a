"""A request means the same on every wire, and a reply the same from every wire."""

import itertools
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.faults import wires
from tests.faults.speech import Asked, Reply
from tests.models import readers
from tests.models.calls import MODEL, Outcome, a_call

from fairlead.models import anthropic_request, bedrock_request, google_request, openai_request
from fairlead.models.anthropic_reply import AnthropicReader
from fairlead.models.bedrock_reply import BedrockReader
from fairlead.models.content import CacheControl, FileData, FilePart, ImagePart, ImageUrl, Thought
from fairlead.models.google_reply import GoogleReader
from fairlead.models.ollama_reply import OllamaReader
from fairlead.models.openai_reply import OpenAIReader
from fairlead.models.sampling import Sampling
from fairlead.models.schemes import FULL
from fairlead.models.types import (
    Function,
    FunctionTool,
    JsonSchemaSpec,
    Message,
    NamedFunction,
    NamedToolChoice,
    Part,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
)

Write = Callable[[Any], bytes]
Read = Callable[[dict[str, Any]], dict[str, Any]]
# Writer, reader, and what the wire carries of what others do not.
WIRES: dict[str, tuple[Write, Read, frozenset[str]]] = {
    "openai": (lambda call: openai_request.encode(call, FULL), readers.read_chat, frozenset({"image at"})),
    "anthropic": (
        anthropic_request.encode,
        readers.read_messages,
        frozenset({"image at", "file at", "mark", "thought", "sealed", "error", "result image"}),
    ),
    "google": (
        google_request.encode,
        readers.read_google,
        frozenset({"image at", "file at", "thought", "error", "result image"}),
    ),
    "bedrock": (
        bedrock_request.encode,
        readers.read_bedrock,
        frozenset({"mark", "thought", "sealed", "error", "result image"}),
    ),
}

WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
DATA = st.sampled_from(["AAAA", "iVBORw0KGgo=", "BB=="])
MARKS = st.none() | st.sampled_from([CacheControl("ephemeral"), CacheControl("ephemeral", "1h")])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)
ARGUMENTS = st.dictionaries(WORDS, JSON, max_size=2)
SCHEMAS = st.sampled_from(
    [{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "object", "properties": {}}]
)


@cache
def texts(carried: frozenset[str]) -> st.SearchStrategy[Part]:
    return st.builds(TextPart, WORDS, cache_control=MARKS if "mark" in carried else st.none())


@cache
def images(carried: frozenset[str]) -> st.SearchStrategy[Part]:
    urls = st.builds("data:image/png;base64,{}".format, DATA)
    if "image at" in carried:
        urls = urls | st.just("https://a.example/x.png")
    return st.builds(ImagePart, st.builds(ImageUrl, urls), cache_control=MARKS)


@cache
def files(carried: frozenset[str]) -> st.SearchStrategy[Part]:
    data = st.builds(FileData, file_data=st.builds("data:application/pdf;base64,{}".format, DATA))
    if "file at" in carried:
        data = data | st.just(FileData(file_url="https://a.example/x.pdf"))
    return st.builds(FilePart, data)


@cache
def questions(carried: frozenset[str]) -> st.SearchStrategy[str | list[Part]]:
    parts = texts(carried) | images(carried) | files(carried) | st.builds(TextPart, WORDS, st.just("Title"))
    return WORDS | st.lists(parts, min_size=1, max_size=3)


@cache
def results(carried: frozenset[str]) -> st.SearchStrategy[str | list[Part]]:
    shown = texts(carried) | images(carried - {"image at"}) if "result image" in carried else texts(carried)
    return WORDS | st.builds(lambda text, part: [text, part], texts(frozenset()), shown)


SEVERAL = st.lists(ARGUMENTS, max_size=2)
THOUGHTS = st.lists(st.builds(Thought, WORDS, DATA), max_size=1)
SEALED = st.lists(st.builds(Thought, sealed=DATA), max_size=1)
CHOICES = st.sampled_from([None, "auto", "required", NamedToolChoice(NamedFunction("look_up"))])
SAMPLINGS = st.builds(
    Sampling,
    temperature=st.none() | st.sampled_from([0.0, 0.5, 1.0]),
    top_p=st.none() | st.sampled_from([0.1, 1.0]),
    stop=st.none() | WORDS | st.lists(WORDS, min_size=1, max_size=2),
)


@st.composite
def conversations(draw: st.DrawFn, carried: frozenset[str]) -> list[Message]:
    """Turns as they come in life: a system prompt, questions, rounds of tools, answers."""
    messages = [Message("system", draw(WORDS))] if draw(st.booleans()) else []
    for number in range(draw(st.integers(1, 3))):
        messages.append(Message("user", draw(questions(carried))))
        thoughts = draw(THOUGHTS) if "thought" in carried else []
        if "sealed" in carried:
            thoughts += draw(SEALED)
        calls = [
            ToolCall(f"call_{number}_{n}", Function("look_up", json.dumps(each)))
            for n, each in enumerate(draw(SEVERAL))
        ]
        messages.append(Message("assistant", draw(WORDS), tool_calls=calls or None, thoughts=thoughts or None))
        for call in calls:
            failed = (draw(st.booleans()) or None) if "error" in carried else None
            messages.append(Message("tool", draw(results(carried)), tool_call_id=call.id, is_error=failed))
    messages.append(Message("user", draw(WORDS)))
    return messages


@st.composite
def requests(draw: st.DrawFn, carried: frozenset[str]) -> dict[str, Any]:
    tool = Tool(FunctionTool("look_up", draw(WORDS), draw(SCHEMAS)))
    schema = draw(st.none() | SCHEMAS)
    return {
        "messages": draw(conversations(carried)),
        "tools": [tool],
        "tool_choice": draw(CHOICES),
        "response_format": None
        if schema is None
        else ResponseFormat("json_schema", JsonSchemaSpec("x", schema=schema)),
        "max_output": draw(st.integers(1, 9999)),
        "sampling": draw(SAMPLINGS),
    }


def meaning(request: dict[str, Any], carried: frozenset[str]) -> dict[str, Any]:
    """What the request means, as far as a wire carries it."""
    choice, form, knobs = request["tool_choice"], request["response_format"], request["sampling"]
    tools = [each.function for each in request["tools"]]
    stop = knobs.stop
    turns: list[readers.Turn] = []
    for message in request["messages"]:
        items = [item for part in _parts(message) for item in _items(part, carried)]
        if message.role == "tool":
            turns.append(("user", [("result", message.tool_call_id, items, bool(message.is_error))]))
        elif message.role != "system":
            thoughts = [("sealed", each.sealed) if each.sealed else ("thought", each.text, each.signature)
                        for each in message.thoughts or ()]  # fmt: skip
            calls = [("call", each.id, each.function.name, json.loads(each.function.arguments))
                     for each in message.tool_calls or ()]  # fmt: skip
            turns.append((message.role, [*thoughts, *items, *calls]))
    return {
        "system": "".join(each.content for each in request["messages"] if each.role == "system"),
        "turns": [(role, [each for item in items for each in _flat(item)]) for role, items in readers.joined(turns)],
        "tools": [(each.name, each.description, each.parameters) for each in tools],
        "choice": ("named", choice.function.name) if isinstance(choice, NamedToolChoice) else choice,
        "schema": form.json_schema.schema if form else None,
        "limit": request["max_output"],
        "temperature": knobs.temperature,
        "top_p": knobs.top_p,
        "stop": [stop] if isinstance(stop, str) else stop,
    }


def _flat(item: readers.Item) -> list[readers.Item]:
    """A result with its texts joined and its marks behind it: some wires have them there, others inside."""
    if item[0] != "result":
        return [item]
    text = "".join(each[1] for each in item[2] if each[0] == "text")
    others = [each for each in item[2] if each[0] not in ("text", "mark")]
    marks = [each for each in item[2] if each[0] == "mark"]
    return [("result", item[1], [("text", text), *others], item[3]), *marks]


def _parts(message: Message) -> list[Part]:
    return [TextPart(message.content)] if isinstance(message.content, str) else message.content or []


def _items(part: Part, carried: frozenset[str]) -> list[readers.Item]:
    match part:
        case TextPart(title=None):
            item: readers.Item = ("text", part.text)
        case TextPart():
            item = ("text", f"{part.title}\n\n{part.text}")
        case ImagePart():
            item = _media(part.image_url.url, "image")
        case FilePart(file=file):
            item = _media(file.file_data or file.file_url or "", "file")
        case _:
            raise AssertionError(part)
    marked = part.cache_control is not None and "mark" in carried
    return [item, ("mark", part.cache_control.ttl)] if marked and part.cache_control else [item]


def _media(url: str, kind: str) -> readers.Item:
    if not url.startswith("data:"):
        return (f"{kind} at", url)
    mime, _, data = url.removeprefix("data:").partition(";base64,")
    return (kind, mime, data)


@pytest.mark.parametrize("wire", WIRES)
@given(data=st.data())
def test_a_request_means_the_same_on_every_wire(wire: str, data: st.DataObject) -> None:
    write, read, carried = WIRES[wire]
    request = data.draw(requests(carried))
    found = read(json.loads(write(a_call(model=msgspec.structs.replace(MODEL, remote="gemini-2.5"), **request))))
    found["turns"] = [(role, [each for item in items for each in _flat(item)]) for role, items in found["turns"]]
    assert found == meaning(request, carried)


PIECES = st.text(st.characters(exclude_categories=("Cs", "Zs", "Cc", "Zl", "Zp")), min_size=1, max_size=8)
REPLIES = st.builds(
    lambda words, calls, thoughts: Reply(
        words=words,
        tools=[(f"call_{n}", "look_up", arguments) for n, arguments in enumerate(calls)],
        reasoning=" ".join(thoughts),
        finish="tool_calls" if calls else "stop",
    ),
    st.lists(PIECES, min_size=1, max_size=6),
    SEVERAL,
    st.lists(PIECES, max_size=3),
)
READERS: dict[str, Callable[[], Any]] = {
    wires.OPENAI: lambda: OpenAIReader("house"),
    wires.ANTHROPIC: lambda: AnthropicReader("house"),
    wires.OLLAMA: lambda: OllamaReader("house", "k"),
    wires.GOOGLE: lambda: GoogleReader("house", "k"),
    wires.BEDROCK: lambda: BedrockReader("house"),
}


@pytest.mark.parametrize("wire", READERS)
@pytest.mark.parametrize("streamed", [True, False])
@given(reply=REPLIES, cuts=st.lists(st.integers(0, 5000), max_size=12))
def test_a_reply_means_the_same_from_every_wire_however_the_network_cuts_it(
    wire: str, streamed: bool, reply: Reply, cuts: list[int]
) -> None:
    asked = Asked(wire, "tiny", streamed, "", 9, None, 1, [], None, False, False)
    usage, reader = wires.counts(asked, reply), READERS[wire]()
    if streamed:
        body = b"".join(wires.stream(asked, reply, usage))
        places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
        pieces = [*(body[start:end] for start, end in itertools.pairwise(places)), b""]
        outcome = Outcome([chunk for piece in pieces for chunk in reader.feed(piece)])
    else:
        outcome = Outcome(reader.whole(json.dumps(wires.whole(asked, reply, usage)).encode()))
    assert reader.failure is None
    assert outcome.text == " ".join(reply.words)
    assert "".join(chunk.reasoning for chunk in outcome.chunks) == reply.reasoning
    assert [(name, json.loads(given_)) for _, name, given_ in outcome.tools] == [each[1:] for each in reply.tools]
    assert outcome.finishes == {0: reply.finish}
    assert (reader.usage.input, reader.usage.output) == (9, reply.output)
    assert not reader.usage.estimated
