"""`POST /v1/messages/count_tokens`: about how many tokens a request's input has. No model is called.

The count is an estimate: no tokenizer is bundled, the vendors' differ, and asking one of them would send it the text
before any policy has decided that it may go there. Instructions and context that Fairlead adds are not in it.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.errors import FairleadError, NotFound
from fairlead.execution import Fairlead, visible_models
from fairlead.identity import Caller
from fairlead.models.tally import likely_tokens
from fairlead.models.types import ChatRequest
from fairlead.server.anthropic.errors import encode_error
from fairlead.server.anthropic.message_request import read_count
from fairlead.server.chat_door import Memory
from fairlead.server.door import guarded, received
from fairlead.server.http import Gone, Scope, respond

DOOR: Final = "anthropic.count_tokens"
_encode = msgspec.json.Encoder().encode


class CountDetails(Struct, frozen=True):
    """`most` is the figure that a hold is made of: no tokenizer gives more."""

    estimated: bool
    most: int


class Count(Struct, frozen=True):
    """The body of a reply to `count_tokens` (version 2023-06-01), with Fairlead's own object beside."""

    input_tokens: int
    fairlead: CountDetails


class _Counted(Struct, frozen=True):
    request: ChatRequest


class CountTokens:
    """A raw ASGI endpoint. `max_body` in bytes; what was said before in a session counts too."""

    def __init__(self, fairlead: Fairlead, max_body: int, memory: Memory) -> None:
        self._fairlead = fairlead
        self._max_body = max_body
        self._memory = memory

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        await guarded(send, DOOR, encode_error, self._count(scope, receive, send))

    async def _count(self, scope: Scope, receive: Any, send: Any) -> None:
        fairlead = self._fairlead
        try:
            caller, arrival = await received(fairlead, scope, receive, DOOR, self._max_body)
            request = read_count(arrival.body)
            self._refuse_unknown(caller, request)
            asked, _ = await self._memory.recall(caller, _Counted(request), arrival, fairlead.clock.now() // 1000)
        except Gone:
            return
        except FairleadError as error:
            await fairlead.refusals.record(DOOR, error)
            raise
        size = asked.request.size
        count = Count(likely_tokens(size), CountDetails(estimated=True, most=size))
        await respond(send, 200, _encode(count))

    def _refuse_unknown(self, caller: Caller, request: ChatRequest) -> None:
        names = dict(visible_models(self._fairlead.current_for(caller), caller, DOOR))
        if request.model not in names:
            raise NotFound(
                f"there is no model {request.model!r} for you here",
                why="it does not exist, or policies keep it from you: the two are not told apart",
                mend="GET /v1/models lists what there is",
            )
