"""How the misbehaving provider speaks Google's generateContent and Amazon Bedrock's Converse."""

import json
import re
from typing import Any
from urllib.parse import unquote

from tests.faults.frames import event
from tests.faults.speech import Asked, Reply, spoken

GOOGLE, BEDROCK = "google", "bedrock"
_GOOGLE_PATH = re.compile(r"/v1beta/models/([^/:]+):(generateContent|streamGenerateContent\?alt=sse)")
_BEDROCK_PATH = re.compile(r"/model/([^/]+)/(converse|converse-stream)")


def wire_of(path: str) -> str | None:
    if _GOOGLE_PATH.fullmatch(path):
        return GOOGLE
    return BEDROCK if _BEDROCK_PATH.fullmatch(path) else None


# Google


def read_google(path: str, body: dict[str, Any]) -> Asked:
    found = _GOOGLE_PATH.fullmatch(path)
    assert found
    config = body.get("generationConfig", {})
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    tools = [each for group in body.get("tools", []) for each in group["functionDeclarations"]]
    last = body["contents"][-1]["parts"]
    return Asked(
        wire=GOOGLE,
        model=unquote(found[1]),
        stream=found[2] != "generateContent",
        text="".join(part.get("text", "") for part in last),
        input=len(json.dumps(body["contents"]).split()),
        limit=config.get("maxOutputTokens"),
        choices=config.get("candidateCount", 1),
        tools=[] if calling.get("mode") == "NONE" else tools,
        schema=config.get("responseJsonSchema"),
        logprobs=bool(config.get("responseLogprobs")),
        answered_tool=any("functionResponse" in part for part in last),
    )


_GOOGLE_ENDS = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"}


def google_counts(asked: Asked, reply: Reply) -> dict[str, Any]:
    thoughts = len(reply.reasoning.split()) * asked.choices
    output = reply.output * asked.choices
    return {
        "promptTokenCount": asked.input,
        "candidatesTokenCount": output - thoughts,
        "thoughtsTokenCount": thoughts,
        "cachedContentTokenCount": 1,
        "totalTokenCount": asked.input + output,
    }


def _google_tools(reply: Reply) -> list[dict[str, Any]]:
    # Without ids, as the models that make none; only the first of several calls bears the proof.
    parts = [{"functionCall": {"name": name, "args": given}} for _, name, given in reply.tools]
    return [{**part, "thoughtSignature": "c2ln"} if n == 0 else part for n, part in enumerate(parts)]


def _candidates(asked: Asked, parts: list[dict[str, Any]], finish: str = "", **more: Any) -> list[dict[str, Any]]:
    end = {"finishReason": _GOOGLE_ENDS[finish]} if finish else {}
    return [
        {"content": {"role": "model", "parts": parts}, "index": n, **end, **more} if n else
        {"content": {"role": "model", "parts": parts}, **end, **more}
        for n in range(asked.choices)
    ]  # fmt: skip


def _google_logprobs(asked: Asked, words: list[str]) -> dict[str, Any]:
    if not asked.logprobs:
        return {}
    chosen = [{"token": word, "logProbability": -0.5, "tokenId": n} for n, word in enumerate(words)]
    return {
        "logprobsResult": {"chosenCandidates": chosen, "topCandidates": [{"candidates": [each]} for each in chosen]}
    }


def google_whole(asked: Asked, reply: Reply, usage: Any) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"text": reply.reasoning, "thought": True}] if reply.reasoning else []
    parts += [{"text": " ".join(reply.words)}] if reply.words else []
    parts += _google_tools(reply)
    body = {"candidates": _candidates(asked, parts, reply.finish, **_google_logprobs(asked, reply.words))}
    return body if usage is None else {**body, "usageMetadata": usage}


def google_stream(asked: Asked, reply: Reply, usage: Any) -> list[bytes]:
    pieces: list[dict[str, Any]] = [{"text": word, "thought": True} for word in spoken(reply.reasoning.split())]
    pieces += [{"text": word} for word in spoken(reply.words)]
    pieces += _google_tools(reply)
    events: list[dict[str, Any]] = []
    for piece in pieces:
        logprobs = _google_logprobs(asked, [piece["text"]]) if "text" in piece and "thought" not in piece else {}
        events.append({"candidates": _candidates(asked, [piece], **logprobs)})
    if usage is not None and isinstance(asked.input, int):
        events[0]["usageMetadata"] = {"promptTokenCount": usage["promptTokenCount"]}
    events.append({"candidates": _candidates(asked, [{"text": ""}], reply.finish)})
    if usage is not None:
        events[-1]["usageMetadata"] = usage
    return [b"data: " + json.dumps(each, ensure_ascii=False).encode() + b"\r\n\r\n" for each in events]


# Bedrock


def read_bedrock(path: str, body: dict[str, Any]) -> Asked:
    found = _BEDROCK_PATH.fullmatch(path)
    assert found
    form = body.get("outputConfig", {}).get("textFormat", {}).get("structure", {}).get("jsonSchema", {})
    last = body["messages"][-1]["content"]
    return Asked(
        wire=BEDROCK,
        model=unquote(found[1]),
        stream=found[2] == "converse-stream",
        text="".join(block.get("text", "") for block in last),
        input=len(json.dumps(body["messages"]).split()),
        limit=body.get("inferenceConfig", {}).get("maxTokens"),
        choices=1,
        tools=[tool["toolSpec"] for tool in body.get("toolConfig", {}).get("tools", []) if "toolSpec" in tool],
        schema=json.loads(form["schema"]) if form else None,
        logprobs=False,
        answered_tool=any("toolResult" in block for block in last),
    )


_BEDROCK_ENDS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}


def bedrock_counts(asked: Asked, reply: Reply) -> dict[str, Any]:
    return {
        "inputTokens": asked.input - 3,
        "outputTokens": reply.output,
        "totalTokens": asked.input + reply.output,
        "cacheReadInputTokens": 2,
        "cacheWriteInputTokens": 1,
    }


def bedrock_whole(asked: Asked, reply: Reply, usage: Any) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if reply.reasoning:
        content.append({"reasoningContent": {"reasoningText": {"text": reply.reasoning, "signature": "c2ln"}}})
    if reply.words:
        content.append({"text": " ".join(reply.words)})
    content += [{"toolUse": {"toolUseId": i, "name": name, "input": given}} for i, name, given in reply.tools]
    body = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": _BEDROCK_ENDS[reply.finish],
        "metrics": {"latencyMs": 5},
    }
    return body if usage is None else {**body, "usage": usage}


def bedrock_stream(asked: Asked, reply: Reply, usage: Any) -> list[bytes]:
    blocks: list[tuple[dict[str, Any] | None, list[dict[str, Any]]]] = []
    if reply.reasoning:
        pieces = [{"reasoningContent": {"text": word}} for word in spoken(reply.reasoning.split())]
        blocks.append((None, [*pieces, {"reasoningContent": {"signature": "c2ln"}}]))
    if reply.words:
        blocks.append((None, [{"text": word} for word in spoken(reply.words)]))
    for id_, name, given in reply.tools:
        text = json.dumps(given) if given else ""  # a call without arguments has no deltas
        deltas = [{"toolUse": {"input": text[i : i + 5]}} for i in range(0, len(text), 5)]
        blocks.append(({"toolUse": {"toolUseId": id_, "name": name}}, deltas))
    events = [event("messageStart", {"role": "assistant"})]
    for n, (start, deltas) in enumerate(blocks):
        if start is not None:
            events.append(event("contentBlockStart", {"contentBlockIndex": n, "start": start}))
        events += [event("contentBlockDelta", {"contentBlockIndex": n, "delta": delta}) for delta in deltas]
        events.append(event("contentBlockStop", {"contentBlockIndex": n}))
    events.append(event("messageStop", {"stopReason": _BEDROCK_ENDS[reply.finish]}))
    if usage is not None:
        events.append(event("metadata", {"usage": usage, "metrics": {"latencyMs": 5}}))
    return events
