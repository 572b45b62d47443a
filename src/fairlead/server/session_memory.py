"""Conversations by a name of the client's choice (`x-fairlead-session`), for protocols that remember nothing.

A call sends only what is new; what was said before goes in front of it, behind the system messages that the call begins
with, which are its own and are not remembered. History counts as part of the request: see `responses_memory`.
"""

import asyncio
from functools import partial
from itertools import takewhile
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from fairlead.costs.told import Arrival
from fairlead.errors import BadInput, NotFound
from fairlead.execution import Answer, Fairlead, Remember
from fairlead.identity import Caller
from fairlead.models.attached import billable
from fairlead.models.types import ChatRequest, Message
from fairlead.server.owned import Owned, owner_of
from fairlead.storage.sessions import Owner, Past, Sessions, Turn
from fairlead.storage.types import TURN, NewTurn, turn_id

_SESSIONS: Final = "/v1/sessions/"
_DOOR: Final = "fairlead.sessions"
_messages = msgspec.msgpack.Decoder(list[Message])
_pack = msgspec.msgpack.Encoder().encode
_encode = msgspec.json.Encoder().encode


class SessionMemory:
    """See `chat_door.Memory`."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def recall(self, caller: Caller, asked: Any, arrival: Arrival, created: int) -> tuple[Any, Remember | None]:
        """What was said in the session goes between the request's own system messages and the rest. Raises `BadInput`
        where several replies are asked for, from which no conversation could go on."""
        name = arrival.session
        if not name:
            return asked, None
        self._sessions.require()
        request: ChatRequest = asked.request
        if request.choices > 1:
            raise BadInput(
                f"n is {request.choices} in a session",
                why="a conversation goes on from one reply, and nobody has said from which",
                mend="leave n out, or leave out the header x-fairlead-session",
                param="n",
            )
        owner = owner_of(caller)
        id_, past = await asyncio.to_thread(self._past, owner, name)
        history = [message for turn in past.turns for message in _messages.decode(turn.messages)]
        lead = sum(1 for _ in takewhile(_is_system, request.messages))
        own = request.messages[lead:]
        whole = replace(
            request,
            messages=[*request.messages[:lead], *history, *own],
            size=request.size + billable(past.size, history),
            labels=request.labels.joined(past.labels),
        )
        return replace(asked, request=whole), partial(self._turn, owner, name, id_, past, own)

    def _past(self, owner: Owner, name: str) -> tuple[str, Past]:
        id_ = self._sessions.named(owner, name)
        return id_, self._sessions.recall(owner, session=id_, new=True)

    def _turn(self, owner: Owner, name: str, id_: str, past: Past, own: list[Message], answer: Answer) -> NewTurn:
        messages = _pack([*own, *map(_said, answer.reply.choices)])
        turn = Turn(id=turn_id(TURN, answer.run), messages=messages, labels=answer.labels)
        # One that was gone on with and is gone now was deleted meanwhile, and stays so.
        begins = None if past.turns else name.encode()
        return self._sessions.new_turn(owner, turn, past, session=id_, begins=begins)


def _is_system(message: Message) -> bool:
    return message.role in ("system", "developer")


def _said(choice: Any) -> Message:
    """A reply as a client would send it back, with its proofs."""
    return Message(
        "assistant",
        choice.text if choice.text or not (choice.tool_calls or choice.refusal) else None,
        tool_calls=list(choice.tool_calls) or None,
        refusal=choice.refusal or None,
        thoughts=list(choice.thoughts) or None,
    )


def shown_session(fairlead: Fairlead, sessions: Sessions) -> Owned:
    """`GET /v1/sessions/NAME`."""

    def answer(owner: Owner, name: str, query: dict[str, str]) -> bytes:
        id_ = sessions.named(owner, name)
        try:
            session = sessions.session(owner, id_)
        except NotFound:
            raise _unknown(name) from None
        past = sessions.recall(owner, session=id_, new=True)
        messages = [message for turn in past.turns for message in _messages.decode(turn.messages)]
        about = {"object": "fairlead.session", "name": name, "created_at": session.made_at // 1000}
        return _encode({**about, "messages": messages})

    return Owned(fairlead, _DOOR, _SESSIONS, answer)


def deleted_session(fairlead: Fairlead, sessions: Sessions) -> Owned:
    """`DELETE /v1/sessions/NAME`."""

    def answer(owner: Owner, name: str, query: dict[str, str]) -> bytes:
        try:
            sessions.forget_session(owner, sessions.named(owner, name))
        except NotFound:
            raise _unknown(name) from None
        return _encode({"object": "fairlead.session", "name": name, "deleted": True})

    return Owned(fairlead, _DOOR, _SESSIONS, answer)


def _unknown(name: str) -> NotFound:
    return NotFound(
        f"there is no session {name[:128]!r} for you here",
        why="it never was, was deleted, has expired, or belongs to somebody else",
        mend="begin it: send the header x-fairlead-session with a call",
    )
