"""How the Responses door remembers: what goes into a conversation, and what comes out of it.

History counts as part of the request. Detectors and policies see all of it again each time, under what is in force by
then, and the labels of the context that earlier answers were made from go on with them.
"""

import asyncio
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.costs.told import Arrival
from fairlead.errors import BadInput, NotFound
from fairlead.execution import Answer, Remember
from fairlead.identity import Caller
from fairlead.models.types import Message
from fairlead.server.door import refuse_session
from fairlead.server.openai.responses_items import messages_of
from fairlead.server.openai.responses_reply import complete, encode, item_id, output_of, response_id
from fairlead.server.openai.responses_request import AskedResponse, with_history
from fairlead.server.owned import owner_of
from fairlead.storage.sessions import Owner, Past, Sessions, Turn
from fairlead.storage.types import NewTurn

_messages = msgspec.msgpack.Decoder(list[Message])
_pack = msgspec.msgpack.Encoder().encode


def response_of(id_: str) -> str:
    """An id, if it may be one of a response. Turns of conversations that other doors keep are none: they have no reply
    to show, and a conversation cannot be gone on with once one of them is missing. Raises `NotFound`."""
    if not id_.startswith("resp_"):
        raise NotFound(
            f"there is no response {id_[:128]!r} for you here", why="responses begin with resp_", mend="begin a new one"
        )
    return id_


class Remembered(AskedResponse, frozen=True, kw_only=True):
    """A request with what was said before it."""

    past: Past


class ResponseMemory:
    """See `chat_door.Memory`."""

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    async def recall(
        self, caller: Caller, asked: AskedResponse, arrival: Arrival, created: int
    ) -> tuple[Remembered, Remember | None]:
        """Raises `BadInput` where nothing is said, now or before, and where what is asked to be stored cannot be."""
        refuse_session(arrival, "name a `conversation` instead, or a `previous_response_id`")
        if asked.body.store is True:
            self._sessions.require()
        past = Past()
        if asked.previous:
            response_of(asked.previous)
        if asked.previous or asked.session:
            past = await asyncio.to_thread(
                self._sessions.recall, owner_of(caller), previous=asked.previous, session=asked.session
            )
            history = [message for turn in past.turns for message in _messages.decode(turn.messages)]
            asked = with_history(asked, history, past.size)
            asked = replace(asked, request=replace(asked.request, labels=past.labels))
        if not asked.request.messages:
            raise BadInput("input is missing", why="nothing was said before", mend="give a text, or a list of items")
        store = asked.store and self._sessions.keep > 0
        remembered = Remembered(
            request=asked.request, body=asked.body, messages=asked.messages, tools=asked.tools, store=store, past=past
        )
        return remembered, partial(self._turn, owner_of(caller), remembered, created) if store else None

    def _turn(self, owner: Owner, asked: Remembered, created: int, answer: Answer) -> NewTurn:
        said = _said(asked, answer)
        turn = Turn(
            id=response_id(answer.run),
            messages=_pack([*asked.messages, *said]),
            labels=answer.labels,
            asked=encode(input_items(asked.body.input, answer.run)),
            shown=encode(complete(asked, answer, created, self._clock.now() // 1000)),
        )
        return self._sessions.new_turn(owner, turn, asked.past, previous=asked.previous, session=asked.session)


def _said(asked: AskedResponse, answer: Answer) -> list[Message]:
    """The reply as a client would send it back, and with the proofs of its calls, which no item has a place for."""
    said = messages_of([msgspec.Raw(encode(item)) for item in output_of(asked, answer)])
    calls = iter(answer.reply.choices[0].tool_calls if answer.reply.choices else ())
    return [replace(message, tool_calls=[next(calls)]) if message.tool_calls else message for message in said]


def input_items(given: str | list[msgspec.Raw] | None, run: str) -> list[dict[str, Any]]:
    """The input as items that are complete in shape, each with an id."""
    if isinstance(given, str):
        given = [msgspec.Raw(encode({"role": "user", "content": given}))]
    return [_item(msgspec.json.decode(raw), run, number) for number, raw in enumerate(given or (), 1)]


def _item(item: dict[str, Any], run: str, number: int) -> dict[str, Any]:
    kind = item.get("type", "message")
    shown = {**item, "type": kind, "id": item.get("id") or item_id("in", run, number)}
    if kind == "message" and isinstance(item["content"], str):
        part = "output_text" if item["role"] == "assistant" else "input_text"
        shown["content"] = [{"type": part, "text": item["content"]}]
    return shown if kind == "reasoning" else {**shown, "status": item.get("status") or "completed"}
