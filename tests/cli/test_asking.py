"""What goes wrong between a client and its server is said with what mends it."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from threading import Thread

import pytest

from fairlead.cli.asking import NoServer, error_of, posted
from fairlead.errors import BadInput, CutOff, FairleadError, OverBudget
from fairlead.server.openai.errors import encode_error

Serve = Callable[[bytes], str]
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


@pytest.fixture
def answering() -> Iterator[Serve]:
    """A server that answers the next request with these bytes and hangs up; gives its address."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def once(reply: bytes) -> None:
            connection, _ = listener.accept()
            with closing(connection):
                received = b""
                while b"}]}" not in received:
                    received += connection.recv(1 << 16)
                connection.sendall(reply)

        def serve(reply: bytes) -> str:
            Thread(target=once, args=(reply,), daemon=True).start()
            return f"http://127.0.0.1:{listener.getsockname()[1]}"

        yield serve


def asked(url: str) -> list[object]:
    with posted(url, {"messages": [{"role": "user", "content": "hello"}]}, "") as reply:
        return list(reply.events())


def error(url: str) -> FairleadError:
    with pytest.raises(FairleadError) as raised:
        asked(url)
    return raised.value


def test_a_stream_is_read_to_its_end_mark(answering: Serve) -> None:
    assert asked(answering(STREAM + b'data: {"n":1}\n\ndata: {"n":2}\n\ndata: [DONE]\n\n')) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    "reply",
    [
        STREAM + b'data: {"n":1}\n\n',
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\ndata: ",
    ],
)
def test_an_answer_that_breaks_off_says_where_to_look(answering: Serve, reply: bytes) -> None:
    broken = error(answering(reply))
    assert type(broken) is CutOff
    assert "fairlead trace last" in broken.mend


def test_an_error_of_the_server_arrives_as_its_own_class(answering: Serve) -> None:
    said = {"message": "no money", "code": "over_budget", "fairlead": {"help": "ask its owner", "run": "run_1"}}
    body = json.dumps({"error": said}).encode()
    refused = error(answering(b"HTTP/1.1 429 No\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)))
    assert type(refused) is OverBudget
    assert (refused.message, refused.mend, refused.run) == ("no money", "ask its owner", "run_1")


def test_a_reason_that_a_door_says_twice_is_told_once() -> None:
    over = BadInput("no money", why="the day's 5 EUR are spent", mend="ask its owner")
    told = error_of(json.loads(encode_error(over))["error"])
    assert (type(told), told.message, told.why) == (BadInput, over.message, over.why)


def test_what_is_no_fairlead_and_what_does_not_answer_are_told(answering: Serve) -> None:
    stranger = error(answering(b"HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\noops"))
    assert (type(stranger), stranger.mend) == (NoServer, "check --url")
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        port = gone.getsockname()[1]
    nobody = error(f"http://127.0.0.1:{port}")
    assert type(nobody) is NoServer
    assert "fairlead serve" in nobody.mend
    assert type(error("ftp://example.org")) is BadInput
