"""What is set before a worker runs."""

import errno
import resource
import select
import socket
from collections.abc import Iterator

import pytest

from fairlead.server import serve
from fairlead.server.serve import Serving
from fairlead.server.workers import listen
from fairlead.workspace.settings import ServerSettings


def test_every_setting_of_the_server_but_its_address_reaches_those_who_serve_with_the_same_default() -> None:
    settings, serving = ServerSettings(), Serving()
    named = set(ServerSettings.__struct_fields__) - {"host", "port"}
    assert named == set(Serving.__struct_fields__)
    assert {name: getattr(settings, name) for name in named} == {name: getattr(serving, name) for name in named}


@pytest.mark.skipif(
    not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux gives up by itself on who does not read"
)
def test_who_has_no_room_for_what_is_sent_is_given_up_by_the_kernel() -> None:
    with listen("127.0.0.1", 0) as sock, socket.socket() as client:
        serve._give_up_on_the_deaf(sock, 0.3)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(sock.getsockname())
        accepted, _ = sock.accept()
        with accepted:
            accepted.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    accepted.send(b"x" * 65536)
            poll = select.poll()
            poll.register(accepted, select.POLLERR)
            assert poll.poll(60_000)
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ETIMEDOUT


@pytest.fixture
def few_files() -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 600), hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_as_many_files_may_be_open_as_connections_need_and_the_system_allows(few_files: int) -> None:
    serve._allow_files(700)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(700, few_files), few_files)
    serve._allow_files(650)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == min(700, few_files)
