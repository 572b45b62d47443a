"""Live sources, read while a task is stitched: each by a governed call of a tool under its caller's own rights.

They are read at the same time, each within its own time. What is down, denied, slow or empty is told, and the rest goes
on.
"""

import asyncio
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from fairlead.context.live import cleaned, iso, taken, time_of, written
from fairlead.context.sources.live import LiveSource, as_schema, asked_with
from fairlead.context.types import LivePiece, LiveState
from fairlead.costs.ledger import Action
from fairlead.costs.told import Arrival
from fairlead.errors import Denied, FairleadError, Stopped, Withheld
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.prepare import NoContext
from fairlead.execution.tool_asking import ToolAnswer, ToolRequest, digest_of
from fairlead.execution.tool_call import call_tool
from fairlead.execution.tool_pins import Quarantined
from fairlead.identity.no_credential import NoCredential
from fairlead.labels import Labels
from fairlead.models.message_text import text_of
from fairlead.models.types import ChatRequest
from fairlead.policy.tool_rights import UNKNOWN
from fairlead.tasks.types import Task
from fairlead.tools.failures import NotAuthorised

DOOR: Final = "live"
_USER: Final = frozenset({"user"})
_WORKSPACE: Final = frozenset({"workspace"})
_GRACE: Final = 0.5  # seconds for what a call does beside waiting for its system
_HIDDEN: Final = (Denied, Withheld, Stopped, Quarantined, NoCredential, NotAuthorised)


async def live_pieces(
    fairlead: Fairlead, deployment: Deployment, action: Action, task: Task, request: ChatRequest
) -> tuple[LivePiece, ...]:
    """What the live sources of the task's type say, in their order. Those whom the question does not concern are not
    asked. Raises `NoContext` where one is required and was asked in vain."""
    said = [text_of(each) for each in reversed(request.messages) if each.role == "user"]
    sources = [deployment.live[name] for name in task.type.live]
    calls = [(each, call) for each in sources if (call := _call(deployment, action, each, said)) is not None]
    if not calls:
        return ()
    with action.step("live"):
        with action.trace.waiting():
            reading = [_read(fairlead, deployment, action, source, call) for source, call in calls]
            found = await asyncio.gather(*reading, return_exceptions=True)
        for each in found:
            if isinstance(each, BaseException):
                raise each
        pieces = tuple(each for each in found if isinstance(each, LivePiece))
        action.trace.note(**{each.name: each.why or each.state for each in pieces})
    _refuse_without(task, pieces)
    return pieces


def _call(deployment: Deployment, action: Action, source: LiveSource, said: list[str]) -> ToolRequest | None:
    """The call that reads a source, None where the question does not concern it."""
    caller = action.caller
    asked = asked_with(source, said, {"person": caller.person, "department": caller.department})
    if asked is None:
        return None
    tool = deployment.systems.tool(source.settings.tool)[1]
    spoken = _USER if deployment.flows is not None and deployment.flows.speaks(caller) else UNKNOWN
    return ToolRequest(
        name=tool.name,
        arguments=as_schema(asked.arguments, tool.definition.input),
        sources={name: spoken if name in asked.words else _WORKSPACE for name in asked.arguments},
    )


async def _read(
    fairlead: Fairlead, deployment: Deployment, action: Action, source: LiveSource, call: ToolRequest
) -> LivePiece:
    token = sha256(action.arrival.token.encode()).hexdigest() if action.arrival.token else ""
    key = (deployment.revision, action.caller, token, source.name, digest_of(call.name, call.arguments))
    if source.settings.fresh and (kept := fairlead.live.answer(key)) is not None:
        return kept
    within = source.settings.within
    came = action.arrival
    arrival = Arrival(
        door=DOOR,
        within=action.run,
        workflow=came.workflow,
        token=came.token,
        deadline=within,
        asks=False,
        keep=came.keep,
    )
    epoch = fairlead.live.epoch
    try:
        async with asyncio.timeout(within + _GRACE):
            answer = await call_tool(fairlead, action.caller, call, arrival)
    except TimeoutError:
        return _without(source, "missing", "deadline_exceeded")
    except FairleadError as error:
        hidden = isinstance(error, _HIDDEN)
        return _without(source, "hidden" if hidden else "missing", error.code)
    piece = piece_of(source, answer, deployment.systems.tool(call.name)[0].settings.trusted, fairlead.clock.now())
    if source.settings.fresh and piece.state == "met":
        fairlead.live.keep(key, piece, source.settings.fresh, epoch)
    return piece


def piece_of(source: LiveSource, answer: ToolAnswer, trusted: bool, now: int) -> LivePiece:
    """What a source answered, as a piece. `now` is in milliseconds since 1970."""
    result, settings = answer.result, source.settings
    if result.failed or result.questions is not None:
        return _without(source, "missing", "failed" if result.failed else "asks_back")
    whole: Any = result.text if result.structured is None else result.structured
    text, cut = written(taken(whole, settings.take), settings.most)
    if not text:
        return _without(source, "missing", "empty")
    read = holds = datetime.fromtimestamp(now / 1000, UTC)
    state: LiveState = "met"
    if settings.as_of:
        stated = time_of(taken(whole, settings.as_of))
        holds = min(stated or read, read)
        old = stated is None or (read - holds).total_seconds() > (settings.oldest or float("inf"))
        state = "stale" if settings.oldest is not None and old else "met"
    return LivePiece(
        name=source.name,
        state=state,
        tool=answer.tool,
        title=cleaned(source.title),
        text=text,
        as_of=iso(holds),
        why="cut" if cut else "",
        labels=Labels(answer.labels.data_class, answer.labels.categories),
        trusted=trusted,
        required=settings.required,
    )


def _without(source: LiveSource, state: LiveState, why: str) -> LivePiece:
    settings = source.settings
    return LivePiece(
        name=source.name, state=state, tool=settings.tool, title=source.title, why=why, required=settings.required
    )


def _refuse_without(task: Task, pieces: tuple[LivePiece, ...]) -> None:
    for each in pieces:
        if each.required and not each.text:
            raise NoContext(
                f"what {each.title} says is not to be had for you now",
                why=f"a {task.type.name} is not answered without it, and {_said(each)}",
                mend="try again later" if each.state == "missing" else "ask for the right to read it",
                subject=each.name,
            )


def _said(piece: LivePiece) -> str:
    if piece.state == "hidden":
        return f"you may not read it just so ({piece.why})"
    return "it has nothing on this" if piece.why == "empty" else f"it could not be read ({piece.why})"
