"""The misbehaving provider itself: other tests believe what it says, so it must be right."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.faults.provider import FAULTS, Provider
from tests.faults.wires import PROSE
from tests.models.calls import CLOCK

from fairlead.errors import Upstream
from fairlead.net.http import Http, Patience
from fairlead.net.http_answer import HttpAnswer

CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "hello"}]}
ROOT = Path(__file__).parents[2]


async def post(http: Http, url: str, body: Any, **headers: str) -> HttpAnswer:
    return await http.post_json(
        url,
        headers,
        json.dumps(body).encode(),
        deadline=CLOCK.monotonic() + 60,
        patience=Patience(),
        subject="provider",
    )


async def fetched(http: Http, url: str) -> Any:
    async with await http.get(
        url, {}, deadline=CLOCK.monotonic() + 60, patience=Patience(), subject="provider"
    ) as answer:
        return json.loads(await answer.read())


async def test_the_ledger_tells_what_was_charged_for_which_request() -> None:
    async with Provider() as provider, Http(CLOCK) as http:
        for fault in ("", "500", "reset-mid-body"):
            answer = await post(
                http,
                provider.url + "/v1/chat/completions",
                CHAT,
                **{"x-request-id": f"r-{fault}", "x-fault": fault or "one-read"},
            )
            if fault == "reset-mid-body":
                with pytest.raises(Upstream):
                    await answer.read()
            else:
                await answer.read()
        ledger = await fetched(http, provider.url + "/ledger")
    assert [(each["request"], each["outcome"], each["output"]) for each in ledger] == [
        ("r-", "complete", 12),
        ("r-500", "refused", 0),
        ("r-reset-mid-body", "part", 12),
    ]


async def test_what_came_in_can_be_seen() -> None:
    async with Provider() as provider, Http(CLOCK) as http:
        await post(http, provider.url + "/v1/chat/completions", CHAT, authorization="Bearer x")
        [seen] = await fetched(http, provider.url + "/received")
    assert seen["body"] == CHAT
    assert seen["headers"]["authorization"] == "Bearer x"


async def test_faults_are_switched_by_name_by_header_and_by_request() -> None:
    async with Provider() as provider, Http(CLOCK) as http:
        url = provider.url + "/v1/chat/completions"
        await post(http, provider.url + "/faults", {"next": ["503"], "always": "502"})
        bodies = [CHAT, CHAT, {**CHAT, "model": "fault-409"}]
        statuses = [(await post(http, url, body)).status for body in bodies]
        statuses.append((await post(http, url, CHAT, **{"x-fault": "429"})).status)
    assert statuses == [503, 502, 409, 429]


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_same_request_gets_the_same_bytes_every_time(fault: str) -> None:
    if fault in ("hang", "slow-first-byte", "stall", "huge-body", "holds-open"):
        return  # they do not end, which the contract of the drivers shows
    seen = []
    for _ in range(2):
        async with Provider(pause=0) as provider:
            reader, writer = await asyncio.open_connection("127.0.0.1", provider.port)
            body = json.dumps({**CHAT, "stream": True}).encode()
            writer.write(
                b"POST /v1/chat/completions HTTP/1.1\r\nx-fault: %s\r\ncontent-length: %d\r\n\r\n%s"
                % (fault.encode(), len(body), body)
            )
            writer.write_eof()
            try:
                seen.append(await reader.read())
            except ConnectionResetError:
                seen.append(b"reset")
            writer.close()
    assert seen[0] == seen[1]


async def test_it_runs_as_a_process_and_its_ledger_survives_it(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.provider", "--ledger", str(ledger), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        async with (
            Http(CLOCK) as http,
            await post(http, url + "/v1/chat/completions", CHAT, **{"x-request-id": "r1"}) as answer,
        ):
            reply = json.loads(await answer.read())
    finally:
        process.kill()
        await process.wait()
    assert reply["choices"][0]["message"]["content"] == PROSE
    last = json.loads(ledger.read_text().splitlines()[-1])
    assert last == {
        "number": 0, "request": "r1", "model": "tiny", "fault": "", "input": reply["usage"]["prompt_tokens"],
        "output": 12, "outcome": "complete",
    }  # fmt: skip
