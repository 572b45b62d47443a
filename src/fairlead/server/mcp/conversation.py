"""One request's conversation with the program that sent it: how far the work is, what a system asks, and for whose
approval the call waits.

Where the revision has no questions in the midst of a request, a result says what is asked, and the request comes again
with the answers. What has to be known again then travels with it, sealed for the person who asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.errors import FairleadError
from fairlead.execution import Fairlead
from fairlead.execution.approval_question import ApprovalPending
from fairlead.execution.tool_asking import ToolAnswer, digest_of
from fairlead.identity import Caller
from fairlead.server.mcp.client import Program, Seals, grave
from fairlead.server.mcp.message import INVALID_PARAMS, Message, Unanswerable
from fairlead.server.mcp.questions import AskedBack
from fairlead.server.mcp.reply import Reply
from fairlead.tools.talk import Ask, Notice, Talk

_ANSWER_S: Final = 600.0  # for which a program may take to answer
_WAIT_S: Final = 25.0  # for which one request waits for an approval
_LOOK_S: Final = 1.0
_APPROVAL: Final = "fairlead.approval"


class Paused(Exception):
    """The request has no result yet: this says what is asked in its place."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__("input is required")
        self.result = result


class Conversation:
    """Of one request."""

    def __init__(
        self,
        fairlead: Fairlead,
        caller: Caller,
        message: Message,
        program: Program,
        reply: Reply,
        asked_back: AskedBack,
        seals: Seals,
        *,
        stateless: bool,
        page: Callable[[str], str],
    ) -> None:
        """`page` gives the address at which a question is answered by whoever is signed in, "" where nobody can."""
        self._fairlead = fairlead
        self._clock: Clock = fairlead.clock
        self._caller = caller
        self._message = message
        self._program = program
        self._reply = reply
        self._asked_back = asked_back
        self._seals = seals
        self._stateless = stateless
        self._page = page

    async def called(
        self, name: str, arguments: Mapping[str, Any], call: Callable[[Talk | None], Awaitable[ToolAnswer]]
    ) -> ToolAnswer:
        """The answer of a call, made again once it was approved. Raises `Paused`."""
        kept = await self._kept(name, arguments)
        talk = self._talk(kept)
        if kept.approval and _accepts(self._answers().get(_APPROVAL)):
            await self._settled(kept.approval)
        while True:
            try:
                found = await call(talk)
            except ApprovalPending as error:
                if not error.approval or not await self._waits(kept, error):
                    raise
                continue
            if found.result.questions is not None:
                asked = found.result.questions
                sealed = await self._sealed(_Kept(kept.call, state=asked.state)) if asked.state is not None else None
                raise Paused(_input_required(asked.asked, sealed))
            return found

    def _talk(self, kept: "_Kept") -> Talk | None:
        program, ask = self._program, self._ask()
        tells = (program.token is not None or program.log) and self._reply.takes_events
        if not tells and not program.abilities and not kept.answers and kept.state is None:
            return None
        abilities = program.abilities if self._stateless or ask is not None else {}
        return Talk(
            abilities=abilities,
            answers=kept.answers,
            state=kept.state,
            progress=program.token is not None,
            log=program.log if self._reply.takes_events else "",
            tell=self._tell if tells else None,
            ask=ask,
        )

    def _ask(self) -> Ask | None:
        if self._stateless or not self._program.abilities or not self._reply.takes_events:
            return None

        async def ask(method: str, about: Mapping[str, Any]) -> Any:
            return await self._asked_back.ask(self._caller, self._reply, method, about, _ANSWER_S)

        return ask

    async def _tell(self, notice: Notice) -> None:
        if notice.kind == "progress":
            if self._program.token is not None:
                told = {"progressToken": self._program.token, **notice.told}
                await self._reply.event({"method": "notifications/progress", "params": told})
        elif self._program.log and grave(str(notice.told.get("level")), self._program.log):
            await self._reply.event({"method": "notifications/message", "params": dict(notice.told)})

    async def _waits(self, kept: "_Kept", error: ApprovalPending) -> bool:
        """Whether the call is to be made again: its question was answered, or the program wants to wait for longer.
        What it says here approves nothing. Raises `Paused`."""
        about = question_of(error, self._program.abilities.get("elicitation"), self._page(error.approval))
        if about is None:
            return False
        if self._stateless:
            answered = self._answers().get(_APPROVAL)
            if answered is not None and not _accepts(answered):
                return False
            asked = {_APPROVAL: {"method": "elicitation/create", "params": about}}
            raise Paused(_input_required(asked, await self._sealed(replace(kept, approval=error.approval))))
        ask = self._ask()
        try:
            if ask is None or not _accepts(await ask("elicitation/create", about)):
                return False
        except FairleadError:  # no answer is one: the call ends as it would without the question
            return False
        await self._settled(error.approval)
        return True

    async def _settled(self, approval: Any) -> None:
        """Wait for a while until somebody has answered the question."""
        if self._asked_back.waits.locked():
            return  # the program is asked again, and that is a pause too
        async with self._asked_back.waits:
            until = self._clock.monotonic() + _WAIT_S
            while self._clock.monotonic() < until:
                shown = await asyncio.to_thread(self._fairlead.approvals.shown, str(approval), self._caller)
                if shown.state != "pending":
                    return
                await asyncio.sleep(_LOOK_S)

    def _answers(self) -> Mapping[str, Any]:
        given = self._message.params.get("inputResponses", {}) if self._stateless else {}
        if not isinstance(given, Mapping) or not all(isinstance(each, Mapping) for each in given.values()):
            raise Unanswerable(INVALID_PARAMS, "`inputResponses` must be an object of objects")
        return given

    async def _sealed(self, kept: "_Kept") -> str:
        return await self._seals.sealed("state", self._caller, msgspec.to_builtins(kept))

    async def _kept(self, name: str, arguments: Mapping[str, Any]) -> "_Kept":
        """What this request goes on from."""
        answers = {key: value for key, value in self._answers().items() if key != _APPROVAL}
        given = self._message.params.get("requestState") if self._stateless else None
        call = digest_of(name, arguments) if self._stateless else ""
        if given is None:
            return _Kept(call, answers=answers)
        opened = await self._seals.opened("state", self._caller, given)
        kept = _Kept("") if opened is None else msgspec.convert(opened, _Kept)
        if kept.call != call:
            raise Unanswerable(INVALID_PARAMS, "`requestState` is not what this call was answered with")
        return replace(kept, answers={**kept.answers, **answers})


class _Kept(Struct, frozen=True):
    """What has to be known again when a request comes again: which very call, by the digest of its tool and arguments,
    what the system wants to hear, and, where somebody had to approve it meanwhile, that question and what had been
    answered before."""

    call: str
    state: str | None = None
    approval: str = ""
    answers: Mapping[str, Any] = {}


def question_of(error: ApprovalPending, declared: Mapping[str, Any] | None, page: str) -> dict[str, Any] | None:
    """What the program is asked, None where it takes no such questions. On the page the question can be answered by who
    may, and only looked at by whose call it is: an address is nobody's right."""
    lines = [error.message]
    lines += [f"why: {error.why}"] if error.why else []
    if declared is None:
        return None
    if page and "url" in declared:
        lines.append("The page shows how it stands. The call goes on once somebody else has approved it there.")
        return {"mode": "url", "message": "\n".join(lines), "url": page, "elicitationId": error.approval}
    if declared and "form" not in declared:
        return None
    lines += [f"It is answered at {page}"] if page else []
    lines += ["Accept to wait until it is answered and go on then; this approves nothing. Decline to leave it."]
    return {"mode": "form", "message": "\n".join(lines), "requestedSchema": {"type": "object", "properties": {}}}


def _accepts(answer: Any) -> bool:
    return isinstance(answer, Mapping) and answer.get("action") == "accept"


def _input_required(asked: Mapping[str, Any], state: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {"resultType": "input_required"}
    if asked:
        found["inputRequests"] = asked
    if state is not None:
        found["requestState"] = state
    return found
