"""Programs that speak the Model Context Protocol: the SDK's own server in both revisions, and ones that misbehave."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.tools.mcp_world import OURS, forked, program, system
from tests.world import FixedClock, until

from fairlead.errors import BadInput, DeadlineExceeded, FairleadError
from fairlead.tools.cards import NO_CARD
from fairlead.tools.failures import ResultTooLarge, SystemFailed
from fairlead.tools.settings import CredentialSettings, LoginSettings, McpSettings, ServiceSettings
from fairlead.tools.systems import compile_system, in_place
from fairlead.tools.types import Blob, Link, Resource, Text


@pytest.mark.parametrize(("revision", "flags"), [("2026-07-28", []), ("2025-11-25", ["--older"])])
async def test_a_program_is_asked_and_answers_in_either_revision(revision: str, flags: list[str]) -> None:
    declared = {"env": {"SHOP": "north"}, "command": forked("mcp_shop.py", *flags)}
    async with system(environment={**OURS, "SHOP": "north"}, **declared) as shop:
        offered = await shop.definitions()
        assert (offered["get_order"].effect, offered["get_order"].title) == ("read", "An order")
        assert (offered["set_note"].effect, offered["set_note"].idempotent) == ("write", True)
        assert offered["get_order"].input["required"] == ["order"]
        assert offered["get_order"].output is not None

        order = await shop.call("get_order", order="7")
        assert (order.structured, order.failed) == ({"number": "7", "amount": 12.5}, False)
        assert (await shop.call("get_order", order="none")).failed
        assert (await shop.call("everything")).pieces == (
            Text("one"),
            Blob("image/png", "iVBORw=="),
            Link("https://example.com/a.pdf", "a.pdf", "application/pdf"),
            Resource("note://1", text="two"),
        )
        with pytest.raises(ResultTooLarge):
            await shop.call("many", count=3000, most_bytes=2000)
        seen = set((await shop.call("environment")).structured["result"])
        assert seen - {"LC_CTYPE"} == {"PATH", "HOME", "SHOP"}  # Python sets the first for itself

        one, other = await asyncio.gather(shop.call("get_order", order="1"), shop.call("get_order", "lee", order="2"))
        assert (one.structured["number"], other.structured["number"]) == ("1", "2")


def odd(way: str, notes: Path | None = None, **more: Any) -> dict[str, Any]:
    return {"command": program("mcp_odd.py", way, *([str(notes)] if notes else [])), **more}


@pytest.mark.parametrize(
    ("way", "why"),
    [
        ("twice", "it is offered twice, and a name must mean one tool"),
        ("odd-name", "it cannot be called by that name"),
        ("no-object", "tools.0.inputSchema.type: Input should be 'object'"),
        ("other-document", "it has an input schema that points to another document"),
        ("deep", "it has an input schema that is nested more than 32 deep"),
        ("huge-number", "it has an input schema that holds a value that JSON cannot say exactly"),
        ("chatty", "it is described in more than 16384 characters"),
        ("no-schema", "tools.0.inputSchema: Field required"),
        ("endless", "after 50 of them it has more"),
        ("in-a-circle", "after 0 of them it has more"),
    ],
)
async def test_a_list_of_tools_that_cannot_be_used_says_why(way: str, why: str) -> None:
    async with system(**odd(way)) as shop:
        with pytest.raises(SystemFailed) as error:
            await shop.definitions()
        assert error.value.why.startswith(why)
        assert not error.value.retryable


async def test_what_the_workspace_leaves_out_may_be_as_odd_as_it_likes() -> None:
    async with system(**odd("odd-name", only=("act",))) as shop:
        assert await shop.definitions() == {}


@pytest.mark.parametrize(
    ("way", "why"),
    [
        ("huge-line", "it wrote a line of more than"),
        ("garbage", "it writes to its standard output what is no message of the protocol"),
        ("asks-without-end", "it asks without end"),
        ("dies", "the program ended with status 7"),
        ("bad-base64", "a picture, a sound or a file in it is not base64"),
        ("no-result", "content: Input should be a valid list"),
    ],
)
async def test_an_answer_that_cannot_be_taken_says_why_and_that_the_work_may_be_done(way: str, why: str) -> None:
    async with system(**odd(way)) as shop:
        with pytest.raises(SystemFailed) as error:
            await shop.call("act")
        assert why in error.value.why
        assert error.value.charged == "unknown"


async def test_a_result_is_as_large_as_the_system_may_give_and_no_larger() -> None:
    async with system(**odd("large")) as shop:
        assert len((await shop.call("act", most_bytes=5000)).text) == 5000
        with pytest.raises(ResultTooLarge, match="more than is taken"):
            await shop.call("act", most_bytes=4999)


@pytest.mark.parametrize("way", ["prints-a-banner", "noisy", "leaves-when-greeted-anew", "plain"])
async def test_a_program_with_small_vices_is_used_all_the_same(way: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "fairlead.tools"):
        async with system(**odd(way)) as shop:
            assert list(await shop.definitions()) == ["act"]
            assert (await shop.call("act")).text == "done"
    said = [each.getMessage() for each in caplog.records if " says" in each.getMessage()]
    assert len(said) == (61 if way == "noisy" else 0)  # a minute's worth, and that there was more


async def test_a_program_that_hangs_costs_a_call_its_deadline_and_is_told(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with system(**odd("hangs", notes)) as shop:
        await shop.definitions()
        for _ in range(3):
            with pytest.raises(DeadlineExceeded) as error:
                await shop.call("act", seconds=0.5)
            assert error.value.charged == "unknown"
        assert list(await shop.definitions()) == ["act"]  # after three in a row it was started anew
    starts = [line for line in notes.read_text().splitlines() if line.startswith("started")]
    assert len(starts) == 2


async def test_a_call_that_is_given_up_is_cancelled_at_the_server(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with system(**odd("waits", notes)) as shop:
        with pytest.raises(DeadlineExceeded) as error:
            await shop.call("act", seconds=0)
        assert error.value.charged == "no"
        calling = asyncio.ensure_future(shop.call("act"))
        while not notes.exists() or "called" not in notes.read_text():
            await asyncio.sleep(0.01)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling
        await shop.definitions()  # it reads one line after the other
        assert notes.read_text().count("notifications/cancelled") == 1


async def test_a_program_that_keeps_ending_is_started_again_ever_later(tmp_path: Path) -> None:
    notes, clock = tmp_path / "notes", FixedClock()
    async with system(clock, **odd("dies", notes)) as shop:
        for _ in range(2):
            with pytest.raises(SystemFailed, match="broke off"):
                await shop.call("act")
        with pytest.raises(SystemFailed, match="could not be reached") as error:
            await shop.call("act")
        assert "it ended 2 times in a row" in error.value.why
        assert (error.value.charged, error.value.retry_after) == ("no", 1.0)
        clock.seconds += 1
        with pytest.raises(SystemFailed, match="broke off"):
            await shop.call("act")
        with pytest.raises(SystemFailed) as later:
            await shop.call("act")
        assert later.value.retry_after == 2.0
    assert notes.read_text().count("called") == 3


@pytest.mark.parametrize("command", [["/no/such/program"], program("mcp_odd.py", "never-starts")])
async def test_a_program_that_does_not_start_has_done_nothing(command: list[str]) -> None:
    async with system(command=command) as shop:
        with pytest.raises(SystemFailed, match="could not be reached") as error:
            await shop.call("act")
        assert error.value.charged == "no"
        assert error.value.why in ("no such file or directory", "Connection closed", "the program ended with status 1")


async def test_nothing_of_a_program_is_left_when_it_is_closed(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    async with system(**odd("stubborn", notes)) as shop:
        await shop.call("act")
    for pid in map(int, filter(str.isdigit, notes.read_text().split())):
        await until(lambda pid=pid: not _lives(pid))  # what was killed lives until init has heard of it


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"  # ended, and nobody has looked yet
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_program_sees_what_was_declared_and_three_things_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    declared = McpSettings(command=["x"], env={"TOKEN": "env:SHOP_TOKEN", "SHOP": "north", "GONE": "env:GONE"})
    ours = {"env:PATH": "/bin", "env:HOME": "/home/kim", "env:FAIRLEAD_MASTER_KEY": "k", "env:SHOP_TOKEN": "t-123"}
    placed = in_place(compile_system("shop", declared, NO_CARD, [], {}), ours.get)
    assert placed.environment == {"PATH": "/bin", "HOME": "/home/kim", "TOKEN": "t-123", "SHOP": "north"}
    assert "t-123" not in repr(placed)
    assert "env:GONE is not set here" in caplog.text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "systems.shop needs either `url` or `command`"),
        ({"url": "https://a.example", "command": ["x"]}, "systems.shop needs either `url` or `command`"),
        ({"url": "https://a.example", "env": {"A": "b"}}, "systems.shop.env is for a program"),
        ({"url": "http://10.0.0.1/mcp"}, "inside a private network"),
        ({"url": "http://169.254.169.254/mcp"}, "which no system answers from"),
        ({"url": "http://crm.example.com/mcp"}, "unencrypted"),
    ],
)
async def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        async with system(**settings):
            raise AssertionError


async def test_a_program_takes_no_persons_credential() -> None:
    with pytest.raises(FairleadError, match="cannot tell people apart"):
        async with system(command=["x"], credential=CredentialSettings(login=LoginSettings(secrets="env:A"))):
            raise AssertionError
    account = CredentialSettings(service=ServiceSettings(secret="env:A", shared=True))
    async with system(command=["x"], credential=account):
        return
