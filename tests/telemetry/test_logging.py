"""The log: fields, both styles, and no credential in any corner of an event."""

import asyncio
import gc
import io
import logging
import threading
from collections.abc import Iterator

import msgspec
import pytest

from fairlead.telemetry.logging import HIDDEN, hide_secrets, start_logging, stop_logging

KEY = "fl_" + "7kq2mz94xv1c" * 4
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


@pytest.fixture
def json_stream() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = start_logging(stream, style="json")
    yield stream
    stop_logging(handler)


@pytest.fixture
def console_stream() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = start_logging(stream, style="console")
    yield stream
    stop_logging(handler)


def log() -> logging.Logger:
    return logging.getLogger("fairlead.test")


def test_an_event_is_one_json_line_with_its_fields(json_stream: io.StringIO) -> None:
    log().info("worker started", extra={"worker": 3, "tokens": 17})
    (line,) = json_stream.getvalue().splitlines()
    event = msgspec.json.decode(line)
    assert (event["event"], event["worker"], event["tokens"]) == ("worker started", 3, 17)
    assert (event["level"], event["from"]) == ("info", "fairlead.test")
    assert event["at"].endswith("Z")


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {KEY}",
        f"{{'authorization': 'Bearer {TOKEN}'}}",
        f'"x-api-key": "{KEY}"',
        f"bearer {TOKEN}",
        f"key {KEY} refused",
        f"token {TOKEN}",
        "Authorization: Basic YWRhOmxvdmVsYWNl",
        f"Cookie: session={KEY}",
        "postgresql://fairlead:7kq2mz94xv1c@db/state",
        "sk-proj-7kq2mz94xv1c7kq2mz94xv1c",
        "api_key=7kq2mz94xv1c, timeout=3",
    ],
)
def test_a_credential_in_a_text_is_hidden(text: str) -> None:
    shown = hide_secrets(text)
    assert HIDDEN in shown
    assert all(secret not in shown for secret in ("7kq2mz94xv1c", "eyJzdWIi", "YWRhOmxvdmVsYWNl"))


@pytest.mark.parametrize(
    "text", ["max_tokens: 400", "the key support was revoked", "basic plan", "skipped 3 rows in tasks/a.yaml"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert hide_secrets(text) == text


def test_no_field_argument_or_error_lets_a_credential_through(json_stream: io.StringIO) -> None:
    try:
        raise ValueError(f"cannot call with Bearer {KEY}")
    except ValueError:
        log().exception(
            "failed with %s", TOKEN, extra={"headers": {"Authorization": KEY, "x-api-key": "short"}, "urls": [KEY]}
        )
    written = json_stream.getvalue()
    assert KEY not in written
    assert TOKEN not in written
    assert "short" not in written
    assert "ValueError" in written


def test_of_a_fault_the_log_says_where_it_was_and_no_word_of_it(json_stream: io.StringIO) -> None:
    try:
        try:
            {}["what kim asked"]
        except KeyError as error:
            raise ExceptionGroup("kim said", [ValueError("no number: 536-22")]) from error
    except ExceptionGroup:
        log().exception("a request broke")
    told = json_stream.getvalue()
    assert all(each in told for each in ("ValueError", "builtins.KeyError", "test_logging.py:"))
    assert "kim" not in told.replace("test_logging", "")
    assert "536" not in told
    log().error("unread", exc_info=FileNotFoundError(2, "No such file", "/home/kim/diagnosis.txt"))
    assert "FileNotFoundError: No such file" in json_stream.getvalue()
    assert "diagnosis" not in json_stream.getvalue()


def test_nor_does_what_fails_where_nobody_waits_for_it(json_stream: io.StringIO) -> None:
    async def fails(words: str) -> None:
        raise ValueError(words)

    async def forgotten() -> None:
        task = asyncio.ensure_future(fails("the diagnosis"))
        asyncio.get_running_loop().call_soon(int, "the diagnosis")
        await asyncio.wait([task])

    class Thrown:
        def __del__(self) -> None:
            raise ValueError("the diagnosis")

    asyncio.run(forgotten())
    thread = threading.Thread(target=int, args=["the diagnosis"], name="walker")
    thread.start()
    thread.join()
    Thrown()
    gc.collect()
    events = [msgspec.json.decode(line) for line in json_stream.getvalue().splitlines()]
    assert "diagnosis" not in json_stream.getvalue()
    assert {each["event"] for each in events} == {
        "Exception in callback int",
        "Task exception was never retrieved",
        "a thread failed: walker",
        "something failed where nobody could be told",
    }
    assert {each["error"].partition("\n")[0] for each in events} == {"builtins.ValueError"}


def test_the_console_says_it_in_one_line(console_stream: io.StringIO) -> None:
    log().warning("disk is slow", extra={"ms": 250})
    assert console_stream.getvalue().rstrip().endswith("warning: disk is slow ms=250 (fairlead.test)")


def test_logged_text_forges_no_line_and_drives_no_terminal(console_stream: io.StringIO) -> None:
    log().info("name %s", "x\n12:00:00 all is well\x1b[2J")
    (line,) = console_stream.getvalue().splitlines()
    assert "\x1b" not in line


def test_a_field_cannot_replace_what_the_event_says_of_itself(json_stream: io.StringIO) -> None:
    log().info("real", extra={"event": "forged", "level": "debug"})
    event = msgspec.json.decode(json_stream.getvalue())
    assert (event["event"], event["event_"], event["level"]) == ("real", "forged", "info")


def test_a_stopped_log_is_silent() -> None:
    stream = io.StringIO()
    stop_logging(start_logging(stream, style="json"))
    log().warning("late")
    assert stream.getvalue() == ""
