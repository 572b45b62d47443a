"""Alarms reach a webhook however it behaves, and no webhook and no control keeps another waiting."""

import asyncio
import base64
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text as sql
from tests.conftest import AMPLE
from tests.controls.receiver import ENDLESS, HANGS, receiver, said
from tests.controls.test_watching import BUSY, alarms, started
from tests.world import FixedClock, World, secret_of, until, world

from fairlead.controls import AlarmSettings, alarm_rows
from fairlead.controls.alarm_rows import LONGEST_PAUSE, MOST_WAITING
from fairlead.controls.compile import compile_controls
from fairlead.controls.deliver import PAUSES, Delivery, signed
from fairlead.errors import BadInput
from fairlead.storage.database import Where
from fairlead.storage.store import Store

DAY = 86_400_000


def tried(w: World) -> bool:
    with w.store.reading() as connection:
        return any(each.state != "waiting" for each in alarm_rows.undelivered(connection))


def post(w: World, *named: tuple[str, str]) -> None:
    """An alarm of a control for a webhook, each."""
    with w.store.writing() as connection:
        for number, (control, endpoint) in enumerate(named):
            body = f"{control} {number}".encode()
            assert alarm_rows.post(connection, f"msg_{number:03}", control, endpoint, body, w.clock.now())


async def test_a_webhook_that_hangs_keeps_no_other_waiting(tmp_path: Path) -> None:
    async with receiver() as slow, receiver() as quick:
        both = {**alarms(quick.url), "slow": alarms(slow.url)["ops"]}
        slow.usual = HANGS
        async with world(tmp_path, budgets=AMPLE, alarms=both) as w:
            post(w, *[("any", "slow")] * 30, *[("any", "ops")] * 6)
            await until(lambda: len(quick.posts) == 6 and len(slow.posts) == 4)
            await until(lambda: w.count("alarm") == 30)
        assert len(slow.posts) == 4  # and the world has ended without waiting for them


async def test_a_control_that_alarms_without_end_keeps_no_other_waiting(tmp_path: Path, where: Where) -> None:
    async with world(tmp_path, where=where, budgets=AMPLE) as w:
        post(w, *[("noisy", "ops")] * 20, ("quiet", "ops"))
        with w.store.writing() as connection:
            found = alarm_rows.claim(connection, "ops", 10, 20, 4)
            assert [each.body.split()[0] for each in found] == [b"noisy", b"quiet", b"noisy", b"noisy"]
            again = alarm_rows.claim(connection, "ops", 10, 20, 4)
            assert {each.id for each in again}.isdisjoint(each.id for each in found)


async def test_no_more_than_so_many_alarms_of_a_control_wait(tmp_path: Path, where: Where) -> None:
    async with world(tmp_path, where=where, budgets=AMPLE) as w:
        post(w, *[("noisy", "ops")] * MOST_WAITING)
        with w.store.writing() as connection:
            assert not alarm_rows.post(connection, "msg_x", "noisy", "ops", b"", 0)
            assert alarm_rows.post(connection, "msg_y", "noisy", "other", b"", 0)
            assert alarm_rows.post(connection, "msg_z", "quiet", "ops", b"", 0)


@pytest.mark.parametrize("answer", [ENDLESS, b"HTTP/1.1 200 x\r\ncontent-length: 99999999\r\n\r\nx", said(204)])
async def test_what_else_a_webhook_says_after_it_has_taken_an_alarm_is_not_waited_for(
    tmp_path: Path, answer: bytes
) -> None:
    async with receiver() as heard, world(tmp_path, budgets=AMPLE, alarms=alarms(heard.url)) as w:
        heard.usual = answer
        post(w, ("any", "ops"))
        await until(lambda: heard.posts and w.count("alarm") == 0)
        assert len(heard.posts) == 1


async def test_what_was_given_up_is_told_and_forgotten_in_time(tmp_path: Path, where: Where) -> None:
    clock = FixedClock()
    with closing(Store.open(where, beside=tmp_path)) as store:
        with store.writing() as connection:
            for control in ("any", "other"):
                alarm_rows.post(connection, f"msg_{control}", control, "gone", b"", clock.now())
        delivery = Delivery(store, clock)
        delivery.controls = compile_controls({}, convert(alarms("https://example.com/x")), secret_of)

        def states() -> list[tuple[str, int]]:
            with store.reading() as connection:
                return [(each.state, each.tries) for each in alarm_rows.undelivered(connection)]

        for number, pause in enumerate((*PAUSES, 0), 1):
            assert await delivery.run() == 2
            await until(lambda: not any(delivery._calls.values()))
            assert states() == [("given up" if number > len(PAUSES) else "tried again", number)] * 2
            clock.tick(pause)
        assert await delivery.run() == 0
        clock.tick(31 * DAY / 1000)
        assert await delivery.run() == 0
        assert states() == []
        await delivery.close()


async def test_a_clock_that_was_ahead_when_an_alarm_was_tried_keeps_it_from_nobody(tmp_path: Path) -> None:
    async with world(tmp_path, budgets=AMPLE) as w:
        post(w, ("any", "ops"))
        with w.store.writing() as connection:
            [one] = alarm_rows.claim(connection, "ops", 5000 * DAY, 5000 * DAY + 60_000, 4)
            alarm_rows.failed(connection, one.id, "why", 5000 * DAY + LONGEST_PAUSE)
            assert alarm_rows.endpoints_due(connection, 5000 * DAY) == set()
            assert alarm_rows.endpoints_due(connection, 4000 * DAY) == {"ops"}


async def test_a_name_that_takes_for_ever_to_be_resolved_is_given_up_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> list[Any]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr("fairlead.controls.deliver._DEADLINE", 0.05)
    async with world(tmp_path, budgets=AMPLE) as w:
        post(w, ("any", "ops"))
        delivery = Delivery(w.store, w.clock)
        delivery.controls = compile_controls({}, convert(alarms("https://hooks.example.com/x")), secret_of)
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
        await delivery.run()
        await until(lambda: tried(w))
        await delivery.close()


async def test_an_evaluation_says_which_alarms_it_could_not_post(tmp_path: Path) -> None:
    async with world(tmp_path, BUSY, budgets=AMPLE, alarms=alarms("https://hooks.example.com/x")) as w:
        await until(lambda: started(w))
        with w.store.writing() as connection:
            for number in range(MOST_WAITING):
                alarm_rows.post(connection, f"msg_{number:03}", "busy", "ops", b"", 0)
            connection.execute(sql("UPDATE alarm SET next_at = :far"), {"far": w.clock.now() + DAY // 4})
        for _ in range(3):
            await w.ask()
        await until(lambda: w.records("breach"))
        assert unposted(w) == {"busy": 1}


def unposted(w: World) -> dict[str, int]:
    from fairlead.controls import rows

    with w.store.reading() as connection:
        position = rows.position(connection)
    assert position is not None
    return dict(position.unposted)


@pytest.mark.parametrize(
    "answer",
    [said(500), said(429), said(410), b"", said(302, "location: http://169.254.169.254/latest\r\n"), b"nonsense"],
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
            alarm_rows.post(connection, "msg_1", "any", "ops", b"{}", w.clock.now())
        await until(lambda: heard.posts)
        assert heard.posts[0][0]["webhook-id"] == "msg_1"


async def test_a_name_that_means_this_machine_is_not_called(tmp_path: Path) -> None:
    async with receiver() as heard, world(tmp_path, budgets=AMPLE) as w:
        port = heard.url.rsplit(":", 1)[1].split("/")[0]
        with w.store.writing() as connection:
            alarm_rows.post(connection, "msg_1", "any", "ops", b"{}", w.clock.now())
        delivery = Delivery(w.store, w.clock)
        given = {"ops": {"url": f"https://hooks.example.com:{port}/x", "secret": "env:TEST_KEY"}}
        delivery.controls = compile_controls({}, convert(given), secret_of)
        try:
            asyncio.get_running_loop().getaddrinfo = rebound(port)  # type: ignore[method-assign]
            assert await delivery.run() == 1
            await until(lambda: tried(w))
        finally:
            del asyncio.get_running_loop().getaddrinfo
            await delivery.close()
        with w.store.reading() as connection:
            [kept] = alarm_rows.undelivered(connection)
        assert (kept.control, kept.endpoint, kept.state, kept.tries) == ("any", "ops", "tried again", 1)
        assert "inside a private network" in kept.why
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
