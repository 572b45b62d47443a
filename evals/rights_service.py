"""The target `openapi`: a service that knows people by the tokens they come with, and that is careless about all else.

It decodes paths twice, follows `..` and `\\`, believes a header and a query field that only a gateway would set, and
has a page inside that asks nobody who they are. Whatever gets an argument out of its place shows everybody's rows.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.tools.mcp_world import served

from evals.rights_stage import PEOPLE, ROWS, Provider, Stage, Tally, Trial, exchange, mark, pairs

AUDIENCE = "shop"
_TEXT = {"type": "string"}
HOSTILE = (
    "{other}&as={other}", "{other}%26as%3D{other}", "x?as={other}", "x#as={other}", "x;as={other}",
    "x&owner=&as={other}", "x\r\nx-act-as: {other}", "x\nx-act-as:{other}",
    "x\r\n\r\nGET /internal/dump HTTP/1.1\r\nhost: x\r\n\r\n", "x\u2028as", "..", ".", "../internal/dump",
    "..%2finternal%2fdump", "%2e%2e/internal/dump", "%2e%2e%2finternal%2fdump", "%252e%252e%252finternal%252fdump",
    "..\\internal\\dump", "%2e%2e%5cinternal%5cdump", "..;/internal/dump", "/internal/dump", "//internal/dump",
    "http://127.0.0.1/internal/dump", "{id}/../../internal/dump", "./{id}", "\uff0e\uff0e\uff0finternal\uff0fdump",
    "..%c0%afinternal%c0%afdump", "x; as={other}", 'x"; as={other}', "x\0", "", "{other}", "{other},{person}", "{id}",
    "*", "%", "null", "0x{id}", "{id}.0", "+{id}", " {id}",
)  # fmt: skip


def _operation(name: str, *parameters: dict[str, Any], body: dict[str, Any] | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {"operationId": name, "parameters": list(parameters), "responses": {}}
    if body is not None:
        made["requestBody"] = {"content": {"application/json": {"schema": {"type": "object", "properties": body}}}}
    return made


def _in(where: str, *names: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": where, "schema": _TEXT, "required": where == "path"} for name in names]


DESCRIPTION = json.dumps(
    {
        "openapi": "3.1.0",
        "paths": {
            "/orders/{id}": {"get": _operation("get_order", *_in("path", "id"))},
            "/people/{person}/orders": {"get": _operation("of_person", *_in("path", "person"))},
            "/files/{folder}/{name}": {"get": _operation("file", *_in("path", "folder", "name"))},
            "/find": {"get": _operation("find", *_in("query", "owner", "text"))},
            "/mine": {"get": _operation("mine", *_in("header", "x-note"), *_in("cookie", "trail"))},
            "/slow/{id}": {"get": _operation("slow", *_in("path", "id"))},
            "/orders/{id}/notes": {
                "post": _operation("note", *_in("path", "id"), body={"note": _TEXT, "owner": _TEXT, "by": _TEXT})
            },
        },
    }
)
# Every place of an argument: the tool, the argument, and what else the tool needs.
PLACES: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("get_order", "id", {}), ("of_person", "person", {}), ("file", "folder", {"name": "a"}),
    ("file", "name", {"folder": "a"}),
    ("find", "owner", {}), ("find", "text", {}), ("mine", "x-note", {}), ("mine", "trail", {}), ("slow", "id", {}),
    ("note", "id", {"note": "planted"}), ("note", "owner", {"id": "0", "note": "planted"}),
    ("note", "note", {"id": "0"}),
)  # fmt: skip


class Shop:
    """The service. `wrong` tells of tokens that were not meant for it, and of rows that others changed."""

    def __init__(self, issuer: Provider) -> None:
        self._issuer = issuer
        self.rows = {
            str(index * 1000 + number): {"owner": person, "mark": mark(person, number), "note": ""}
            for index, person in enumerate(PEOPLE)
            for number in range(ROWS)
        }
        self.wrong: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
            return
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        path = _resolved(scope["raw_path"].decode())
        if path == ["internal", "dump"]:
            await _reply(send, 200, list(self.rows.values()))
            return
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        query = dict(parse_qsl(scope["query_string"].decode()))
        cookies = dict(each.strip().partition("=")[::2] for each in headers.get("cookie", "").split(";"))
        token = headers.get("authorization", "").removeprefix("Bearer ")
        person = self._issuer.whose(token, AUDIENCE)
        if person is None:
            self.wrong.append("a token came that was not for the service")
            await _reply(send, 401, {"detail": "who are you?"})
            return
        person = query.get("as") or headers.get("x-act-as") or cookies.get("as") or person
        await self._answer(send, scope["method"], path, query, person, body)

    async def _answer(
        self, send: Any, method: str, path: list[str], query: Mapping[str, str], person: str, body: bytes
    ) -> None:
        own = [row for row in self.rows.values() if row["owner"] == person]
        match [method, *path]:
            case ["GET", "orders", number] if self._is(number, person):
                await _reply(send, 200, self.rows[number])
            case ["GET", "slow", number] if self._is(number, person):
                await _slowly(send, json.dumps(self.rows[number]).encode())
            case ["GET", "people", name, "orders"]:
                await _reply(send, 200, [row for row in own if row["owner"] == name])
            case ["GET", "find"]:
                wanted = query.get("owner", person), query.get("text", "")
                await _reply(send, 200, [row for row in own if row["owner"] == wanted[0] and wanted[1] in row["note"]])
            case ["GET", "mine"]:
                await _reply(send, 200, own)
            case ["POST", "orders", number, "notes"] if self._is(number, person):
                said = json.loads(body or b"{}")
                if said.get("by") and said["by"] != person:
                    self.wrong.append(f"a row of {person} was changed by {said['by']}")
                self.rows[number]["note"] = str(said.get("note", ""))[:40]
                await _reply(send, 200, self.rows[number])
            case _:
                await _reply(send, 404, {"detail": "nothing of yours is there"})

    def _is(self, number: str, person: str) -> bool:
        return number in self.rows and self.rows[number]["owner"] == person


def _resolved(path: str) -> list[str]:
    """As a careless chain of proxies would read it."""
    for _ in range(2):
        path = unquote(path, errors="ignore").replace("\\", "/")
    found: list[str] = []
    for whole in path.split("/"):
        part = whole.partition(";")[0]
        if part == "..":
            found = found[:-1]
        elif part not in ("", "."):
            found.append(part)
    return found


async def _reply(send: Any, status: int, data: Any) -> None:
    body = json.dumps(data).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _slowly(send: Any, body: bytes) -> None:
    """Half of an answer, a pause in which callers leave, and the rest."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body[:-10], "more_body": True})
    await asyncio.sleep(0.02)
    with contextlib.suppress(OSError):
        await send({"type": "http.response.body", "body": body[-10:]})


class Openapi:
    """The service, and everybody attacking it."""

    name = "openapi"

    def __init__(self, shop: Shop, url: str, tally: Tally) -> None:
        self._shop = shop
        self.tally = tally
        self.systems = {
            "shop": {
                "use": "openapi", "description": "shop.json", "url": url, "at_home": True, "at_once": 12,
                "credential": exchange(shop._issuer, AUDIENCE),
            }
        }  # fmt: skip
        self.files = {"systems/shop.json": DESCRIPTION}

    def trials(self, stage: Stage) -> list[Trial]:
        made = [*self._others(stage), *self._hostile(stage), *self._deputies(stage), *self._together(stage)]
        return [*made, *stage.replays(self.tally, "shop.mine", lambda _: {})]

    def probe(self) -> tuple[str, dict[str, str]]:
        return "shop.mine", {}

    def _trial(self, stage: Stage, attack: str, person: str, tool: str, /, **arguments: object) -> Trial:
        async def trial() -> None:
            self.tally.count(attack, person, await stage.by_door(person, f"shop.{tool}", arguments))

        return trial

    def _others(self, stage: Stage) -> list[Trial]:
        made = []
        for person, other in pairs():
            for row in range(ROWS):
                number = str(PEOPLE.index(other) * 1000 + row)
                made.append(self._trial(stage, "others_id", person, "get_order", id=number))
                made.append(self._trial(stage, "others_id", person, "note", id=number, note="planted", by=person))
            made.append(self._trial(stage, "others_id", person, "of_person", person=other))
            made.append(self._trial(stage, "others_id", person, "find", owner=other))
            made.append(self._trial(stage, "others_id", person, "file", folder=other, name=mark(person)[:2]))
        return made

    def _hostile(self, stage: Stage) -> list[Trial]:
        made = []
        for person in PEOPLE:
            for text in HOSTILE:
                for tool, argument, more in PLACES:
                    other = stage.chance.choice([each for each in PEOPLE if each != person])
                    given = {"person": person, "other": other, "id": PEOPLE.index(other) * 1000 + 1}
                    arguments = {**more, argument: _filled(text, given)}
                    made.append(self._trial(stage, "argument_out_of_place", person, tool, **arguments))
        return made

    def _deputies(self, stage: Stage) -> list[Trial]:
        """Arguments that no tool has, sessions and headers that are not the caller's."""
        made = []
        for person, other in pairs():
            for stray in ("as", "x-act-as", "authorization", "cookie", "person", "_meta"):
                made.append(self._trial(stage, "confused_deputy", person, "mine", **{stray: other}))
            made.append(self._headed(stage, person, **{"x-act-as": other.strip() if other.isascii() else "ben"}))
            made.append(self._headed(stage, person, **{"mcp-session-id": mark(other)[2:14]}))
        return made

    def _headed(self, stage: Stage, person: str, **headers: str) -> Trial:
        async def trial() -> None:
            shown = await stage.by_door(person, "shop.mine", {}, **headers)
            self.tally.count("confused_deputy", person, shown)

        return trial

    def _together(self, stage: Stage) -> list[Trial]:
        """Everybody over the same few connections, some leaving in the midst of an answer."""
        made = []
        for index, person in enumerate(PEOPLE):
            number = str(index * 1000)
            for _ in range(60):
                made.append(self._trial(stage, "at_once", person, "slow", id=number))
                made.append(self._trial(stage, "at_once", person, "mine"))
                made.append(self._trial(stage, "at_once", person, "note", id=number, note=str(index), by=person))
                made.append(left(stage, self.tally, person, "shop.slow", {"id": number}))
        return made

    def after(self) -> None:
        """What the service has seen that it should not have."""
        for wrong in self._shop.wrong:
            self.tally.found(wrong)


def left(stage: Stage, tally: Tally, person: str, tool: str, arguments: Mapping[str, Any]) -> Trial:
    """A call whose caller leaves at a moment drawn by chance, at the door or inside."""
    inside, wait = stage.chance.random() < 0.5, stage.chance.uniform(0.0005, 0.03)

    async def trial() -> None:
        async def asked() -> str:
            if inside:
                return (await stage.by_token(stage.tokens[person], tool, arguments))[1]
            return await stage.by_door(person, tool, arguments)

        task = asyncio.ensure_future(asked())
        await asyncio.wait({task}, timeout=wait)
        task.cancel()
        await asyncio.wait({task})
        tally.count("left_midway", person, "" if task.cancelled() else task.result())

    return trial


def _filled(text: str, given: Mapping[str, Any]) -> str:
    for name, value in given.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


@asynccontextmanager
async def openapi(issuer: Provider, tally: Tally) -> AsyncIterator[Openapi]:
    shop = Shop(issuer)
    async with served(shop) as url:
        yield Openapi(shop, url, tally)
