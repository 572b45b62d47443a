"""What is remembered, shown to its owner and deleted: `/v1/responses/{id}` and `/v1/conversations`.

Whoever asks for what is somebody else's is told what one is told of what never was.
"""

import asyncio
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from fairlead.errors import BadInput, FairleadError, NotFound
from fairlead.execution import Fairlead
from fairlead.models.types import Message
from fairlead.server.door import guarded, received, refuse
from fairlead.server.http import Gone, Scope, respond
from fairlead.server.openai.errors import encode_error
from fairlead.server.openai.responses_items import messages_of
from fairlead.server.openai.responses_memory import input_items, response_of
from fairlead.server.openai.responses_request import Metadata
from fairlead.server.owned import Owned, owner_of
from fairlead.server.reading import decoded
from fairlead.storage.sessions import Owner, Past, Session, Sessions, Turn

_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
_RESPONSES: Final = "/v1/responses/"
_CONVERSATIONS: Final = "/v1/conversations/"
_DOOR: Final = "openai.responses"


def shown_response(fairlead: Fairlead, sessions: Sessions) -> Owned:
    """`GET /v1/responses/{id}` and `GET /v1/responses/{id}/input_items`."""

    def answer(owner: Owner, rest: str, query: dict[str, str]) -> bytes:
        id_, slash, part = rest.partition("/")
        if slash and part != "input_items":
            raise NotFound(
                f"a response has no {part!r}",
                why="there is nothing below it but its input",
                mend="GET /v1/responses/ID/input_items gives its input",
            )
        turn = sessions.turn(owner, response_of(id_))
        if not slash:
            if query.get("stream", "false") != "false":
                raise BadInput(
                    "a response that is remembered is not streamed again",
                    why="it is kept whole, not as the pieces that it came in",
                    mend="leave out stream",
                )
            return turn.shown
        return _page(msgspec.json.decode(turn.asked), query)

    return Owned(fairlead, _DOOR, _RESPONSES, answer)


def deleted_response(fairlead: Fairlead, sessions: Sessions) -> Owned:
    """`DELETE /v1/responses/{id}`."""

    def answer(owner: Owner, rest: str, query: dict[str, str]) -> bytes:
        sessions.forget_turn(owner, response_of(rest))
        return _encode({"id": rest, "object": "response", "deleted": True})

    return Owned(fairlead, _DOOR, _RESPONSES, answer)


def shown_conversation(fairlead: Fairlead, sessions: Sessions) -> Owned:
    """`GET /v1/conversations/{id}`."""

    def answer(owner: Owner, rest: str, query: dict[str, str]) -> bytes:
        return _conversation(sessions.session(owner, rest))

    return Owned(fairlead, _DOOR, _CONVERSATIONS, answer)


def deleted_conversation(fairlead: Fairlead, sessions: Sessions) -> Owned:
    """`DELETE /v1/conversations/{id}`."""

    def answer(owner: Owner, rest: str, query: dict[str, str]) -> bytes:
        sessions.forget_session(owner, rest)
        return _encode({"id": rest, "object": "conversation.deleted", "deleted": True})

    return Owned(fairlead, _DOOR, _CONVERSATIONS, answer)


class ConversationBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `POST /v1/conversations`."""

    items: Annotated[list[msgspec.Raw], Meta(max_length=20)] | None = None
    metadata: Metadata | None = None


_decoder = msgspec.json.Decoder(ConversationBody)


class NewConversation:
    """`POST /v1/conversations`."""

    def __init__(self, fairlead: Fairlead, sessions: Sessions, max_body: int) -> None:
        self._fairlead = fairlead
        self._sessions = sessions
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            caller, arrival = await received(self._fairlead, scope, receive, _DOOR, self._max_body)
            self._fairlead.current_for(caller)
            self._sessions.require()
            body, messages = read_request(arrival.body)
        except Gone:
            return
        except FairleadError as error:
            await self._fairlead.refusals.record(_DOOR, error)
            await refuse(send, error, encode_error)
            return

        def begin() -> bytes:
            owner = owner_of(caller)
            session = self._sessions.begin(owner, _encode(body.metadata or {}))
            if messages:
                id_ = session.id.replace("conv_", "items_", 1)
                asked = _encode(input_items(body.items, id_))
                turn = Turn(id=id_, messages=_pack(messages), asked=asked, shown=b"{}")
                self._sessions.remember(owner, turn, Past(), session=session.id)
            return _conversation(session)

        async def answer() -> None:
            await respond(send, 200, await asyncio.to_thread(begin))

        await guarded(send, _DOOR, encode_error, answer())


def read_request(body: bytes) -> tuple[ConversationBody, list[Message]]:
    """What a conversation begins with. Raises `BadInput`."""
    mend = "a conversation has items and metadata, both optional"
    asked = decoded(_decoder, body or b"{}", "Responses", mend=mend)
    return asked, messages_of(asked.items or [])


def _conversation(session: Session) -> bytes:
    metadata = msgspec.Raw(session.about)
    return _encode(
        {"id": session.id, "object": "conversation", "created_at": session.made_at // 1000, "metadata": metadata}
    )


def _page(items: list[dict[str, Any]], query: dict[str, str]) -> bytes:
    """A list of items, as much of it as was asked for; the newest first, unless asked otherwise."""
    order, limit, after = query.get("order", "desc"), query.get("limit", "20"), query.get("after", "")
    if order not in ("asc", "desc") or not limit.isdecimal() or not 1 <= int(limit) <= 100:
        raise BadInput(
            f"the list cannot be given with order {order!r} and limit {limit!r}",
            why="order is asc or desc, limit from 1 to 100",
            mend="correct them, or leave them out",
        )
    ordered = items if order == "asc" else items[::-1]
    if after:
        ids = [item["id"] for item in ordered]
        if after not in ids:
            raise NotFound(
                f"after: there is no item {after!r} in this list",
                why="a list goes on after one of its own items",
                mend="give `last_id` of the page before",
            )
        ordered = ordered[ids.index(after) + 1 :]
    page = ordered[: int(limit)]
    return _encode(
        {
            "object": "list",
            "data": page,
            "first_id": page[0]["id"] if page else None,
            "last_id": page[-1]["id"] if page else None,
            "has_more": len(page) < len(ordered),
        }
    )
