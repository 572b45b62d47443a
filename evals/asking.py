"""One question through any door: how it is asked there, and what its answer must look like."""

import json
from collections.abc import Callable
from typing import Any

from tests.world import key_of

from evals.stage import Response, written

Question = Callable[[str, str, bool, int], tuple[str, dict[str, Any]]]


def _chat(content: str, model: str, stream: bool, most: int) -> tuple[str, dict[str, Any]]:
    messages = [{"role": "user", "content": content}]
    return "/v1/chat/completions", {"model": model, "messages": messages, "stream": stream, "max_tokens": most}


def _completions(content: str, model: str, stream: bool, most: int) -> tuple[str, dict[str, Any]]:
    return "/v1/completions", {"model": model, "prompt": content, "stream": stream, "max_tokens": most}


def _messages(content: str, model: str, stream: bool, most: int) -> tuple[str, dict[str, Any]]:
    messages = [{"role": "user", "content": content}]
    return "/v1/messages", {"model": model, "messages": messages, "stream": stream, "max_tokens": most}


def _responses(content: str, model: str, stream: bool, most: int) -> tuple[str, dict[str, Any]]:
    return "/v1/responses", {"model": model, "input": content, "stream": stream, "max_output_tokens": most}


DOORS: dict[str, Question] = {
    "chat": _chat,
    "completions": _completions,
    "messages": _messages,
    "responses": _responses,
}
_ENDS = frozenset(("message_stop", "response.completed", "response.incomplete"))


def question(
    door: str, content: str, *, model: str = "small", stream: bool = False, person: str = "kim", most: int = 1024
) -> bytes:
    """A request at a door, as bytes."""
    path, body = DOORS[door](content, model, stream, most)
    headers = {"authorization": f"Bearer {key_of(person)}"}
    return written("POST", path, json.dumps(body).encode(), headers)


def ended_well(response: Response) -> bool:
    """As a client of any door sees it: a whole reply, or a stream with its end mark."""
    if not _is_stream(response):
        return response.status == 200
    if response.body.rstrip().endswith(b"data: [DONE]"):
        return True
    return _last(response).get("type") in _ENDS


def code_of(response: Response) -> str:
    """The code of an error in the form of any door; "" for none."""
    said = _last(response)
    said = said["response"] if said.get("type") == "response.failed" else said
    error = said.get("error")
    if not isinstance(error, dict):
        return ""
    ours = said.get("fairlead") or error.get("fairlead") or {}
    return str(ours.get("code") or error.get("code") or "")


def _is_stream(response: Response) -> bool:
    return response.headers.get("content-type", "").startswith("text/event-stream")


def _last(response: Response) -> dict[str, Any]:
    """The last event of a stream, or the body, that is JSON; {} where there is none."""
    text = response.body
    if _is_stream(response):
        events = [line[6:] for line in text.splitlines() if line.startswith(b"data: {")]
        text = events[-1] if events else b"{}"
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
