"""The table of fields says what the drivers do: every row is tried on every driver."""

import json
from typing import Any

import msgspec
import pytest
from tests.models.calls import MODEL, a_call

from fairlead.errors import Rejected
from fairlead.models import anthropic_request, bedrock_request, google_request, ollama_request, openai_request
from fairlead.models.content import (
    AudioPart,
    CacheControl,
    FileData,
    FilePart,
    ImagePart,
    ImageUrl,
    Sound,
    Thought,
)
from fairlead.models.fields import ADDRESS, LEFT_OUT, REFUSED, REQUEST, Field
from fairlead.models.reply_fields import REPLY
from fairlead.models.sampling import Handling, Sampling
from fairlead.models.schemes import FULL
from fairlead.models.types import (
    ChatRequest,
    Chunk,
    Function,
    FunctionTool,
    JsonSchemaSpec,
    Message,
    NamedFunction,
    NamedToolChoice,
    ResponseFormat,
    TextPart,
    Tool,
    ToolCall,
    Usage,
)

WRITERS = {
    "chat": lambda call: openai_request.encode(call, FULL, identify=True),
    "anthropic": lambda call: anthropic_request.encode(call, identify=True),
    "google": lambda call: google_request.encode(call, identify=True),
    "bedrock": lambda call: bedrock_request.encode(call, identify=True),
    "ollama": ollama_request.encode,
}
# Which model is asked matters where a vendor's families differ.
REMOTES = {"sampling.top_k": "anthropic.claude", "sampling.reasoning_budget": "anthropic.claude"}

PNG = "data:image/png;base64,AAAA"
PDF = "data:application/pdf;base64,BBBB"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
TOOLS = {"tools": [Tool(FunctionTool("f", "does f", SCHEMA))]}
MARK = CacheControl("ephemeral", "1h")
ASKED = Message("user", "hi")
CALLED = Message("assistant", tool_calls=[ToolCall("c1", Function("f", '{"a":1}'))])


def said(*parts: Any) -> dict[str, Any]:
    return {"messages": [Message("user", list(parts))]}


def after(**turn: Any) -> dict[str, Any]:
    return {"messages": [ASKED, Message("assistant", **{"content": "yes", **turn}), ASKED]}


def result(**turn: Any) -> dict[str, Any]:
    return {"messages": [ASKED, CALLED, Message("tool", **{"content": "done", "tool_call_id": "c1", **turn})], **TOOLS}


def proved(kind: str, wire: str) -> Thought:
    text = {"text": "hm"} if kind == "signature" else {}
    return Thought(**text, **{kind: f"{wire}:c2ln"})


def sampling(**knob: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"sampling": Sampling(**knob)}, {}


def handling(**knob: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return {"handling": Handling(**knob)}, {}


def form(kind: str, schema: dict[str, Any] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    spec = None if schema is None else JsonSchemaSpec("x", schema=schema)
    return {"response_format": ResponseFormat(kind, spec)}, {}


def pairs(wire: str) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """For each row a request that uses the field, and the same request without it."""
    picture, paper = ImagePart(ImageUrl(PNG)), FilePart(FileData(PDF))
    named = NamedToolChoice(NamedFunction("f"))
    strict = {"tools": [Tool(FunctionTool("f", "does f", SCHEMA, strict=True))]}
    marked = {"tools": [Tool(FunctionTool("f", "does f", SCHEMA), cache_control=MARK)]}
    signed = [ToolCall("c1", Function("f", '{"a":1}'), signature=f"{wire}:c2ln")]
    return {
        "model": ({}, {}),
        "stream": ({"stream": True}, {"stream": True}),
        "max_output": ({}, {}),
        "choices": ({"choices": 2}, {}),
        "messages: system, developer": ({"messages": [Message("developer", "be kind"), ASKED]}, {}),
        "messages: content": ({}, {}),
        "text.title": (said(TextPart("a", title="Title")), said(TextPart("a"))),
        "text.cache_control": (said(TextPart("a", cache_control=MARK)), said(TextPart("a"))),
        "image_url.url (data)": (said(TextPart("a"), picture), said(TextPart("a"))),
        "image_url.url (address)": (said(TextPart("a"), ImagePart(ImageUrl("https://a.example/x.png"))), {}),
        "image_url.detail": (said(TextPart("a"), ImagePart(ImageUrl(PNG, "high"))), said(TextPart("a"), picture)),
        "file.file_data": (said(paper), {}),
        "file.file_url": (said(FilePart(FileData(file_url="https://a.example/x.pdf"))), {}),
        "file.filename": (said(FilePart(FileData(PDF, filename="x.pdf"))), said(paper)),
        "input_audio": (said(AudioPart(Sound("CCCC", "wav"))), {}),
        "name": ({"messages": [Message("user", "hi", name="ann")]}, {"messages": [ASKED]}),
        "tool_calls": ({"messages": [ASKED, CALLED]}, {"messages": [ASKED]}),
        "tool_calls.signature": (
            {"messages": [ASKED, Message("assistant", tool_calls=signed)]},
            {"messages": [ASKED, CALLED]},
        ),
        "tool_call_id": (result(), {}),
        "images in a tool's result": (result(content=[TextPart("see"), picture]), {}),
        "is_error": (result(is_error=True), result()),
        "refusal": (after(content=None, refusal="no"), {}),
        "reasoning_content": (after(reasoning_content="hm"), after()),
        "thoughts.text, thoughts.signature": (after(thoughts=[proved("signature", wire)]), after()),
        "thoughts.sealed": (after(thoughts=[proved("sealed", wire)]), after()),
        "tools": (TOOLS, {}),
        "tools.strict": (strict, TOOLS),
        "tools.cache_control": (marked, TOOLS),
        "tool_choice: auto": ({**TOOLS, "tool_choice": "auto"}, TOOLS),
        "tool_choice: none": ({**TOOLS, "tool_choice": "none"}, {}),
        "tool_choice: required": ({**TOOLS, "tool_choice": "required"}, TOOLS),
        "tool_choice: named": ({**TOOLS, "tool_choice": named}, TOOLS),
        "parallel_tool_calls: false": ({**TOOLS, "parallel_tool_calls": False}, TOOLS),
        "response_format: json_object": form("json_object"),
        "response_format: json_schema": form("json_schema", SCHEMA),
        "sampling.temperature": sampling(temperature=0.5),
        "sampling.top_p": sampling(top_p=0.5),
        "sampling.top_k": sampling(top_k=5),
        "sampling.frequency_penalty": sampling(frequency_penalty=0.5),
        "sampling.presence_penalty": sampling(presence_penalty=0.5),
        "sampling.seed": sampling(seed=5),
        "sampling.stop": sampling(stop="x"),
        "sampling.logit_bias": sampling(logit_bias={"3": -100}),
        "sampling.logprobs": sampling(logprobs=True),
        "sampling.top_logprobs": sampling(logprobs=True, top_logprobs=2),
        "sampling.reasoning_effort": sampling(reasoning_effort="high"),
        "sampling.reasoning_budget": sampling(reasoning_budget=2048),
        "sampling.reasoning_summary": (
            {"sampling": Sampling(reasoning_budget=2048, reasoning_summary="auto")},
            {"sampling": Sampling(reasoning_budget=2048)},
        ),
        "sampling.verbosity": sampling(verbosity="low"),
        "handling.service_tier": handling(service_tier="flex"),
        "handling.prompt_cache_key": handling(prompt_cache_key="k"),
        "handling.prompt_cache_retention": handling(prompt_cache_retention="24h"),
        "handling.user": handling(user="u"),
        "handling.safety_identifier": handling(safety_identifier="u"),
        "handling.metadata": handling(metadata={"a": "b"}),
    }


def written(wire: str, field: Field, request: dict[str, Any]) -> Any:
    model = msgspec.structs.replace(MODEL, remote=REMOTES.get(field.name, "tiny"))
    return json.loads(WRITERS[wire](a_call(model=model, **request)))


def found(body: Any, path: str) -> list[Any]:
    """What stands at a path."""
    values = [body]
    for step in path.split("."):
        name = step.removesuffix("[]")
        values = [value[name] for value in values if isinstance(value, dict) and name in value]
        if step.endswith("[]"):
            values = [each for value in values if isinstance(value, list) for each in value]
    return values


@pytest.mark.parametrize("wire", WRITERS)
@pytest.mark.parametrize("field", REQUEST, ids=lambda field: field.name)
def test_a_field_goes_where_the_table_says(field: Field, wire: str) -> None:
    place = getattr(field, wire)
    using, without = pairs(wire)[field.name]
    if place == REFUSED:
        with pytest.raises(Rejected) as caught:
            written(wire, field, using)
        assert "house" in caught.value.message
        assert named_by(field, caught.value.message)
    elif place == LEFT_OUT:
        assert written(wire, field, using) == written(wire, field, without)
    elif place == "the tools are left out":
        assert written(wire, field, using) == written(wire, field, {})
    elif place != ADDRESS:
        body = written(wire, field, using)
        assert found(body, place), f"nothing at {place}: {body}"


def named_by(field: Field, message: str) -> bool:
    names = {"choices": "(n)", "images in a tool's result": "image_url", "file.filename": "file"}
    last = field.name.rpartition(".")[2].partition(":")[0].partition(" ")[0]
    looked_for = names.get(field.name, "file" if last.startswith("file_") else last)
    return looked_for.removeprefix("top_") in message or last in message


SAID_OTHERWISE = {
    "size": "what Fairlead counted, sent nowhere", "labels": "what Fairlead knows of the messages, sent nowhere",
    "sampling": "row by row", "handling": "row by row", "messages": "row by row", "role": "messages: system, developer",
    "content": "messages: content", "thoughts": "thoughts.signature", "estimated": "Fairlead's own mark",
    "usage": "row by row", "thought": "row by row", "index": "which choice it belongs to",
}  # fmt: skip


@pytest.mark.parametrize(
    "kind", [ChatRequest, Message, Sampling, Handling, ImageUrl, FileData, TextPart, Thought, Tool]
)
def test_every_field_of_a_request_has_its_row(kind: type[msgspec.Struct]) -> None:
    table = " ".join(field.name for field in REQUEST)
    others = {"function", "type", "text", "thoughts", "cache_control"}
    missing = [name for name in kind.__struct_fields__ if name not in table and name not in SAID_OTHERWISE]
    assert set(missing) - others == set()


@pytest.mark.parametrize("kind", [Chunk, Usage])
def test_every_field_of_a_reply_has_its_row(kind: type[msgspec.Struct]) -> None:
    names = {part for field in REPLY for part in field.name.split(".")}
    assert set(kind.__struct_fields__) - names - set(SAID_OTHERWISE) == set()
