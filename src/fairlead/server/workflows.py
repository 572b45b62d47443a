"""`/v1/workflows`: begin runs, see what has become of them, steer them, and answer what they ask.

A run is its beginner's own: whoever else asks for it hears that there is none. What a run does is governed step by
step; here nothing is decided but whose run it is.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.errors import NotFound
from fairlead.execution import Fairlead
from fairlead.execution.deployment import Deployment
from fairlead.identity import Caller
from fairlead.server.door import answered, posted
from fairlead.server.http import Scope, header, read_query
from fairlead.server.openai.errors import encode_error
from fairlead.server.paging import number, part
from fairlead.server.reading import decoded
from fairlead.workflows.asked import Order, Page, Workflows
from fairlead.workflows.beginning import STARTS
from fairlead.workflows.waited import Here

PATH: Final = "/v1/workflows"
RUNS: Final = f"{PATH}/runs"
QUESTIONS: Final = f"{PATH}/questions"
_DOOR: Final = STARTS
_GRAPH: Final = "/graph"
_encode = msgspec.json.Encoder().encode


class BeginBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A run that is to begin. The same `once` of the same person begins a workflow one time only. With `stream`, a run
    that is kept in memory only is told of step by step."""

    input: dict[str, Any] = {}
    once: str = ""
    stream: bool = False


_begin = msgspec.json.Decoder(BeginBody)
_order = msgspec.json.Decoder(Order)


class BeginRun:
    """`POST /v1/workflows/NAME/runs`."""

    def __init__(self, fairlead: Fairlead, workflows: Workflows, max_body: int) -> None:
        self._fairlead = fairlead
        self._workflows = workflows
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        name, _, rest = scope["raw_path"].decode("latin-1").removeprefix(f"{PATH}/").partition("/")

        once = header(scope, b"idempotency-key") or ""

        async def begun(deployment: Deployment, caller: Caller, body: BeginBody) -> bytes | AsyncIterator[bytes]:
            if rest != "runs":
                raise NotFound(
                    f"there is no {PATH}/{name}/{rest}",
                    why="a run is begun below the name of its workflow",
                    mend=f"POST {PATH}/NAME/runs",
                )
            body = body if body.once else replace(body, once=once)
            if self._workflows.waits(name):
                return await self._waited(caller, name, body)
            begin = self._workflows.begin
            return _encode(await asyncio.to_thread(begin, caller, name, body.input, once=body.once, door=_DOOR))

        await posted(
            self._fairlead,
            scope,
            receive,
            send,
            _DOOR,
            encode_error,
            max_body=self._max_body,
            no_dry_run="`fairlead workflow dry-run` walks a workflow without its effects",
            read=lambda arrival: decoded(_begin, arrival.body, "workflows"),
            work=begun,
        )

    async def _waited(self, caller: Caller, name: str, body: BeginBody) -> bytes | AsyncIterator[bytes]:
        """What came of a run that is kept in memory only, once it is over."""
        run, here = await self._workflows.begin_waited(caller, name, body.input, once=body.once, door=_DOOR)
        if body.stream:
            return self._streamed(caller, run, here)
        if here is not None:
            await here.over.wait()
        return _encode(await self._told(caller, run["id"]))

    async def _streamed(self, caller: Caller, run: dict[str, Any], here: Here | None) -> AsyncIterator[bytes]:
        yield _event(run)
        if here is not None:
            async for step in here.progress():
                at = None if step is None else {"object": "workflow.step", "at": step[0], "status": step[1]}
                yield b": it goes on\n\n" if at is None else _event(at)
        yield _event(await self._told(caller, run["id"]))
        yield b"data: [DONE]\n\n"

    async def _told(self, caller: Caller, id_: str) -> dict[str, Any]:
        return await asyncio.to_thread(self._workflows.shown, id_, caller)


def _event(value: Any) -> bytes:
    return b"data: " + _encode(value) + b"\n\n"


class OrderRun:
    """`POST /v1/workflows/runs/ID` with `{"do": "approve", "at": "…"}` and the like."""

    def __init__(self, fairlead: Fairlead, workflows: Workflows, max_body: int) -> None:
        self._fairlead = fairlead
        self._workflows = workflows
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        id_ = scope["raw_path"].decode("latin-1").removeprefix(f"{RUNS}/")

        async def done(deployment: Deployment, caller: Caller, order: Order) -> bytes:
            return _encode(await asyncio.to_thread(self._workflows.carry_out, id_, caller, order))

        await posted(
            self._fairlead,
            scope,
            receive,
            send,
            _DOOR,
            encode_error,
            max_body=self._max_body,
            no_dry_run="what is done to a run is done",
            read=lambda arrival: decoded(_order, arrival.body, "workflows"),
            work=done,
        )


class ShownRuns:
    """`GET /v1/workflows/runs`, `…/runs/ID`, `…/runs/ID/graph`, and `GET /v1/workflows/questions`: what waits for this
    caller."""

    def __init__(self, fairlead: Fairlead, workflows: Workflows) -> None:
        self._fairlead = fairlead
        self._workflows = workflows

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def shown(caller: Caller) -> bytes:
            return _encode(await asyncio.to_thread(self._shown, caller, scope))

        await answered(self._fairlead, scope, send, _DOOR, encode_error, shown)

    def _shown(self, caller: Caller, scope: Scope) -> Any:
        path = scope["raw_path"].decode("latin-1")
        if path == QUESTIONS:
            return {"object": "list", "data": list(self._workflows.questions(caller))}
        if id_ := path.removeprefix(RUNS).removeprefix("/"):
            if id_.endswith(_GRAPH):
                format = read_query(scope).get("format", ["svg"])[-1]
                return self._workflows.pictured(id_.removesuffix(_GRAPH), caller, format)
            return self._workflows.shown(id_, caller)
        return self._workflows.listed(caller, _page(read_query(scope)))


def _page(query: Mapping[str, list[str]]) -> Page:
    """The part of the list that is asked for. Raises `BadInput` naming what is no number."""
    asked = part(query)
    return Page(
        workflow=query.get("workflow", [""])[-1],
        status=tuple(query.get("status", ())),
        since=number(query, "since", 0, 1 << 62, 0),
        not_undone=query.get("not_undone", [""])[-1].lower() in ("true", "1"),
        after=asked.after,
        limit=asked.limit,
    )
