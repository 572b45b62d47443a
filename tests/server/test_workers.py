"""The listening socket that workers share, and how they end."""

import gc
import os
import select
import signal
import socket
import sys
from functools import partial
from pathlib import Path

import pytest

from fairlead.server.workers import Workers, listen


def sockets() -> int:
    """How many this process has open."""
    kinds = [os.readlink(each) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()]
    return sum(kind.startswith("socket:") for kind in kinds)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc, which Linux has")
def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_open() -> None:
    with listen("127.0.0.1", 0) as first:
        gc.disable()  # or the leak would be mended before it is counted
        try:
            before = sockets()
            with pytest.raises(OSError, match="in use"):
                listen(*first.getsockname())
            assert sockets() == before
        finally:
            gc.enable()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_address_of_either_kind_can_be_listened_at(host: str) -> None:
    if ":" in host and not _has_v6():
        pytest.skip("this machine has no IPv6")
    with listen(host, 0) as sock:
        assert sock.get_inheritable()
        with socket.create_connection(sock.getsockname()[:2], timeout=60):
            pass


def _has_v6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_workers_do_not_outlive_who_watches_them() -> None:
    read, write = os.pipe()
    if (parent := os.fork()) == 0:
        os.close(read)
        os._exit(Workers([partial(_waits, write)]).run())
    os.close(write)
    assert os.read(read, 7) == b"working"
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)
    assert select.select([read], [], [], 60)[0], "it goes on by itself"
    assert os.read(read, 1) == b"", "the last who could write is gone"
    os.close(read)


def test_a_work_that_never_starts_ends_the_server_and_the_others_with_it() -> None:
    read, write = os.pipe()
    if (parent := os.fork()) == 0:
        os.close(read)
        os._exit(Workers([partial(_waits, write), partial(_fails, write)], pause=0).run())
    os.close(write)
    _, status = os.waitpid(parent, 0)
    assert os.waitstatus_to_exitcode(status) == 1
    with os.fdopen(read, "rb") as said:
        assert said.read().replace(b"working", b"") == b"f" * 5


def _fails(write: int) -> int:
    os.write(write, b"f")
    raise OSError("nothing to start with")


def _waits(write: int) -> int:
    os.write(write, b"working")
    signal.pause()
    return 0
