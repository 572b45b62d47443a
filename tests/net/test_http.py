"""The HTTP client against servers written byte by byte."""

import asyncio
import itertools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.models.calls import CLOCK
from tests.world import until

from fairlead.errors import BadInput, Broken, DeadlineExceeded, Upstream
from fairlead.net.http import Http, Patience, header_value
from fairlead.net.http_answer import HttpAnswer

Script = Callable[[int, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LONG = Patience(connect=30.0, first_byte=30.0, idle=30.0)
QUICK = Patience(connect=30.0, first_byte=0.3, idle=0.3)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http(CLOCK, largest_answer=1 << 20) as opened:
        yield opened


class Server:
    """Runs `script` for each connection, with its number; counts connections and requests."""

    def __init__(self, script: Script) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.url = ""
        self._script = script

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._script(self.connections, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def take(server: Server, reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"content-length: ")), 0)
    server.requests.append(head + await reader.readexactly(length))
    return server.requests[-1]


@asynccontextmanager
async def serving(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server(script)
    listener = await asyncio.start_server(server.connected, "127.0.0.1", 0, ssl=tls)
    scheme = "https" if tls else "http"
    server.url = f"{scheme}://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"
    try:
        yield server
    finally:
        listener.close()


def always(answer: bytes, *, close: bool = False, before: float = 0) -> Script:
    async def script(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(before)
            writer.write(answer)
            await writer.drain()
            if close:
                return

    return script


async def get(http: Http, url: str, *, seconds: float = 60.0, patience: Patience = LONG) -> HttpAnswer:
    return await http.get(
        url, {"accept": "*/*"}, deadline=CLOCK.monotonic() + seconds, patience=patience, subject="house"
    )


async def body_of(http: Http, url: str, **limits: object) -> bytes:
    async with await get(http, url, **limits) as answer:  # type: ignore[arg-type]
        return await answer.read()


async def failure_of(http: Http, url: str, **limits: object) -> Upstream:
    with pytest.raises(Upstream) as caught:
        await body_of(http, url, **limits)
    return caught.value


async def test_a_connection_carries_one_request_after_the_other(http: Http) -> None:
    async with serving(always(OK)) as server:
        for _ in range(5):
            assert await body_of(http, server.url) == b"ok"
        assert server.connections == 1


async def test_what_is_sent_is_what_was_given(http: Http) -> None:
    async def script(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(server, reader)
        writer.write(OK)

    async with serving(script) as server:
        answer = await http.post_json(
            server.url, {"x-a": "1"}, b"{}", deadline=CLOCK.monotonic() + 60, patience=LONG, subject="house"
        )
        assert await answer.read() == b"ok"
    host = server.url.removeprefix("http://").removesuffix("/v1")
    assert server.requests == [f"POST /v1 HTTP/1.1\r\nhost: {host}\r\nx-a: 1\r\ncontent-length: 2\r\n\r\n{{}}".encode()]


async def test_a_large_request_arrives_whole(http: Http) -> None:
    async def script(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(server, reader)
        writer.write(OK)

    body = b"x" * (3 << 20)
    async with serving(script) as server:
        answer = await http.post_json(server.url, {}, body, deadline=CLOCK.monotonic() + 60, patience=LONG, subject="m")
        assert await answer.read() == b"ok"
    assert server.requests[0].endswith(body)


@given(
    st.lists(st.binary(max_size=30), max_size=6),
    st.sampled_from(["length", "chunked", "eof", "continue", "trailer"]),
    st.lists(st.integers(0, 400), max_size=6),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_body_is_the_same_however_it_is_framed_and_cut(
    parts: list[bytes], framing: str, cuts: list[int]
) -> None:
    body = b"".join(parts)
    chunks = b"".join(b"%x;note=1\r\n%s\r\n" % (len(part), part) for part in parts if part)
    raw = {
        "length": b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body),
        "chunked": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%s0\r\n\r\n" % chunks,
        "eof": b"HTTP/1.1 200 OK\r\n\r\n" + body,
        "continue": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nlink: a\r\n\r\n"
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body),
        "trailer": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%s0\r\nx-end: 1\r\n\r\n" % chunks,
    }[framing]

    async def script(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        places = sorted({0, len(raw), *(cut % (len(raw) + 1) for cut in cuts)})
        for start, end in itertools.pairwise(places):
            writer.write(raw[start:end])
            await asyncio.sleep(0)

    async with serving(script) as server, Http(CLOCK) as http, await get(http, server.url) as answer:
        assert answer.status == 200
        assert "link" not in answer.headers
        assert await answer.read() == body


@pytest.mark.parametrize("raw", [b"", b"HTTP/1.1 200 OK\r\ncontent-le"])
async def test_a_server_that_hangs_up_may_have_worked(http: Http, raw: bytes) -> None:
    async with serving(always(raw, close=True)) as server:
        error = await failure_of(http, server.url)
    assert (error.charged, error.retryable, error.subject) == ("unknown", True, "house")


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\na",
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 300_000,
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 60_000,
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 103 Hints\r\n\r\n" * 20_000,
    ],
)
async def test_what_is_not_http_is_an_error_and_not_a_hang(http: Http, raw: bytes) -> None:
    async with serving(always(raw)) as server:
        error = await failure_of(http, server.url)
    assert error.charged == "unknown"


async def test_trailers_may_not_go_on_for_ever(http: Http) -> None:
    raw = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: " + b"a" * 400_000
    async with serving(always(raw)) as server:
        assert (await failure_of(http, server.url)).charged == "unknown"


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nabc",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
    ],
)
async def test_a_body_that_breaks_off_was_partly_made(http: Http, raw: bytes) -> None:
    async with serving(always(raw, close=True)) as server:
        error = await failure_of(http, server.url)
    assert error.charged == "part"


async def test_slow_servers_are_left_at_each_of_the_limits(http: Http) -> None:
    async with serving(always(OK, before=60)) as server:
        error = await failure_of(http, server.url, patience=QUICK)
        assert "no answer within 0.3 s" in error.why
        late = await failure_of(http, server.url, seconds=0.3)
        assert type(late) is DeadlineExceeded
    async with serving(always(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")) as server:
        stalled = await failure_of(http, server.url, patience=Patience(connect=30.0, first_byte=30.0, idle=0.3))
        assert "too long" in stalled.why
        assert stalled.charged == "part"
        late = await failure_of(http, server.url, seconds=1.0)
        assert (type(late), late.charged) == (DeadlineExceeded, "part")


async def test_a_port_that_does_not_accept_is_given_up(http: Http) -> None:
    # A full backlog: connections are neither accepted nor refused.
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        error = await failure_of(http, f"http://127.0.0.1:{port}/", patience=Patience(connect=0.2))
        for filler in fillers:
            filler.close()
    assert error.charged == "no"


async def test_a_name_that_nobody_knows_says_so(http: Http) -> None:
    error = await failure_of(http, "http://no-such-host.invalid/v1")
    assert (error.charged, error.retryable) == ("no", True)
    assert "no-such-host.invalid" in error.message


async def test_an_answer_larger_than_the_limit_is_not_read_on(http: Http) -> None:
    raw = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"10000\r\n%s\r\n" % (b"x" * 65536) * 30
    async with serving(always(raw)) as server:
        error = await failure_of(http, server.url)
        assert (error.charged, error.retryable) == ("part", False)
        async with await get(http, server.url) as answer:
            assert await answer.start(1000) == b"x" * 1000


async def test_a_slow_reader_slows_the_server_down(http: Http) -> None:
    sent = 0

    async def script(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(800):
            writer.write(b"x" * 65536)
            await writer.drain()
            sent += 65536

    async with Http(CLOCK, largest_answer=1 << 30) as large, serving(script) as server:
        async with await get(large, server.url) as answer:
            await asyncio.sleep(0.3)
            assert sent < 40 << 20
            size = 0
            while part := await answer.more():
                size += len(part)
        assert size == 800 * 65536


async def test_a_kept_connection_that_dies_is_not_tried_again_in_silence(http: Http) -> None:
    async def script(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(server, reader)
        writer.write(OK)
        if number == 1:
            # As if the server had restarted, or died at work: nobody can tell which from here.
            await take(server, reader)
            writer.transport.abort()
        else:
            await take(server, reader)

    async with serving(script) as server:
        assert await body_of(http, server.url) == b"ok"
        error = await failure_of(http, server.url)
        assert (server.connections, error.charged, error.retryable) == (1, "unknown", True)
        assert await body_of(http, server.url) == b"ok"


async def test_a_new_connection_that_dies_is_not_tried_again(http: Http) -> None:
    async def script(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(server, reader)
        writer.transport.abort()

    async with serving(script) as server:
        await failure_of(http, server.url)
        assert server.connections == 1


async def test_a_connection_that_was_closed_in_silence_is_not_used(http: Http) -> None:
    async with serving(always(OK, close=True)) as server:
        for _ in range(3):
            assert await body_of(http, server.url) == b"ok"
            await until(lambda: not http._all)
        assert server.connections == 3


@pytest.mark.parametrize("more", [b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil", b"x"])
async def test_bytes_that_nobody_asked_for_answer_no_later_request(http: Http, more: bytes) -> None:
    async def script(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(server, reader)
        writer.write(OK + more)
        await reader.read()

    async with serving(script) as server:
        assert await body_of(http, server.url) == b"ok"
        assert await body_of(http, server.url) == b"ok"
        assert server.connections == 2


async def test_bytes_that_come_later_unasked_close_the_connection(http: Http) -> None:
    async def script(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(server, reader)
        writer.write(OK)
        await asyncio.sleep(0.02)
        writer.write(b"HTTP/1.1 408 Timeout\r\ncontent-length: 0\r\n\r\n")
        await reader.read()

    async with serving(script) as server:
        assert await body_of(http, server.url) == b"ok"
        await until(lambda: not http._all)
        assert await body_of(http, server.url) == b"ok"
        assert server.connections == 2


async def test_idle_connections_are_closed_after_a_while() -> None:
    ended = asyncio.Event()

    async def script(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take(server, reader)
        writer.write(OK)
        await reader.read()
        ended.set()

    async with serving(script) as server, Http(CLOCK, keep_alive=0.05) as http:
        await body_of(http, server.url)
        async with asyncio.timeout(120):
            await ended.wait()


async def test_a_redirect_is_an_answer_and_is_not_followed(http: Http) -> None:
    async with serving(
        always(b"HTTP/1.1 302 Found\r\nlocation: /x\r\nset-cookie: a=1\r\ncontent-length: 0\r\n\r\n")
    ) as server:
        async with await get(http, server.url) as answer:
            assert answer.status == 302
        assert server.connections == 1


async def test_headers_that_come_twice_are_joined(http: Http) -> None:
    async with (
        serving(always(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 0\r\n\r\n")) as server,
        await get(http, server.url) as answer,
    ):
        assert answer.headers["x-a"] == "1, 2"


async def test_a_certificate_that_nobody_vouches_for_is_refused(http: Http, tmp_path: object) -> None:
    async with serving(always(OK), tls=_self_signed(tmp_path)) as server:
        error = await failure_of(http, server.url)
    assert (error.retryable, error.charged) == (False, "no")
    assert "certificate" in error.mend


async def test_closing_the_client_ends_what_is_under_way() -> None:
    http = Http(CLOCK)
    await http.open()
    async with serving(always(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")) as server:
        answer = await get(http, server.url, patience=Patience())
        reading = asyncio.create_task(answer.read())
        await asyncio.sleep(0.02)
        await http.close()
        with pytest.raises(Upstream):
            await reading


async def test_a_client_that_is_not_open_says_so() -> None:
    with pytest.raises(Broken):
        await get(Http(CLOCK), "http://127.0.0.1:1/")


@pytest.mark.parametrize("value", ["", "a\nb", "a\rb", "ü", "a\tb", "\x7f"])
def test_only_visible_ascii_goes_into_a_header(value: str) -> None:
    with pytest.raises(BadInput) as caught:
        header_value(value, name="the key")
    assert value not in caught.value.message or not value


def _self_signed(folder: object) -> ssl.SSLContext:
    import datetime
    from pathlib import Path

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = Path(str(folder)) / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_an_answer_to_head_ends_with_its_headers(http: Http) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\netag: x\r\n\r\n"
    async with serving(always(head)) as server:
        for _ in range(2):
            answer = await http.ask(
                "HEAD", server.url, {}, None, deadline=CLOCK.monotonic() + 60, patience=LONG, subject="m"
            )
            assert (answer.status, answer.headers["etag"], await answer.read()) == (200, "x", b"")
        assert server.connections == 2, "what might still come belongs to no other answer"


async def test_any_method_can_be_asked_by(http: Http) -> None:
    async def script(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await take(server, reader)
            writer.write(OK)

    async with serving(script) as server:
        for method, body in (("PATCH", b"{}"), ("DELETE", None)):
            answer = await http.ask(
                method, server.url, {}, body, deadline=CLOCK.monotonic() + 60, patience=LONG, subject="m"
            )
            assert await answer.read() == b"ok"
    assert [each.split(b"\r\n", 1)[0] for each in server.requests] == [b"PATCH /v1 HTTP/1.1", b"DELETE /v1 HTTP/1.1"]
    assert server.requests[0].endswith(b"content-length: 2\r\n\r\n{}")
