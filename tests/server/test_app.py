"""What belongs to no door: paths, methods, sizes, clients that leave, and shutting down."""

import asyncio
import dataclasses
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from evals.stage import books
from tests.world import IN, Served, key_of, served, wait_until, world

from fairlead.costs.record import Record
from fairlead.server.chat_door import ChatDoor
from fairlead.server.openai.chat import ChatCompletions

LIMIT = 4096


@pytest.fixture(scope="module")
def s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    budgets = {"organisation": {"total": 1000}}
    with served(tmp_path_factory.mktemp("app"), max_body=LIMIT, budgets=budgets) as s:
        yield s


@pytest.fixture(autouse=True)
def _behave(s: Served) -> None:
    s.provider.next, s.provider.always = [], ""


def body(content: str = "echo hello", **more: Any) -> dict[str, Any]:
    return {"model": "small", "messages": [{"role": "user", "content": content}], **more}


def eventually(s: Served, outcome: str, known: int) -> Record:
    """The next record of an action with this outcome, after the first `known` records."""

    def found() -> list[Record]:
        return [each for each in s.records()[known:] if each.outcome == outcome and each.kind == "call_model"]

    wait_until(lambda: found() and not s.holds())
    return found()[0]


def request_head(s: Served, content: bytes, *headers: bytes) -> bytes:
    lines = [b"POST /v1/chat/completions HTTP/1.1", b"host: here", b"content-type: application/json"]
    lines += [f"{name}: {value}".encode() for name, value in s.auth().items()]
    return b"\r\n".join([*lines, b"content-length: %d" % len(content), *headers, b"", b""])


def connected(s: Served) -> socket.socket:
    host, port = s.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=60)


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/chat", "/v1/chat/completions/", "/v2/models", "/%00", "/healthz/x",
                                  "/v1/chat%2fcompletions", "/v1%2Fmodels"])  # fmt: skip
def test_where_there_is_no_door_it_says_so_in_the_doors_format(s: Served, path: str) -> None:
    response = httpx.post(f"{s.url}{path}", json={})
    assert response.status_code == 404
    error = response.json()["error"]
    assert (error["code"], error["type"]) == ("not_found", "not_found_error")
    assert error["fairlead"]["help"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/v1/chat/completions", "POST"), ("DELETE", "/v1/models", "GET"), ("PUT", "/v1/models/small", "GET")],
)
def test_a_method_that_a_door_does_not_know_is_refused_with_those_it_does(
    s: Served, method: str, path: str, allowed: str
) -> None:
    response = httpx.request(method, f"{s.url}{path}")
    assert response.status_code == 405
    assert response.headers["allow"] == allowed
    assert allowed in response.json()["error"]["fairlead"]["help"]


def test_a_body_over_the_limit_is_refused_whether_its_length_is_said_or_not(s: Served) -> None:
    long = json.dumps(body("x" * LIMIT)).encode()
    for content in (long, iter([long[:100], long[100:]])):
        response = httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth(), content=content)
        assert response.status_code == 413
        assert response.json()["error"]["code"] == "too_large"


def test_a_body_in_pieces_is_read_whole(s: Served) -> None:
    content = json.dumps(body()).encode()
    pieces = iter([content[:10], content[10:11], content[11:]])
    response = httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth(), content=pieces)
    assert response.json()["choices"][0]["message"]["content"] == "hello"


async def test_a_client_that_leaves_before_its_request_is_complete_changes_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        door = ChatDoor(w.fairlead, ChatCompletions(), LIMIT)
        coming: list[dict[str, Any]] = [
            {"type": "http.request", "body": b'{"model": ', "more_body": True},
            {"type": "http.disconnect"},
        ]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return coming.pop(0)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        headers = [(b"host", b"here"), (b"authorization", f"Bearer {key_of('kim')}".encode())]
        await door({"type": "http", "headers": headers, "client": ("127.0.0.1", 1)}, receive, send)
        assert (coming, sent, w.records()) == ([], [], [])


def test_a_client_that_leaves_mid_stream_is_billed_for_what_came_and_recorded(s: Served) -> None:
    s.provider.always = "trickle"
    known = len(s.records())
    content = json.dumps(body("say 400", stream=True)).encode()
    with connected(s) as client:
        client.sendall(request_head(s, content) + content)
        seen = b""
        while b"word3" not in seen:
            came = client.recv(4096)
            assert came, seen
            seen += came
    record = eventually(s, "abandoned", known)
    assert record.error is not None
    assert record.error.code == "client_left"
    assert IN < record.cost < record.held
    wait_until(lambda: s.provider.ledger[-1].outcome == "abandoned")  # the provider was told to stop


def test_a_client_that_leaves_before_the_first_text_is_recorded(s: Served) -> None:
    s.provider.always = "hang"
    known, charges = len(s.records()), len(s.provider.ledger)
    content = json.dumps(body(stream=True)).encode()
    with connected(s) as client:
        client.sendall(request_head(s, content) + content)
        wait_until(lambda: len(s.provider.ledger) > charges)
    assert eventually(s, "abandoned", known).cost > 0


def test_a_client_that_leaves_without_waiting_for_a_whole_reply_is_billed_for_it(s: Served) -> None:
    known = len(s.records())
    content = json.dumps(body("say 50")).encode()
    with connected(s) as client:
        client.sendall(request_head(s, content) + content)
    record = eventually(s, "done", known)
    assert record.cost > 0


@pytest.mark.parametrize(
    "sent",
    [b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
     b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
     b"POST /v1/chat/completions HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"],
)  # fmt: skip
def test_what_is_not_http_is_refused_in_the_doors_format(s: Served, sent: bytes) -> None:
    with connected(s) as client:
        client.sendall(sent)
        answer = b""
        while data := client.recv(4096):
            answer += data
    head, _, content = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert json.loads(content)["error"]["code"] == "bad_input"


def test_an_escaped_slash_in_a_models_name_is_part_of_the_name(s: Served) -> None:
    response = httpx.get(f"{s.url}/v1/models/a%2Fb", headers=s.auth())
    assert response.status_code == 404
    assert "'a/b'" in response.json()["error"]["message"]


def test_a_client_that_asks_to_continue_is_answered(s: Served) -> None:
    content = json.dumps(body()).encode()
    with connected(s) as client:
        client.sendall(request_head(s, content, b"expect: 100-continue"))
        assert client.recv(4096).startswith(b"HTTP/1.1 100")
        client.sendall(content)
        assert client.recv(65536).startswith(b"HTTP/1.1 200")


def test_refusals_at_the_door_are_recorded(s: Served) -> None:
    known = len(s.records())
    assert httpx.post(f"{s.url}/v1/chat/completions", json=body()).status_code == 401
    response = httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth(), content=b"{")
    assert response.status_code == 400
    found = [(each.kind, each.error and each.error.code) for each in s.records()[known:]]
    assert found == [("refusal", "unauthenticated"), ("refusal", "bad_input")]
    assert s.records()[-1].run == response.headers["x-fairlead-run"]


def test_health_is_told(s: Served) -> None:
    assert httpx.get(f"{s.url}/healthz").json() == {"status": "live"}
    ready = httpx.get(f"{s.url}/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert ready.json()["revision"] == s.running.fairlead.deployment.revision


def test_a_worker_that_may_be_behind_answers_503_and_is_not_ready(tmp_path: Path) -> None:
    with served(tmp_path) as s:
        lease = s.running.fairlead.lease
        lease.extend = lambda started: None  # type: ignore[method-assign]  # renewals fail from now on
        lease.end()
        assert httpx.get(f"{s.url}/readyz").status_code == 503
        response = httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth(), json=body())
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
        assert response.json()["error"]["code"] == "overloaded"


def test_a_full_worker_turns_requests_away_answers_probes_and_takes_more_later(tmp_path: Path) -> None:
    with served(tmp_path, max_requests=1) as s:
        s.provider.always = "hang"
        content = json.dumps(body(stream=True)).encode()
        with connected(s) as client:
            client.sendall(request_head(s, content) + content)
            wait_until(lambda: s.provider.ledger)
            refused = httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth(), json=body())
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            error = refused.json()["error"]
            assert (error["code"], "server.max_requests" in error["fairlead"]["help"]) == ("overloaded", True)
            assert s.records()[-1].run == error["fairlead"]["run"]
            other = httpx.post(f"{s.url}/v1/messages", headers=s.auth(), json={}).json()
            assert (other["type"], other["error"]["type"]) == ("error", "overloaded_error")
            assert httpx.get(f"{s.url}/healthz").status_code == httpx.get(f"{s.url}/readyz").status_code == 200
        s.provider.always = ""
        wait_until(lambda: httpx.get(f"{s.url}/v1/models", headers=s.auth()).status_code == 200)


def test_an_unforeseen_fault_is_told_in_the_doors_format_and_nothing_of_it(tmp_path: Path) -> None:
    with served(tmp_path) as s:
        fairlead = s.running.fairlead
        fairlead.deployment = dataclasses.replace(fairlead.deployment, authenticator=None)  # type: ignore[arg-type]
        for method, path in (("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("GET", "/v1/models/small")):
            response = httpx.request(method, f"{s.url}{path}", headers=s.auth(), json=body())
            assert (response.status_code, response.json()["error"]["code"]) == (500, "broken")
            assert "NoneType" not in response.text


def test_a_shutdown_lets_running_requests_finish_and_takes_no_new_ones(tmp_path: Path) -> None:
    got: dict[str, Any] = {}
    with served(tmp_path, drain=60) as s:
        s.provider.always = "trickle"
        url, auth = s.url, s.auth()

        def ask() -> None:
            json_body = body("say 40", stream=True)
            with httpx.stream("POST", f"{url}/v1/chat/completions", headers=auth, json=json_body) as response:
                for line in response.iter_lines():
                    got.setdefault("lines", []).append(line)
                    begun.set()

        begun = threading.Event()
        asking = threading.Thread(target=ask)
        asking.start()
        assert begun.wait(60)
    asking.join(60)
    assert "data: [DONE]" in got["lines"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")


def test_a_shutdown_serves_those_who_wait_for_their_turn(tmp_path: Path) -> None:
    statuses: list[int] = []
    with served(tmp_path, drain=60, lanes={"running": 1}) as s:
        s.provider.always = "trickle"
        url, auth, fairlead = s.url, s.auth(), s.running.fairlead

        def ask() -> None:
            statuses.append(
                httpx.post(
                    f"{url}/v1/chat/completions", headers=auth, json=body("say 40", stream=True), timeout=60
                ).status_code
            )

        asking = [threading.Thread(target=ask) for _ in range(3)]
        for each in asking:
            each.start()
        wait_until(lambda: len(fairlead.lanes.waiting()) == 2)
    for each in asking:
        each.join(60)
    assert statuses == [200, 200, 200]


def test_a_shutdown_that_cannot_wait_longer_ends_what_runs_and_records_it(tmp_path: Path) -> None:
    with served(tmp_path, drain=1, budgets={"organisation": {"total": 1000}}) as s:
        s.provider.always = "hang"
        url, auth, database = s.url, s.auth(), s.store.path
        ends: list[str] = []

        def ask(streamed: bool) -> None:
            try:
                response = httpx.post(
                    f"{url}/v1/chat/completions", headers=auth, json=body(stream=streamed), timeout=60
                )
                ends.append(str(response.status_code))
            except httpx.HTTPError as error:
                ends.append(type(error).__name__)

        asking = [threading.Thread(target=ask, args=(streamed,)) for streamed in (False, True)]
        for each in asking:
            each.start()
        wait_until(lambda: len(s.provider.ledger) == 2)
    for each in asking:
        each.join(60)
    assert len(ends) == 2
    found = books(database)
    assert [record.outcome for record in found.records] == ["abandoned", "abandoned"]
    assert (found.held, found.open_holds) == (0, 0)
    assert found.spent["organisation"] == sum(record.cost for record in found.records) > 0


async def test_what_a_lifespan_cannot_start_is_said_in_words() -> None:
    from fairlead.errors import BadInput
    from fairlead.server.app import App

    async def start() -> Any:
        raise BadInput("nothing has been published yet", mend="fairlead apply")

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        return {"type": "lifespan.startup"}

    await App(start, 1024)({"type": "lifespan"}, receive, send)
    assert sent == [{"type": "lifespan.startup.failed", "message": "nothing has been published yet\nfairlead apply"}]
