"""The events of a streamed reply in the form of the Responses protocol.

An item is opened with its first piece. Reasoning closes when something else begins, everything else at the end, which
waits for the bill: until then more of it may come. The last event is `response.completed` or `response.incomplete`,
followed by the end mark; or `response.failed`, followed by nothing.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from fairlead.errors import FairleadError
from fairlead.execution import Answer
from fairlead.models.content import Thought
from fairlead.models.types import Chunk, Model, ToolCallDelta
from fairlead.server.openai.errors import ErrorDetails
from fairlead.server.openai.responses_items import encrypted
from fairlead.server.openai.responses_object import (
    CallOut,
    ErrorOut,
    ItemOut,
    MessageOut,
    ReasoningOut,
    RefusalOut,
    SummaryOut,
    TextOut,
)
from fairlead.server.openai.responses_reply import begun, encode, ended, item_id, item_status, token_logprobs
from fairlead.server.openai.responses_request import AskedResponse
from fairlead.server.said import said

_END = b"data: [DONE]\n\n"


class _Reasoning:
    """A reasoning item under way."""

    def __init__(self, id_: str, index: int) -> None:
        self.id, self.index = id_, index
        self.text: list[str] = []
        self.since: list[str] = []  # reasoning that no proof has ended yet
        self.thoughts: list[Thought] = []

    def item(self, status: str) -> ReasoningOut:
        text = "".join(self.text)
        return ReasoningOut(self.id, status, (SummaryOut(text),) if text else (), encrypted(self.thoughts, text))


class _Message:
    """The message under way: a text, a refusal, or both, each a part."""

    def __init__(self, id_: str, index: int) -> None:
        self.id, self.index = id_, index
        self.parts: list[str] = []  # "text" and "refusal", in the order in which they began
        self.pieces: dict[str, list[str]] = {"text": [], "refusal": []}
        self.logprobs: list[Raw] = []

    def content(self, part: str) -> TextOut | RefusalOut:
        whole = "".join(self.pieces[part])
        return TextOut(whole, (), tuple(self.logprobs)) if part == "text" else RefusalOut(whole)

    def item(self, status: str) -> MessageOut:
        return MessageOut(self.id, status, tuple(self.content(part) for part in self.parts))


class _Call:
    """A call under way."""

    def __init__(self, id_: str, index: int, delta: ToolCallDelta) -> None:
        self.id, self.index = id_, index
        self.call_id, self.name = delta.id or "", delta.name or ""
        self.arguments: list[str] = []

    def item(self, status: str) -> CallOut:
        return CallOut(self.id, status, self.call_id, self.name, "".join(self.arguments))


class ResponseEvents:
    """See `chat_door.Events`."""

    def __init__(self, asked: AskedResponse, run: str, model: Model, created: int, now: Callable[[], int]) -> None:
        self._asked = asked
        self._now = now  # in seconds since 1970
        self._run = run
        self._response = begun(asked, run, model.name, created)
        self._number = 0
        self._begun = False
        self._items: list[_Reasoning | _Message | _Call] = []  # in the order of `output`
        self._closed: dict[int, ItemOut] = {}
        self._reasoning: _Reasoning | None = None
        self._message: _Message | None = None
        self._calls: dict[int, _Call] = {}
        self._delta = b""  # what never changes of a piece of text

    def event(self, chunk: Chunk) -> bytes:
        message = self._message
        if message is not None and self._delta and self._reasoning is None and chunk == Chunk(text=chunk.text):
            message.pieces["text"].append(chunk.text)
            return self._text_delta(chunk.text)
        return b"".join(self._begin() + self._piece(chunk))

    def end(self, answer: Answer) -> bytes:
        events = self._begin()
        for chunk in answer.reply.tail:
            events += self._piece(chunk)
        if not any(isinstance(item, _Message | _Call) for item in self._items):
            events += self._open_part("text")  # a reply without a word is a message all the same
        status = item_status(answer)
        events += self._close_all(status)
        response = ended(self._response, answer, self._output(status), self._now())
        events.append(self._say(f"response.{response.status}", response=response))
        return b"".join([*events, _END])

    def fail(self, error: FairleadError) -> bytes:
        details = ErrorDetails(error.step, error.why, error.mend, error.run)
        failed = msgspec.structs.replace(
            self._response,
            status="failed",
            error=ErrorOut(error.code, said(error), details),
            output=self._output("incomplete"),
        )
        return b"".join([*self._begin(), self._say("response.failed", response=failed)])

    def _begin(self) -> list[bytes]:
        if self._begun:
            return []
        self._begun = True
        return [
            self._say("response.created", response=self._response),
            self._say("response.in_progress", response=self._response),
        ]

    def _piece(self, chunk: Chunk) -> list[bytes]:
        events: list[bytes] = []
        if chunk.reasoning or chunk.thought is not None:
            events += self._reason(chunk)
        if chunk.text:
            events += self._open_part("text")
            events.append(self._text(chunk))
        elif chunk.logprobs is not None and self._message is not None and self._asked.with_logprobs:
            self._message.logprobs += token_logprobs(chunk.logprobs)
        if chunk.refusal:
            events += self._open_part("refusal")
            events.append(self._refuse(chunk.refusal))
        for delta in chunk.tool_calls:
            events += self._call(delta)
        return events

    def _reason(self, chunk: Chunk) -> list[bytes]:
        events: list[bytes] = []
        item = self._reasoning
        if item is None:
            number = sum(isinstance(each, _Reasoning) for each in self._items)
            item = self._reasoning = _Reasoning(item_id("rs", self._run, number), len(self._items))
            events.append(self._open(item))
        about = {"item_id": item.id, "output_index": item.index, "summary_index": 0}
        if chunk.reasoning:
            if not item.text:
                part = SummaryOut("")
                events.append(self._say("response.reasoning_summary_part.added", **about, part=part))
            item.text.append(chunk.reasoning)
            item.since.append(chunk.reasoning)
            events.append(self._say("response.reasoning_summary_text.delta", **about, delta=chunk.reasoning))
        thought = chunk.thought
        if thought is not None:
            item.thoughts.append(Thought("".join(item.since), thought.signature, thought.sealed))
            item.since = []
        return events

    def _close_reasoning(self) -> list[bytes]:
        item, self._reasoning = self._reasoning, None
        if item is None:
            return []
        events: list[bytes] = []
        if item.text:
            about = {"item_id": item.id, "output_index": item.index, "summary_index": 0}
            text = "".join(item.text)
            events.append(self._say("response.reasoning_summary_text.done", **about, text=text))
            events.append(self._say("response.reasoning_summary_part.done", **about, part=SummaryOut(text)))
        return [*events, self._close(item, "completed")]

    def _open_part(self, part: str) -> list[bytes]:
        events = self._close_reasoning()
        message = self._message
        if message is None:
            message = self._message = _Message(item_id("msg", self._run), len(self._items))
            events.append(self._open(message))
        if part not in message.parts:
            message.parts.append(part)
            about = {"item_id": message.id, "output_index": message.index, "content_index": len(message.parts) - 1}
            events.append(self._say("response.content_part.added", **about, part=message.content(part)))
            if part == "text":
                self._delta = (
                    b"event: response.output_text.delta\ndata: "
                    + encode({"type": "response.output_text.delta", **about, "logprobs": []})[:-1]
                )
        return events

    def _text(self, chunk: Chunk) -> bytes:
        assert self._message is not None
        message = self._message
        message.pieces["text"].append(chunk.text)
        logprobs = token_logprobs(chunk.logprobs) if self._asked.with_logprobs else ()
        if not logprobs:
            return self._text_delta(chunk.text)
        message.logprobs += logprobs
        about = self._part_of(message, "text")
        return self._say("response.output_text.delta", **about, delta=chunk.text, logprobs=logprobs)

    def _text_delta(self, text: str) -> bytes:
        number = self._number
        self._number += 1
        return self._delta + b',"delta":' + encode(text) + b',"sequence_number":%d}\n\n' % number

    def _refuse(self, text: str) -> bytes:
        assert self._message is not None
        self._message.pieces["refusal"].append(text)
        return self._say("response.refusal.delta", **self._part_of(self._message, "refusal"), delta=text)

    @staticmethod
    def _part_of(message: _Message, part: str) -> dict[str, Any]:
        return {"item_id": message.id, "output_index": message.index, "content_index": message.parts.index(part)}

    def _call(self, delta: ToolCallDelta) -> list[bytes]:
        events = self._close_reasoning()
        call = self._calls.get(delta.index)
        if call is None:
            id_ = item_id("fc", self._run, len(self._calls))
            call = self._calls[delta.index] = _Call(id_, len(self._items), delta)
            events.append(self._open(call))
        if delta.arguments:
            call.arguments.append(delta.arguments)
            about = {"item_id": call.id, "output_index": call.index}
            events.append(self._say("response.function_call_arguments.delta", **about, delta=delta.arguments))
        return events

    def _close_all(self, status: str) -> list[bytes]:
        events = self._close_reasoning()
        for item in self._items:
            if item.index in self._closed:
                continue
            if isinstance(item, _Message):
                for part in item.parts:
                    events += self._close_part(item, part)
            elif isinstance(item, _Call):
                about = {"item_id": item.id, "output_index": item.index, "name": item.name}
                arguments = "".join(item.arguments)
                events.append(self._say("response.function_call_arguments.done", **about, arguments=arguments))
            events.append(self._close(item, status))
        return events

    def _close_part(self, message: _Message, part: str) -> list[bytes]:
        about, content = self._part_of(message, part), message.content(part)
        if isinstance(content, TextOut):
            said = self._say("response.output_text.done", **about, text=content.text, logprobs=content.logprobs)
        else:
            said = self._say("response.refusal.done", **about, refusal=content.refusal)
        return [said, self._say("response.content_part.done", **about, part=content)]

    def _open(self, item: _Reasoning | _Message | _Call) -> bytes:
        self._items.append(item)
        shown = item.item("in_progress")
        return self._say("response.output_item.added", output_index=item.index, item=shown)

    def _close(self, item: _Reasoning | _Message | _Call, status: str) -> bytes:
        shown = self._closed[item.index] = item.item(status)
        return self._say("response.output_item.done", output_index=item.index, item=shown)

    def _output(self, status: str) -> tuple[ItemOut, ...]:
        return tuple(self._closed.get(item.index) or item.item(status) for item in self._items)

    def _say(self, kind: str, **fields: Any) -> bytes:
        number = self._number
        self._number += 1
        data = encode({"type": kind, **fields, "sequence_number": number})
        return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"
