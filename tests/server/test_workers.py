"""The listening socket that workers share."""

import gc
import os
import socket
from pathlib import Path

import pytest

from fairlead.server.workers import listen


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
        with socket.create_connection(sock.getsockname()[:2], timeout=10):
            pass


def _has_v6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True
