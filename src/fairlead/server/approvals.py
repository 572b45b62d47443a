"""`/v1/approvals`: what waits for this caller's answer, what became of their own questions; and the answer itself."""

import asyncio
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.execution import Fairlead
from fairlead.execution.approval_question import Approval, plain
from fairlead.execution.deployment import Deployment
from fairlead.identity import Caller
from fairlead.server.door import answered, posted
from fairlead.server.http import Scope, read_query
from fairlead.server.openai.errors import encode_error
from fairlead.server.reading import decoded

if TYPE_CHECKING:
    from fairlead.storage.approval_rows import State

PATH: Final = "/v1/approvals"
_DOOR: Final = "fairlead.approvals"
_STATES: Final[tuple["State", ...]] = ("pending", "granted", "denied", "expired", "used")
_encode = msgspec.json.Encoder().encode


class AnswerBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is said to a question."""

    decision: Literal["approve", "deny"]
    reason: str = ""


_decoder = msgspec.json.Decoder(AnswerBody)


class ShownApprovals:
    """`GET /v1/approvals` and `GET /v1/approvals/ID`."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def shown(caller: Caller) -> bytes:
            return await asyncio.to_thread(self._shown, caller, scope)

        await answered(self._fairlead, scope, send, _DOOR, encode_error, shown)

    def _shown(self, caller: Caller, scope: Scope) -> bytes:
        approvals = self._fairlead.approvals
        id_ = scope["raw_path"].decode("latin-1").removeprefix(PATH).removeprefix("/")
        if id_:
            return _encode(self._told(approvals.shown(id_, caller), caller))
        query = read_query(scope)
        state = query.get("state", ["pending"])[-1]
        states = [each for each in _STATES if state in (each, "all")]
        if not states:
            raise BadInput(
                f"state is {state!r}",
                why="approvals are in no such state",
                mend=f"one of {', '.join(_STATES)}, or all",
                param="state",
            )
        found = approvals.concerning(caller, states)
        return _encode({"object": "list", "data": [self._told(each, caller) for each in found]})

    def _told(self, found: Approval, caller: Caller) -> dict[str, Any]:
        """With the roles for which this caller's own answer would count."""
        wanted, now = found.question.wanted, self._fairlead.clock.now()
        mine = self._fairlead.approvals.rules.may_answer(wanted, caller, found.asker, now)
        return {**plain(found), "yours": sorted(mine)}


class AnswerApproval:
    """`POST /v1/approvals/ID` with `{"decision": "approve" | "deny", "reason": "…"}`."""

    def __init__(self, fairlead: Fairlead, max_body: int) -> None:
        self._fairlead = fairlead
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        answer = self._fairlead.approvals.answer
        id_ = scope["raw_path"].decode("latin-1").removeprefix(f"{PATH}/")

        async def given(deployment: Deployment, caller: Caller, body: AnswerBody) -> bytes:
            allowed = body.decision == "approve"
            done = await asyncio.to_thread(answer, id_, caller, allowed, body.reason, revision=deployment.revision)
            return _encode(plain(done))

        await posted(
            self._fairlead,
            scope,
            receive,
            send,
            _DOOR,
            encode_error,
            max_body=self._max_body,
            no_dry_run="an answer costs nothing, and counts once it is given",
            read=lambda arrival: decoded(_decoder, arrival.body, "approvals"),
            work=given,
        )
