"""One question through each door that takes chats, streamed or not, as a bare client asks it."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import httpx
from tests.world import key_of


class Somewhere(Protocol):
    """Where Fairlead is, and as whom to ask it."""

    @property
    def url(self) -> str: ...
    def auth(self, person: str) -> dict[str, str]: ...


class Got(NamedTuple):
    """What a client saw: the whole text that was let out, the run, and the error's code, "" for none."""

    text: str
    run: str
    error: str
    ended: bool
    whole: httpx.Response | None = None

    @property
    def about(self) -> dict[str, Any]:
        """The `fairlead` object, wherever the protocol has it."""
        assert self.whole is not None
        text = self.whole.text
        at = text.rindex('"fairlead":') + len('"fairlead":')
        found: dict[str, Any] = json.JSONDecoder().raw_decode(text[at:].lstrip())[0]
        return found


def by_chat(s: Somewhere, person: str, content: str, streamed: bool, model: str = "auto") -> Got:
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": content}], "stream": streamed}
    response = httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth(person), json=body, timeout=60)
    run = response.headers.get("x-fairlead-run", "")
    if not response.headers["content-type"].startswith("text/event-stream"):
        found = response.json()
        if response.status_code != 200:
            return Got("", run, found["error"]["code"], True, response)
        return Got(found["choices"][0]["message"]["content"], run, "", True, response)
    text, error, ended = "", "", False
    for line in response.text.splitlines():
        data = line.removeprefix("data: ")
        if data == "[DONE]":
            ended = True
        elif data:
            event = json.loads(data)
            error = event["error"]["code"] if "error" in event else error
            text += "".join(choice["delta"].get("content") or "" for choice in event.get("choices", ()))
    return Got(text, run, error, ended, response)


def by_completions(s: Somewhere, person: str, content: str, streamed: bool, model: str = "auto") -> Got:
    body: dict[str, Any] = {"model": model, "prompt": content, "stream": streamed, "max_tokens": 1024}
    response = httpx.post(f"{s.url}/v1/completions", headers=s.auth(person), json=body, timeout=60)
    run = response.headers.get("x-fairlead-run", "")
    if not response.headers["content-type"].startswith("text/event-stream"):
        found = response.json()
        if response.status_code != 200:
            return Got("", run, found["error"]["code"], True, response)
        return Got(found["choices"][0]["text"], run, "", True, response)
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    text = "".join(choice["text"] for event in events for choice in event.get("choices", ()))
    error = next((event["error"]["code"] for event in events if "error" in event), "")
    return Got(text, run, error, response.text.endswith("data: [DONE]\n\n"), response)


def by_messages(s: Somewhere, person: str, content: str, streamed: bool, model: str = "auto") -> Got:
    body = {"model": model, "messages": [{"role": "user", "content": content}], "stream": streamed, "max_tokens": 1024}
    response = httpx.post(f"{s.url}/v1/messages", headers={"x-api-key": key_of(person)}, json=body, timeout=60)
    run = response.headers.get("x-fairlead-run", "")
    if not response.headers["content-type"].startswith("text/event-stream"):
        found = response.json()
        if response.status_code != 200:
            return Got("", run, found["fairlead"]["code"], True, response)
        return Got("".join(block["text"] for block in found["content"]), run, "", True, response)
    events = [json.loads(line.removeprefix("data: ")) for line in response.text.splitlines() if line.startswith("data")]
    text = "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta")
    error = next((event["fairlead"]["code"] for event in events if event["type"] == "error"), "")
    return Got(text, run, error, events[-1]["type"] == "message_stop", response)


def by_responses(s: Somewhere, person: str, content: str, streamed: bool, model: str = "auto") -> Got:
    body: dict[str, Any] = {"model": model, "input": content, "stream": streamed}
    response = httpx.post(f"{s.url}/v1/responses", headers=s.auth(person), json=body, timeout=60)
    run = response.headers.get("x-fairlead-run", "")
    if not response.headers["content-type"].startswith("text/event-stream"):
        found = response.json()
        if response.status_code != 200:
            return Got("", run, found["error"]["code"], True, response)
        return Got(
            "".join(part["text"] for item in found["output"] for part in item["content"]), run, "", True, response
        )
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: {")]
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    error = next((event["response"]["error"]["code"] for event in events if event["type"] == "response.failed"), "")
    return Got(text, run, error, events[-1]["type"] == "response.completed", response)


Door = Callable[..., Got]
DOORS: dict[str, Door] = {
    "openai.chat": by_chat,
    "openai.completions": by_completions,
    "anthropic.messages": by_messages,
    "openai.responses": by_responses,
}
