"""What a request means, read back from each wire by readers that share no code with the drivers.

A meaning is plain data: the system prompt, the turns as items, and the settings. Neighbouring texts and neighbouring
turns of one side are joined, because some wires do so and no model can tell.
"""

import json
from collections.abc import Iterator
from typing import Any

Item = tuple[Any, ...]
Turn = tuple[str, list[Item]]


def joined(turns: list[Turn]) -> list[Turn]:
    """Turns of one side as one, and texts side by side as one."""
    whole: list[Turn] = []
    for role, items in turns:
        if not (whole and whole[-1][0] == role):
            whole.append((role, []))
        for item in items:
            last = whole[-1][1]
            if item[0] == "text" and last and last[-1][0] == "text":
                last[-1] = ("text", last[-1][1] + item[1])
            elif item != ("text", ""):
                last.append(item)
    return [turn for turn in whole if turn[1]]


def _data_url(url: str, kind: str) -> Item:
    if not url.startswith("data:"):
        return (f"{kind} at", url)
    head, data = url.split(",", 1)
    return (kind, head.removeprefix("data:").removesuffix(";base64"), data)


# OpenAI chat completions


def read_chat(body: dict[str, Any]) -> dict[str, Any]:
    turns: list[Turn] = []
    system: list[Item] = []
    for message in body["messages"]:
        role, content = message["role"], message.get("content")
        items = [("text", content)] if isinstance(content, str) else [_chat_part(part) for part in content or []]
        if role in ("system", "developer"):
            system += [*items, ("text", "\n\n")] if isinstance(content, str) else items
        elif role == "tool":
            turns.append(("user", [("result", message["tool_call_id"], items, False)]))
        else:
            calls = [
                ("call", each["id"], each["function"]["name"], json.loads(each["function"]["arguments"] or "{}"))
                for each in message.get("tool_calls") or []
            ]
            turns.append((role, [*items, *calls]))
    choice = body.get("tool_choice")
    form = body.get("response_format")
    return {
        "system": "".join(text for _, text in system).strip("\n"),
        "turns": joined(turns),
        "tools": [
            (each["function"]["name"], each["function"].get("description"), each["function"].get("parameters"))
            for each in body.get("tools") or []
        ],
        "choice": ("named", choice["function"]["name"]) if isinstance(choice, dict) else choice,
        "schema": form["json_schema"]["schema"] if form else None,
        "limit": body["max_completion_tokens"],
        "temperature": body.get("temperature"),
        "top_p": body.get("top_p"),
        "stop": [body["stop"]] if isinstance(body.get("stop"), str) else body.get("stop"),
    }


def _chat_part(part: dict[str, Any]) -> Item:
    match part["type"]:
        case "text":
            return ("text", part["text"])
        case "image_url":
            return _data_url(part["image_url"]["url"], "image")
        case "file":
            return _data_url(part["file"]["file_data"], "file")
    raise AssertionError(part)


# Anthropic Messages


def read_messages(body: dict[str, Any]) -> dict[str, Any]:
    system = body.get("system") or ""
    choice = body.get("tool_choice")
    kinds = {"any": "required", "none": "none", "auto": "auto"}
    return {
        "system": (system if isinstance(system, str) else "".join(block["text"] for block in system)).strip("\n"),
        "turns": joined([(turn["role"], list(_blocks(turn["content"]))) for turn in body["messages"]]),
        "tools": [(each["name"], each.get("description"), each["input_schema"]) for each in body.get("tools") or []],
        "choice": choice and (("named", choice["name"]) if choice["type"] == "tool" else kinds[choice["type"]]),
        "schema": body.get("output_config", {}).get("format", {}).get("schema"),
        "limit": body["max_tokens"],
        "temperature": body.get("temperature"),
        "top_p": body.get("top_p"),
        "stop": body.get("stop_sequences"),
    }


def _blocks(content: Any) -> Iterator[Item]:
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        match block["type"]:
            case "text":
                yield ("text", block["text"])
            case "image" | "document" as kind:
                name, source = {"image": "image", "document": "file"}[kind], block["source"]
                found = {
                    "base64": lambda name=name, source=source: (name, source["media_type"], source["data"]),
                    "url": lambda name=name, source=source: (f"{name} at", source["url"]),
                    "text": lambda block=block, source=source: ("text", f"{block['title']}\n\n{source['data']}"),
                }
                yield found[source["type"]]()
            case "tool_use":
                yield ("call", block["id"], block["name"], block["input"])
            case "tool_result":
                items = list(_blocks(block["content"]))
                yield ("result", block["tool_use_id"], items, block.get("is_error", False))
            case "thinking":
                yield ("thought", block["thinking"], block["signature"])
            case "redacted_thinking":
                yield ("sealed", block["data"])
            case _:
                raise AssertionError(block)
        if "cache_control" in block:
            yield ("mark", block["cache_control"].get("ttl"))


# Google


def read_google(body: dict[str, Any]) -> dict[str, Any]:
    config = body["generationConfig"]
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    allowed = calling.get("allowedFunctionNames")
    kinds = {None: None, "NONE": "none", "ANY": "required", "AUTO": "auto"}
    tools = [each for group in body.get("tools", []) for each in group["functionDeclarations"]]
    roles = {"user": "user", "model": "assistant"}
    return {
        "system": "".join(part["text"] for part in body.get("systemInstruction", {}).get("parts", [])).strip("\n"),
        "turns": joined([(roles[each["role"]], list(_google_parts(each["parts"]))) for each in body["contents"]]),
        "tools": [(each["name"], each.get("description"), each.get("parametersJsonSchema")) for each in tools],
        "choice": ("named", allowed[0]) if allowed else kinds[calling.get("mode")],
        "schema": config.get("responseJsonSchema"),
        "limit": config["maxOutputTokens"],
        "temperature": config.get("temperature"),
        "top_p": config.get("topP"),
        "stop": config.get("stopSequences"),
    }


def _google_parts(parts: list[dict[str, Any]]) -> Iterator[Item]:
    thought = ""
    for part in parts:
        signature = part.get("thoughtSignature", "")
        if part.get("thought"):
            thought = part["text"]
        elif "text" in part:
            if signature:
                yield ("thought", thought, signature)
            yield ("text", part["text"])
        elif "functionCall" in part:
            call = part["functionCall"]
            yield ("call", call["id"], call["name"], call["args"])
        elif "functionResponse" in part:
            answer = part["functionResponse"]
            ((kind, text),) = answer["response"].items()
            items = [("text", text), *_google_parts(answer.get("parts", []))]
            yield ("result", answer["id"], items, kind == "error")
        elif "inlineData" in part:
            mime = part["inlineData"]["mimeType"]
            yield ("image" if mime.startswith("image/") else "file", mime, part["inlineData"]["data"])
        else:
            url = part["fileData"]["fileUri"]
            yield ("image at" if part["fileData"].get("mimeType") == "image/png" else "file at", url)


# Bedrock


def read_bedrock(body: dict[str, Any]) -> dict[str, Any]:
    config = body["inferenceConfig"]
    tool_config = body.get("toolConfig", {})
    tools = [each["toolSpec"] for each in tool_config.get("tools", []) if "toolSpec" in each]
    choice = tool_config.get("toolChoice", {})
    kind = next(iter(choice), None)
    schema = body.get("outputConfig", {}).get("textFormat", {}).get("structure", {}).get("jsonSchema", {}).get("schema")
    return {
        "system": "".join(block.get("text", "") for block in body.get("system", [])).strip("\n"),
        "turns": joined([(turn["role"], list(_bedrock_blocks(turn["content"]))) for turn in body["messages"]]),
        "tools": [(each["name"], each.get("description"), each["inputSchema"]["json"]) for each in tools],
        "choice": ("named", choice["tool"]["name"]) if kind == "tool" else {"any": "required"}.get(kind or "", kind),
        "schema": schema and json.loads(schema),
        "limit": config["maxTokens"],
        "temperature": config.get("temperature"),
        "top_p": config.get("topP"),
        "stop": config.get("stopSequences"),
    }


_MIMES = {"png": "image/png", "pdf": "application/pdf"}


def _bedrock_blocks(blocks: list[dict[str, Any]]) -> Iterator[Item]:
    for block in blocks:
        ((kind, value),) = block.items()
        match kind:
            case "text":
                yield ("text", value)
            case "image":
                yield ("image", _MIMES[value["format"]], value["source"]["bytes"])
            case "document" if "text" in value["source"]:
                # Names must differ there: all but the first of a name bear a number.
                yield ("text", f"{value['name'].rstrip(' 0123456789')}\n\n{value['source']['text']}")
            case "document":
                yield ("file", _MIMES[value["format"]], value["source"]["bytes"])
            case "toolUse":
                yield ("call", value["toolUseId"], value["name"], value["input"])
            case "toolResult":
                items = list(_bedrock_blocks(value["content"]))
                yield ("result", value["toolUseId"], items, value.get("status") == "error")
            case "reasoningContent" if "redactedContent" in value:
                yield ("sealed", value["redactedContent"])
            case "reasoningContent":
                yield ("thought", value["reasoningText"]["text"], value["reasoningText"]["signature"])
            case "cachePoint":
                yield ("mark", value.get("ttl"))
            case _:
                raise AssertionError(block)
