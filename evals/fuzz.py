"""Malformed and hostile requests at every door: each gets a precise 4xx in the door's format, and changes nothing.

Bodies are drawn from the door's JSON Schema and spoilt, or are garbage, deeply nested, wrongly encoded; then there are
headers, paths, methods and framing. Requests that by luck are valid are counted and not sent. Afterwards valid ones of
every shape are sent too, for none of which Fairlead may break.

    not_4xx            answers with another status, and requests that got no answer             (0)
    wrong_format       answers that are not in the door's format, with a code and a sentence    (0)
    ledger_changed, workspace_changed, runs_changed                                             (false)
    broken_by_valid    valid requests that got a 5xx, or no answer                              (0)
"""

import asyncio
import hashlib
import json
import random
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httptools
import msgspec
from tests.world import key_of

from evals import shapes
from evals.stage import Incomplete, Response, Stage, books, chance, exchange, get, parser, say, stage, told, written
from fairlead.errors import BadInput
from fairlead.server import proposals
from fairlead.server.anthropic import message_request
from fairlead.server.anthropic.message_body import CountBody, MessagesBody
from fairlead.server.openai import chat_request, completion_request, embedding_request, remembered, responses_request
from fairlead.server.openai.chat_body import ChatBody
from fairlead.server.openai.completion_request import CompletionBody
from fairlead.server.openai.embedding_request import EmbeddingBody
from fairlead.server.openai.remembered import ConversationBody
from fairlead.server.openai.responses_request import ResponseBody
from fairlead.server.proposals import ProposalBody

_AT_ONCE = 16
_TRIES = 20
_MAX_BODY = 262_144
_CHAT = "/v1/chat/completions"
_AUTH = {"authorization": f"Bearer {key_of('kim')}"}
_GOOD = b'{"model":"small","messages":[{"role":"user","content":"x"}]}'
_WHOLE: dict[str, Any] = {"server": {"max_body": _MAX_BODY}, "budgets": {"organisation": {"total": 100}}}


class Door(msgspec.Struct, frozen=True):
    """A door that takes bodies: the struct that it reads them into, the function that does, and a plain good one."""

    path: str
    body: type[msgspec.Struct]
    read: Callable[[bytes], object]
    plain: dict[str, Any]


_SAID: dict[str, Any] = {"messages": [{"role": "user", "content": "x"}]}
DOORS = (
    Door(_CHAT, ChatBody, chat_request.read_request, _SAID),
    Door("/v1/completions", CompletionBody, completion_request.read_request, {"prompt": "x"}),
    Door("/v1/responses", ResponseBody, responses_request.read_request, {"input": "x"}),
    Door("/v1/messages", MessagesBody, message_request.read_request, {**_SAID, "max_tokens": 5}),
    Door("/v1/messages/count_tokens", CountBody, message_request.read_count, _SAID),
    Door("/v1/embeddings", EmbeddingBody, embedding_request.read_request, {"input": "x"}),
    Door("/v1/conversations", ConversationBody, remembered.read_request, {}),
    Door(proposals.PATH, ProposalBody, proposals.read_request, {"item": "x", "instead": "x", "text": "y"}),
)
_ASKING = [door.path for door in DOORS[:-2]]  # they name a model, and take no empty body


class Drawn(msgspec.Struct):
    """One request: what kind of wrong it is, and its bytes. `body` is what `door` would read, None where that does not
    decide."""

    kind: str
    request: bytes
    body: bytes | None = None
    door: Door = DOORS[0]


class Requests:
    """Draws requests. Deterministic for a seed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._shapes = {door.path: shapes.Shapes(_schema(door.body), rng) for door in DOORS}
        self._kinds: list[tuple[int, Callable[[], Drawn]]] = [
            (40, self._spoilt), (8, self._garbage), (3, self._nested), (6, self._numbers), (6, self._twice),
            (8, self._encoded), (10, self._headers), (9, self._paths), (6, self._framing), (1, self._large),
        ]  # fmt: skip

    def draw(self) -> Drawn:
        weights = [weight for weight, _ in self._kinds]
        return self._rng.choices([make for _, make in self._kinds], weights)[0]()

    def draw_valid(self) -> Drawn:
        """A request that the door takes, for a model that there is."""
        door = self._door()
        model = {"model": "small"} if door.path in _ASKING else {}
        return self._posted("valid", json.dumps({**self._valid(door), **model}).encode(), door)

    def _door(self) -> Door:
        return self._rng.choice(DOORS)

    def _valid(self, door: Door) -> dict[str, Any]:
        """A body that the door takes. What types cannot say is left to chance, and at last to the plainest body."""
        for _ in range(_TRIES):
            body = self._shapes[door.path].valid()
            if _takes(door, json.dumps(body).encode()):
                return body
        return {**({"model": "small"} if door.path in _ASKING else {}), **door.plain}

    def _posted(self, kind: str, body: bytes, door: Door | None = None) -> Drawn:
        door = door or self._door()
        return Drawn(kind, written("POST", door.path, body, _AUTH), body, door)

    def _spoilt(self) -> Drawn:
        door = self._door()
        return self._posted("spoilt", json.dumps(self._shapes[door.path].spoilt(self._valid(door))).encode(), door)

    def _garbage(self) -> Drawn:
        return self._posted("garbage", shapes.garbage(self._rng))

    def _nested(self) -> Drawn:
        return self._posted("nested", shapes.nested(self._rng))

    def _numbers(self) -> Drawn:
        return self._posted("numbers", shapes.numbers(self._rng))

    def _twice(self) -> Drawn:
        door = self._door()
        return self._posted("twice", shapes.twice(self._rng, self._valid(door) or {"metadata": {}}), door)

    def _encoded(self) -> Drawn:
        door = self._door()
        return self._posted("encoded", shapes.encoded_wrongly(self._rng, self._valid(door)), door)

    def _large(self) -> Drawn:
        return Drawn("large", written("POST", self._door().path, b'{"model":"' + b"x" * _MAX_BODY + b'"}', _AUTH))

    def _headers(self) -> Drawn:
        rng = self._rng
        wrong = rng.choice([
            {"authorization": rng.choice(["", "Bearer", "Bearer ", "Basic a2ltOmtpbQ==", f"bearer  {key_of('kim')} x",
                                          "Bearer " + "x" * 5000, "Bearer eyJhbGciOiJub25lIn0.e30.", "Bearer \xff\xfe",
                                          f"Bearer {key_of('kim')}é", f"Bearer {key_of('kim')[:-1]}"])},
            {**_AUTH, "x-fairlead-deadline": rng.choice(["", "0", "-1", "nan", "inf", "1e999", "soon", "9" * 400,
                                                         "\xb2"])},
            {**_AUTH, "x-fairlead-session": rng.choice(["", " ", "a b", "x" * 129, "../etc", "\xe9", "a/b", "%41"])},
            {**_AUTH, "x-fairlead-dry-run": rng.choice(["yes", "Estimate", "1", "estimate\xff"])},
        ])  # fmt: skip
        return Drawn("headers", written("POST", rng.choice(_ASKING), _GOOD, wrong))

    def _paths(self) -> Drawn:
        rng = self._rng
        method = rng.choice(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
        path = rng.choice([
            "//v1/chat/completions", "/v1/chat/completions/", "/v1/chat/../chat/completions", "/v1/chat%2fcompletions",
            "/v1/chat/completions%00", "/V1/CHAT/COMPLETIONS", "/v1/chat/completions;x=1",
            "/v1/models/../../etc/passwd", "/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
            "/v1/models/" + "a" * 3000, "/v1/models/%ff%fe", "/v1/models/",
            "/v1/messages", "/v1/messages/", "/v1/messages/batches", "/v1/messages/count_tokens/x",
            "/v1/responses/resp_none", "/v1/responses/turn_none", "/v1/responses/resp_none/input_items?limit=x",
            "/v1/responses/resp_none/cancel", "/v1/conversations/conv_none", "/v1/conversations/conv_none/items",
            "/v1/context/proposals/req_none", "/v1/context/proposals?state=x", "/v1/context/proposals/%00%ff",
            "/v1/sessions/none", "/v1/sessions/%00", "/v1/sessions/" + "a" * 3000, "/v1/sessions/",
            "/v1/models/%f0%9f%9a%a2", "/.env", "/admin", "/%", "/%zz", "/v1/models//small", "/v1/models/small/",
        ])  # fmt: skip
        if method == "HEAD":
            method = "GET"  # an answer to HEAD has no body to look at
        return Drawn("paths", written(method, path, b"" if method == "GET" else _GOOD, _AUTH))

    def _framing(self) -> Drawn:
        rng = self._rng
        auth, path = f"host: x\r\nauthorization: {_AUTH['authorization']}\r\n", rng.choice(_ASKING)
        start = f"POST {path} HTTP/1.1\r\n"
        chunked = f"{start}{auth}transfer-encoding: chunked\r\n\r\n"
        text = rng.choice([
            chunked + "zz\r\n{}\r\n0\r\n\r\n",
            chunked + "-5\r\n{}\r\n0\r\n\r\n",
            chunked + "5\r\n{}\r\n0\r\n\r\n",
            chunked + "ffffffffffffffffff\r\n{}\r\n",
            chunked + "2\r\n{}\r\n0\r\n\r\n",
            chunked + "1\r\n{\r\n1\r\n\x00\r\n0\r\n\r\n",
            f"{start}{auth}content-length: -1\r\n\r\n",
            f"{start}{auth}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}",
            f"{start}{auth}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{{}}",
            f"{start}{auth}content-length: abc\r\n\r\n{{}}",
            f"{start}{auth}content-length: 0\r\n\r\n",
            f"{start}bad header\r\n\r\n",
            f"{start}: empty\r\n\r\n",
            f"GET {path} HTTP/9.9\r\n\r\n",
            f"BREW {path} HTTP/1.1\r\nhost: x\r\n\r\n",
            "GARBAGE\r\n\r\n",
            "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            f"{start}{auth}x: {'y' * 200_000}\r\ncontent-length: 0\r\n\r\n",
            f"{start}{auth}connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 2\r\n\r\n{{}}",
            f"{start}{auth}connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\n{{}}",
        ])  # fmt: skip
        return Drawn("framing", text.encode("latin-1"))


def _schema(body: type[msgspec.Struct]) -> dict[str, Any]:
    whole = msgspec.json.schema(body)
    root: dict[str, Any] = whole["$defs"][body.__name__]
    return whole | root


def is_valid(drawn: Drawn) -> bool:
    """Whether its door would take this body for a request."""
    return drawn.body is not None and _takes(drawn.door, drawn.body)


def _takes(door: Door, body: bytes) -> bool:
    try:
        door.read(body)
    except BadInput:
        return False
    return True


class Seen:
    """What came back."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.not_4xx: list[str] = []
        self.wrong_format: list[str] = []

    def take(self, drawn: Drawn, response: Response | None, why: str = "") -> None:
        self.kinds[drawn.kind] += 1
        sent = f"{drawn.kind}: {drawn.request[:300]!r}"
        if response is None:
            self.not_4xx.append(f"{why} for {sent}")
            return
        self.statuses[response.status] += 1
        if not 400 <= response.status < 500:
            self.not_4xx.append(f"{response.status} for {sent}")
        elif not _well_said(response, drawn.request):
            self.wrong_format.append(f"{response.status} {response.body[:200]!r} for {sent}")


def _well_said(response: Response, request: bytes) -> bool:
    """In the form of the protocol that has the path, as far as the request line could be read."""
    theirs = request.startswith((b"POST /v1/messages ", b"POST /v1/messages/", b"GET /v1/messages "))
    try:
        whole = json.loads(response.body)
        error = whole["error"]
        if theirs and whole["type"] != "error":
            return False
        code = error["code"] if "code" in error else whole["fairlead"]["code"]
        return bool(error["message"] and code and error["type"]) and code != "broken"
    except (ValueError, KeyError, TypeError):
        return False


async def send(url: str, drawn: Drawn, seen: Seen, free: asyncio.Semaphore) -> None:
    async with free:
        try:
            seen.take(drawn, await exchange(url, drawn.request, limit=20))
        except (Incomplete, OSError, TimeoutError, httptools.HttpParserError) as error:
            seen.take(drawn, None, f"{type(error).__name__} {error}")


def fingerprint(database: Path, tables: tuple[str, ...]) -> str:
    """A digest of all rows of some tables."""
    digest = hashlib.sha256()
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        for table in tables:
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2"):
                digest.update(repr((table, row)).encode())
    finally:
        connection.close()
    return digest.hexdigest()


def _money(made: Stage) -> tuple[Any, ...]:
    found = books(made.database)
    return found.spent, found.held, found.open_holds, sum(each.cost for each in found.records)


def _workspace(made: Stage) -> str:
    return fingerprint(
        made.database, ("revision", "workspace_file", "epoch", "api_key", "context_member", "context_edit")
    )


def _runs(made: Stage) -> int:
    return sum(each.kind != "refusal" for each in books(made.database).records)


async def send_valid(url: str, count: int, drawing: Requests) -> Seen:
    """Send requests of every valid shape; what is not below 500 was our fault."""
    seen, free = Seen(), asyncio.Semaphore(_AT_ONCE)
    await asyncio.gather(*(send(url, drawing.draw_valid(), seen, free) for _ in range(count)))
    return seen


async def measure(requests: int, seed: int, keep: bool = False) -> dict[str, Any]:
    """One run; returns what is printed."""
    drawing, seen, valid = Requests(chance(seed)), Seen(), 0
    async with stage(1, _WHOLE, keep=keep) as made:
        url, free = f"http://127.0.0.1:{made.port}", asyncio.Semaphore(_AT_ONCE)
        before = _money(made), _workspace(made), _runs(made)
        while (sent := seen.kinds.total()) < requests:
            batch = []
            while len(batch) < min(500, requests - sent):
                drawn = drawing.draw()
                if is_valid(drawn):
                    valid += 1
                else:
                    batch.append(drawn)
            await asyncio.gather(*(send(url, each, seen, free) for each in batch))
            say(f"{seen.kinds.total()} of {requests}: {dict(seen.statuses)}")
        after = _money(made), _workspace(made), _runs(made)
        refusals = [each for each in books(made.database).records if each.kind == "refusal"]
        charges = await made.charges()
        valid_seen = await send_valid(url, max(20, requests // 20), drawing)
        broken = [line for line in valid_seen.not_4xx if not line.startswith("200 ")]
        alive = (await get(url, "/readyz")).status == 200
    for name, lines in (("not 4xx", seen.not_4xx), ("wrong format", seen.wrong_format), ("broken by valid", broken)):
        for line in lines[:12]:
            say(f"{name}: {line}")
    return {
        "requests": seen.kinds.total(),
        "valid_by_luck": valid,
        "kinds": dict(sorted(seen.kinds.items())),
        "not_4xx": len(seen.not_4xx),
        "wrong_format": len(seen.wrong_format),
        "ledger_changed": before[0] != after[0] or bool(charges),
        "workspace_changed": before[1] != after[1],
        "runs_changed": before[2] != after[2],
        "valid_sent": dict(valid_seen.statuses),
        "broken_by_valid": len(broken),
        "refusals_recorded": len(refusals),
        "alive": alive,
    }


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--requests", type=int, default=10_000)
    given = options.parse_args()
    result = asyncio.run(measure(given.requests, given.seed, given.keep))
    changed = result["ledger_changed"] or result["workspace_changed"] or result["runs_changed"]
    bad = result["not_4xx"] or result["wrong_format"] or result["broken_by_valid"] or changed or not result["alive"]
    return told(result, bool(bad))


if __name__ == "__main__":
    sys.exit(main())
