"""Ports that stay free until somebody listens at them, for servers that have to be told where."""

import errno
import itertools
import os
import socket
from typing import Final

# Below what systems give out by themselves, from 32768 (Linux) or 49152 on: a port that was asked for with 0, and let
# go again, may be that of anybody's next connection, of which tests beside this one make thousands.
_FIRST: Final = 11_000
_EACH: Final = 20  # ports of a process; those that run together have numbers of their own
_numbers = itertools.count()


def free_port() -> int:
    """A port of this process's own at which nobody listens."""
    mine = _FIRST + os.getpid() % 1000 * _EACH
    for _ in range(_EACH):
        port = mine + next(_numbers) % _EACH
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                continue
        return port
    raise RuntimeError(f"all ports from {mine} to {mine + _EACH - 1} are taken")
