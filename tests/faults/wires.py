"""How the misbehaving provider says one reply on its wires; here OpenAI chat, Anthropic Messages and Ollama chat."""

import json
from typing import Any

from tests.faults import cloud_wires, vector_wires
from tests.faults.cloud_wires import BEDROCK, GOOGLE
from tests.faults.speech import PROSE, Asked, Reply, reply_to, spoken

__all__ = ["ANTHROPIC", "BEDROCK", "GOOGLE", "OLLAMA", "OPENAI", "PROSE", "Asked", "Reply", "reply_to"]

_SPELT = json.JSONEncoder(ensure_ascii=False).encode  # `json.dumps` makes an encoder for each of thousands of events

OPENAI, ANTHROPIC, OLLAMA = "/v1/chat/completions", "/v1/messages", "/api/chat"


def wire_of(path: str) -> str | None:
    """The wire that is spoken at a path."""
    if path in (OPENAI, ANTHROPIC, OLLAMA):
        return path
    return cloud_wires.wire_of(path) or vector_wires.wire_of(path)


def read(path: str, body: dict[str, Any]) -> Asked:
    wire = wire_of(path)
    if vector_wires.wire_of(path) is not None:
        return vector_wires.read(path, body)
    if wire == GOOGLE:
        return cloud_wires.read_google(path, body)
    return cloud_wires.read_bedrock(path, body) if wire == BEDROCK else _read(path, body)


def _read(path: str, body: dict[str, Any]) -> Asked:
    options = body.get("options", {})
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or options.get("num_predict")
    messages = body["messages"]
    tools = [tool.get("function", tool) for tool in body.get("tools") or []]
    choice = body.get("tool_choice")
    if choice == "none" or (isinstance(choice, dict) and choice.get("type") == "none"):
        tools = []
    schema = body.get("format") or (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    config = body.get("output_config") or {}
    schema = schema or (config.get("format") or {}).get("schema")
    last = messages[-1]
    content = last["content"] if last.get("content") else ""
    answered = last["role"] == "tool" or (
        isinstance(content, list) and any(part.get("type") == "tool_result" for part in content)
    )
    return Asked(
        wire=path,
        model=body["model"],
        stream=bool(body.get("stream", path == OLLAMA)),
        text=content if isinstance(content, str) else "".join(part.get("text", "") for part in content),
        input=len(json.dumps(messages).split()),
        limit=limit,
        choices=body.get("n", 1),
        tools=tools,
        schema=schema if isinstance(schema, dict) else None,
        logprobs=bool(body.get("logprobs")),
        answered_tool=answered,
        stops=tuple(body.get("stop_sequences") or body.get("stop") or ()),
    )


def whole(asked: Asked, reply: Reply, usage: Any, fault: str = "") -> dict[str, Any]:
    """The body of an answer that is not a stream. `usage` None leaves the counts out, another value replaces them."""
    if asked.texts:
        return vector_wires.whole(asked, usage, fault)
    return {
        OPENAI: _openai_whole,
        ANTHROPIC: _anthropic_whole,
        OLLAMA: _ollama_whole,
        GOOGLE: cloud_wires.google_whole,
        BEDROCK: cloud_wires.bedrock_whole,
    }[asked.wire](asked, reply, usage)


def stream(asked: Asked, reply: Reply, usage: Any) -> list[bytes]:
    """The events of a stream, the one that ends it included."""
    return {
        OPENAI: _openai_stream,
        ANTHROPIC: _anthropic_stream,
        OLLAMA: _ollama_stream,
        GOOGLE: cloud_wires.google_stream,
        BEDROCK: cloud_wires.bedrock_stream,
    }[asked.wire](asked, reply, usage)


def counts(asked: Asked, reply: Reply) -> dict[str, Any]:
    if asked.texts:
        return vector_wires.counts(asked)
    output = reply.output * asked.choices
    if asked.wire in (GOOGLE, BEDROCK):
        return (cloud_wires.google_counts if asked.wire == GOOGLE else cloud_wires.bedrock_counts)(asked, reply)
    if asked.wire == OPENAI:
        return {
            "prompt_tokens": asked.input,
            "completion_tokens": output,
            "total_tokens": asked.input + output,
            "prompt_tokens_details": {"cached_tokens": 1},
            "completion_tokens_details": {"reasoning_tokens": len(reply.reasoning.split())},
        }
    if asked.wire == ANTHROPIC:
        return {
            "input_tokens": asked.input - 3,
            "cache_read_input_tokens": 2,
            "cache_creation_input_tokens": 1,
            "output_tokens": output,
        }
    return {"prompt_eval_count": asked.input, "eval_count": output}


def error_body(wire: str, status: int, message: str, code: str) -> dict[str, Any]:
    if wire == ANTHROPIC:
        return {"type": "error", "error": {"type": code, "message": message}}
    if wire in (OLLAMA, vector_wires.OLLAMA_VECTORS):
        return {"error": message}
    if wire in (BEDROCK, vector_wires.TITAN_VECTORS, vector_wires.COHERE_VECTORS):
        return {"message": message}
    if wire == GOOGLE:
        return {"error": {"code": status, "message": message, "status": code.upper()}}
    return {"error": {"message": message, "type": code, "param": None, "code": code if status == 400 else status}}


# OpenAI


def _openai_whole(asked: Asked, reply: Reply, usage: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": " ".join(reply.words) if reply.words else None}
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tools:
        message["tool_calls"] = [
            {"id": id_, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for id_, name, arguments in reply.tools
        ]
    logprobs = {
        "content": [{"token": word, "logprob": -0.5, "bytes": None, "top_logprobs": []} for word in reply.words]
    }
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": asked.model,
        "choices": [
            {
                "index": n,
                "message": message,
                "logprobs": logprobs if asked.logprobs else None,
                "finish_reason": reply.finish,
                **_stopped(reply),
            }
            for n in range(asked.choices)
        ],
    }
    return body if usage is None else {**body, "usage": usage}


def _stopped(reply: Reply) -> dict[str, str]:
    """What vLLM says of a stop sequence that was met."""
    return {"stop_reason": reply.stop} if reply.stop else {}


def _openai_event(asked: Asked, choices: list[dict[str, Any]], **more: Any) -> bytes:
    event = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": asked.model}
    return b"data: " + _SPELT({**event, "choices": choices, **more}).encode() + b"\n\n"


def _openai_stream(asked: Asked, reply: Reply, usage: Any) -> list[bytes]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None}]
    deltas += [{"reasoning_content": word} for word in spoken(reply.reasoning.split())]
    deltas += [{"content": word} for word in spoken(reply.words)]
    for n, (id_, name, arguments) in enumerate(reply.tools):
        text = json.dumps(arguments)
        head = {"index": n, "id": id_, "type": "function", "function": {"name": name, "arguments": ""}}
        deltas.append({"tool_calls": [head]})
        deltas += [
            {"tool_calls": [{"index": n, "function": {"arguments": text[i : i + 5]}}]} for i in range(0, len(text), 5)
        ]
    events = []
    for delta in deltas:
        for n in range(asked.choices):
            choice: dict[str, Any] = {"index": n, "delta": delta, "finish_reason": None}
            if asked.logprobs and delta.get("content"):
                choice["logprobs"] = {"content": [{"token": delta["content"], "logprob": -0.5}]}
            events.append(_openai_event(asked, [choice]))
    for n in range(asked.choices):
        events.append(
            _openai_event(asked, [{"index": n, "delta": {}, "finish_reason": reply.finish, **_stopped(reply)}])
        )
    if usage is not None:
        events.append(_openai_event(asked, [], usage=usage))
    return [*events, b"data: [DONE]\n\n"]


# Anthropic

_STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


def _anthropic_whole(asked: Asked, reply: Reply, usage: Any) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if reply.reasoning:
        content.append({"type": "thinking", "thinking": reply.reasoning, "signature": "c2ln"})
    if reply.words:
        content.append({"type": "text", "text": " ".join(reply.words)})
    content += [{"type": "tool_use", "id": i, "name": name, "input": given} for i, name, given in reply.tools]
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": content,
        "stop_reason": "stop_sequence" if reply.stop else _STOPS[reply.finish],
        "stop_sequence": reply.stop or None,
    }
    return body if usage is None else {**body, "usage": usage}


def _named(name: str, **fields: Any) -> bytes:
    return f"event: {name}\ndata: {_SPELT({'type': name, **fields})}\n\n".encode()


def _anthropic_stream(asked: Asked, reply: Reply, usage: Any) -> list[bytes]:
    message = _anthropic_whole(asked, Reply(), None) | {"content": [], "stop_reason": None}
    if usage is not None:
        message["usage"] = {**usage, "output_tokens": 1} if isinstance(usage, dict) else usage
    events = [_named("message_start", message=message), _named("ping")]
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
    if reply.reasoning:
        pieces = [{"type": "thinking_delta", "thinking": word} for word in spoken(reply.reasoning.split())]
        pieces.append({"type": "signature_delta", "signature": "c2ln"})
        blocks.append(({"type": "thinking", "thinking": "", "signature": ""}, pieces))
    if reply.words:
        blocks.append(
            ({"type": "text", "text": ""}, [{"type": "text_delta", "text": word} for word in spoken(reply.words)])
        )
    for id_, name, given in reply.tools:
        text = json.dumps(given)
        pieces = [{"type": "input_json_delta", "partial_json": text[i : i + 5]} for i in range(0, len(text), 5)]
        blocks.append(({"type": "tool_use", "id": id_, "name": name, "input": {}}, pieces))
    for n, (block, pieces) in enumerate(blocks):
        events.append(_named("content_block_start", index=n, content_block=block))
        events += [_named("content_block_delta", index=n, delta=piece) for piece in pieces]
        events.append(_named("content_block_stop", index=n))
    stopped = _anthropic_whole(asked, reply, None)
    end: dict[str, Any] = {"delta": {name: stopped[name] for name in ("stop_reason", "stop_sequence")}}
    if usage is not None:
        end["usage"] = {"output_tokens": usage["output_tokens"]} if isinstance(usage, dict) else usage
    return [*events, _named("message_delta", **end), _named("message_stop")]


# Ollama


def _ollama_line(asked: Asked, message: dict[str, Any], **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "", **message}
    return {"model": asked.model, "created_at": "2026-01-01T00:00:00Z", "message": message, "done": False, **more}


def _ollama_end(reply: Reply, usage: Any) -> dict[str, Any]:
    end = {"done": True, "done_reason": "length" if reply.finish == "length" else "stop", "total_duration": 5}
    return end if not isinstance(usage, dict) else {**end, **usage}


def _ollama_tools(reply: Reply) -> list[dict[str, Any]]:
    return [{"function": {"name": name, "arguments": given}} for _, name, given in reply.tools]


def _ollama_whole(asked: Asked, reply: Reply, usage: Any) -> dict[str, Any]:
    message: dict[str, Any] = {"content": " ".join(reply.words)}
    if reply.reasoning:
        message["thinking"] = reply.reasoning
    if reply.tools:
        message["tool_calls"] = _ollama_tools(reply)
    return _ollama_line(asked, message, **_ollama_end(reply, usage))


def _ollama_stream(asked: Asked, reply: Reply, usage: Any) -> list[bytes]:
    lines = [_ollama_line(asked, {"thinking": word}) for word in spoken(reply.reasoning.split())]
    lines += [_ollama_line(asked, {"content": word}) for word in spoken(reply.words)]
    lines += [_ollama_line(asked, {"tool_calls": [tool]}) for tool in _ollama_tools(reply)]
    lines.append(_ollama_line(asked, {}, **_ollama_end(reply, usage)))
    return [_SPELT(line).encode() + b"\n" for line in lines]
