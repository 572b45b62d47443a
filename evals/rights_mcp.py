"""The target `mcp`: a server by the official SDK, over streamable HTTP, that knows people by the tokens they come with.

What it is told to remember belongs to a session and not to a person: whoever shares a session sees it.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from mcp.server.mcpserver import Context, MCPServer
from tests.tools.mcp_world import served, system
from tests.tools.test_mcp_http import Watched

from evals.rights_service import HOSTILE, _filled, left
from evals.rights_stage import PEOPLE, ROWS, Provider, Stage, Tally, Trial, exchange, mark, pairs
from fairlead.tools.systems import Pins

AUDIENCE = "desk"
_WHO_ASKS = "@@" + "who-asks".center(len(mark("")) - 4, "-") + "@@"
Asked = Context[Any, Any]


class Desk:
    """The rows, and who asks for them."""

    def __init__(self, issuer: Provider) -> None:
        self._issuer = issuer
        self.rows = {
            str(index * 1000 + number): {"owner": person, "mark": mark(person, number), "note": ""}
            for index, person in enumerate(PEOPLE)
            for number in range(ROWS)
        }
        self.remembered: dict[str, str] = {}
        self.wrong: list[str] = []

    def known(self, token: str) -> str | None:
        return self._issuer.whose(token, AUDIENCE)

    def who(self, context: Asked) -> str:
        token = (context.headers or {}).get("authorization", "").removeprefix("Bearer ")
        person = self._issuer.whose(token, AUDIENCE)
        if person is None:
            self.wrong.append("a token came that was not for the server")
            raise PermissionError("who are you?")
        return person

    def row(self, number: str, person: str) -> dict[str, str]:
        found = self.rows.get(number)
        if found is None or found["owner"] != person:
            raise ValueError("nothing of yours is there")
        return found

    def served(self) -> MCPServer:
        server = MCPServer("desk")

        @server.tool(structured_output=False)
        def get_order(number: str, context: Asked) -> str:
            """An order of yours."""
            return json.dumps(self.row(number, self.who(context)))

        @server.tool(structured_output=False)
        def find(owner: str, text: str, context: Asked) -> str:
            """Orders of yours."""
            person = self.who(context)
            own = [row for row in self.rows.values() if row["owner"] == person]
            return json.dumps([row for row in own if row["owner"] == owner and text in row["note"]])

        @server.tool(structured_output=False)
        def mine(context: Asked) -> str:
            """All orders of yours."""
            person = self.who(context)
            return json.dumps([row for row in self.rows.values() if row["owner"] == person])

        @server.tool(structured_output=False)
        def note(number: str, text: str, by: str, context: Asked) -> str:
            """Writes a note."""
            person = self.who(context)
            if by != person:
                self.wrong.append(f"{person} wrote what {by} was to write")
            self.row(number, person)["note"] = text[:40]
            return "written"

        @server.tool(structured_output=False)
        def remember(context: Asked) -> str:
            """Keeps something of yours for this session."""
            session = (context.headers or {}).get("mcp-session-id", "")
            self.remembered[session] = mark(self.who(context)) if session else ""
            return "kept"

        @server.tool(structured_output=False)
        def recall(context: Asked) -> str:
            """What this session has kept."""
            self.who(context)
            return self.remembered.get((context.headers or {}).get("mcp-session-id", ""), "nothing")

        @server.tool(structured_output=False, description=f"Yours: {_WHO_ASKS}")
        def private() -> str:
            return "nothing"

        @server.tool(structured_output=False)
        async def slow(context: Asked) -> str:
            """All orders of yours, after a while."""
            person = self.who(context)
            await asyncio.sleep(0.02)
            return json.dumps([row for row in self.rows.values() if row["owner"] == person])

        return server


class Personal:
    """An application whose list of tools says something else to everybody: a mark of who asks, as long as its place."""

    def __init__(self, app: Any, desk: Desk) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        token = dict(scope.get("headers", ())).get(b"authorization", b"").decode().removeprefix("Bearer ")
        person = self._desk.known(token)

        async def sent(event: Any) -> None:
            if person is not None and event["type"] == "http.response.body":
                event = {**event, "body": event.get("body", b"").replace(_WHO_ASKS.encode(), mark(person).encode())}
            await send(event)

        await self._app(scope, receive, sent)


class Mcp:
    """The server in one of the two revisions, and everybody attacking it."""

    def __init__(self, name: str, desk: Desk, url: str, pins: str, tally: Tally) -> None:
        self.name = name
        self._desk = desk
        self.tally = tally
        self.systems = {
            name: {
                "use": "mcp", "url": f"{url}/mcp", "at_home": True, "plain_http": True, "at_once": 12,
                "credential": exchange(desk._issuer, AUDIENCE),
            }
        }  # fmt: skip
        self.files = {f"systems/{name}.pins.json": pins}

    def trials(self, stage: Stage) -> list[Trial]:
        made = [*self._others(stage), *self._hostile(stage), *self._deputies(stage), *self._together(stage)]
        made += stage.lists(self.tally)
        return [*made, *stage.replays(self.tally, f"{self.name}.mine", lambda _: {})]

    def probe(self) -> tuple[str, dict[str, str]]:
        return f"{self.name}.mine", {}

    def _trial(self, stage: Stage, attack: str, person: str, tool: str, /, **arguments: object) -> Trial:
        async def trial() -> None:
            self.tally.count(attack, person, await stage.by_door(person, f"{self.name}.{tool}", arguments))

        return trial

    def _others(self, stage: Stage) -> list[Trial]:
        made = []
        for person, other in pairs():
            for row in range(0, ROWS, 2):
                number = str(PEOPLE.index(other) * 1000 + row)
                made.append(self._trial(stage, "others_id", person, "get_order", number=number))
                made.append(self._trial(stage, "others_id", person, "note", number=number, text="planted", by=person))
            made.append(self._trial(stage, "others_id", person, "find", owner=other, text=""))
        return made

    def _hostile(self, stage: Stage) -> list[Trial]:
        made = []
        for person in PEOPLE:
            other = stage.chance.choice([each for each in PEOPLE if each != person])
            given = {"person": person, "other": other, "id": PEOPLE.index(other) * 1000 + 1}
            for text in HOSTILE:
                value = _filled(text, given)
                made.append(self._trial(stage, "argument_out_of_place", person, "get_order", number=value))
                made.append(self._trial(stage, "argument_out_of_place", person, "find", owner=value, text=value))
        return made

    def _deputies(self, stage: Stage) -> list[Trial]:
        """Arguments that no tool has; other people's sessions, here and there; what a session keeps."""
        made = []
        for person, other in pairs():
            stray = {"_meta": {"person": other}, "authorization": stage.tokens[other], "person": other}
            for name, value in stray.items():
                made.append(self._trial(stage, "confused_deputy", person, "mine", **{name: value}))
            for tool in ("remember", "recall", "recall"):
                made.append(self._trial(stage, "others_session", person, tool))
            made.append(self._in_session(stage, person))
            # Its description differs from the accepted one, so that it is not called, and the difference is shown.
            made.append(self._trial(stage, "quarantined", person, "private"))
        return made

    def _in_session(self, stage: Stage, person: str) -> Trial:
        """With the id of a session that somebody has with the server right now."""

        async def trial() -> None:
            session = next(iter(self._desk.remembered), "") or "none"
            more = {"mcp-session-id": session}
            self.tally.count("others_session", person, await stage.by_door(person, f"{self.name}.recall", {}, **more))

        return trial

    def _together(self, stage: Stage) -> list[Trial]:
        made = []
        for index, person in enumerate(PEOPLE):
            for _ in range(30):
                made.append(self._trial(stage, "at_once", person, "slow"))
                made.append(self._trial(stage, "at_once", person, "mine"))
                number = str(index * 1000)
                made.append(self._trial(stage, "at_once", person, "note", number=number, text=str(index), by=person))
                made.append(left(stage, self.tally, person, f"{self.name}.slow", {}))
        return made

    def after(self) -> None:
        for wrong in self._desk.wrong:
            self.tally.found(wrong)


@asynccontextmanager
async def mcp(issuer: Provider, tally: Tally, *, older: bool) -> AsyncIterator[Mcp]:
    """`older`: it speaks the revision 2025-11-25, which has sessions, and not the one without."""
    desk = Desk(issuer)
    async with served(Watched(Personal(desk.served().streamable_http_app(), desk), older=older)) as url:
        async with system(url=f"{url}/mcp") as asked:
            pins = Pins(tools=tuple((await asked.definitions()).values()))
        yield Mcp("desk-older" if older else "desk", desk, url, msgspec.json.encode(pins).decode(), tally)
