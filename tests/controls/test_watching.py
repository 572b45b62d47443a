"""Controls over the real path: a breach is recorded once, stops, and is told to a receiver that misbehaves."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.conftest import AMPLE
from tests.world import World, secret_of, until, world

from fairlead.controls import AlarmSettings, ControlSettings, rows
from fairlead.controls.compile import compile_controls
from fairlead.controls.deliver import Delivery, signed
from fairlead.controls.evaluate import Evaluator
from fairlead.errors import BadInput, Stopped
from fairlead.storage.database import Where
from fairlead.storage.fleet import Fleet

REFUSED = {
    "controls/probing.yaml": json.dumps(
        {
            "title": "Nobody is refused again and again",
            "where": {"outcome": ["refused"]},
            "by": "person",
            "window": "1h",
            "most": 2,
            "on_breach": {"stop": "person", "stop_for": "2h", "alarm": ["ops"]},
        }
    )
}
BUSY = {
    "controls/busy.yaml": json.dumps({"title": "Not more than two a day", "most": 2, "on_breach": {"alarm": ["ops"]}})
}


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here has a second to wait for the next look."""
    monkeypatch.setattr("fairlead.controls.watch._EVERY", 0.05)


@dataclass
class Receiver:
    """A webhook's other side. `answers` are what it says to each post in turn, 200 once they are used up."""

    url: str
    answers: list[bytes] = field(default_factory=list)
    posts: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


def said(status: int, more: str = "") -> bytes:
    return f"HTTP/1.1 {status} x\r\n{more}content-length: 0\r\n\r\n".encode()


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            body = await reader.readexactly(int(headers["content-length"]))
            made.posts.append((headers, body))
            answer = made.answers.pop(0) if made.answers else said(200)
            if not answer:
                writer.transport.abort()
                return
            writer.write(answer)
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    made.url = f"http://{host}:{port}/hook"
    async with server:
        yield made


def alarms(url: str, **more: Any) -> dict[str, Any]:
    return {"ops": {"url": url, "secret": "env:TEST_KEY", "inside": True, **more}}


def started(w: World) -> bool:
    with w.store.reading() as connection:
        return rows.position(connection) is not None


async def test_a_breach_is_recorded_with_its_evidence_stops_whom_it_names_and_is_told_once(
    tmp_path: Path, where: Where
) -> None:
    async with (
        receiver() as heard,
        world(
            tmp_path, REFUSED, where=where, budgets={"persons": {"kim": {"total": 0}}}, alarms=alarms(heard.url)
        ) as w,
    ):
        await until(lambda: started(w))
        runs = [await refused(w) for _ in range(3)]
        await until(lambda: heard.posts)
        await until(lambda: w.fairlead.deployment.stops is not None)
        with pytest.raises(Stopped, match="is stopped") as stopped:
            await w.ask(person="kim")
        assert "control probing" in stopped.value.why
        assert await w.ask(person="lee")
        [breach] = w.records("breach")
        about = json.loads(breach.about)
        assert (about["runs"], about["value"], about["most"]) == (runs, "3", "2")
        assert breach.person == w.records(run=runs[0])[-1].person
        headers, body = heard.posts[0]
        message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        code = hmac.digest(b"test-key", message, hashlib.sha256)
        assert headers["webhook-signature"] == f"v1,{base64.b64encode(code).decode()}"
        told = json.loads(body)
        assert (told["type"], told["data"]["control"], told["data"]["record"]) == (
            "control.breach", "probing", breach.run,
        )  # fmt: skip
        assert b"kim" not in body
        assert len(heard.posts) == 1


async def refused(w: World) -> str:
    with pytest.raises(Exception, match="budget") as error:
        await w.ask(person="kim")
    return str(error.value.run)  # type: ignore[attr-defined]


async def test_an_evaluator_that_was_overtaken_writes_nothing(tmp_path: Path, where: Where) -> None:
    async with receiver() as heard, world(tmp_path, BUSY, where=where, budgets=AMPLE, alarms=alarms(heard.url)) as w:
        await until(lambda: started(w))
        late = evaluator(w)
        with w.store.reading() as connection:
            start, counted = rows.position(connection), rows.states(connection)
        for _ in range(3):
            await w.ask()
        await until(lambda: w.records("breach"))
        assert start is not None
        await asyncio.to_thread(late._write, start, start, counted, [])
        with w.store.reading() as connection:
            now = rows.position(connection)
        assert now is not None
        assert now.seq > start.seq
        await asyncio.to_thread(late.run)
        assert len(w.records("breach")) == 1


def evaluator(w: World) -> Evaluator:
    made = Evaluator(w.store, Fleet(w.store, w.clock), w.clock, lambda _: None)
    made.controls = compile_controls({"busy": ControlSettings(title="t", most=2)}, {}, secret_of)
    return made


@pytest.mark.parametrize(
    "answer", [said(500), b"", said(302, "location: http://169.254.169.254/latest\r\n"), b"nonsense"]
)
async def test_what_was_not_delivered_is_tried_again_under_the_same_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr("fairlead.controls.deliver.PAUSES", (0, 0))
    async with receiver() as heard, world(tmp_path, BUSY, budgets=AMPLE, alarms=alarms(heard.url)) as w:
        heard.answers = [answer]
        await until(lambda: started(w))
        for _ in range(3):
            await w.ask()
        await until(lambda: len(heard.posts) == 2 and w.count("alarm") == 0)
        assert heard.posts[0][0]["webhook-id"] == heard.posts[1][0]["webhook-id"]


async def test_an_alarm_that_was_due_when_the_process_died_is_delivered_by_the_next(tmp_path: Path) -> None:
    async with receiver() as heard, world(tmp_path, BUSY, budgets=AMPLE, alarms=alarms(heard.url)) as w:
        with w.store.writing() as connection:
            rows.post(connection, "msg_1", "ops", b"{}", w.clock.now())
        await until(lambda: heard.posts)
        assert heard.posts[0][0]["webhook-id"] == "msg_1"


async def test_a_name_that_means_this_machine_is_not_called(tmp_path: Path) -> None:
    async with receiver() as heard, world(tmp_path, budgets=AMPLE) as w:
        port = heard.url.rsplit(":", 1)[1].split("/")[0]
        with w.store.writing() as connection:
            rows.post(connection, "msg_1", "ops", b"{}", w.clock.now())
        delivery = Delivery(w.store, w.clock)
        given = {"ops": {"url": f"https://hooks.example.com:{port}/x", "secret": "env:TEST_KEY"}}
        delivery.controls = compile_controls({}, convert(given), secret_of)
        try:
            asyncio.get_running_loop().getaddrinfo = rebound(port)  # type: ignore[method-assign]
            assert await delivery.run() == 0
        finally:
            del asyncio.get_running_loop().getaddrinfo
            await delivery.close()
        with w.store.reading() as connection:
            [(_, _, _, why)] = rows.undelivered(connection)
        assert "inside a private network" in why
        assert heard.posts == []


def rebound(port: str) -> Callable[..., Any]:
    async def resolve(*_: object, **__: object) -> list[Any]:
        return [(2, 1, 6, "", ("127.0.0.1", int(port)))]

    return resolve


def convert(given: Any) -> Any:
    return msgspec.convert(given, dict[str, AlarmSettings])


@pytest.mark.parametrize(
    "url",
    [
        "https://169.254.169.254/x", "https://10.0.0.1/x", "http://example.com/x", "https://user:pw@example.com/x",
        "ftp://example.com/x", "http://127.0.0.1/x", "https://[::ffff:169.254.169.254]/x", "https://2130706433/x",
    ],
)  # fmt: skip
def test_an_alarm_may_not_be_aimed_at_the_inside(url: str) -> None:
    with pytest.raises(BadInput):
        compile_controls({}, convert({"ops": {"url": url, "secret": "env:TEST_KEY"}}), secret_of)


def test_a_signature_is_as_the_standard_has_it() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
