"""The process that programs are forked from: `parent.py SOCKET`. See `tests.programs`."""

import atexit
import gc
import os
import runpy
import selectors
import shutil
import signal
import socket
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pkgutil import iter_modules
from types import CodeType
from typing import NoReturn, TextIO

Hand = tuple[list[str], dict[bytes, bytes], bytes, list[int]]  # arguments, variables, folder, streams


IMPORTED = (
    "alembic.runtime.environment",
    "alembic.script",
    "encodings.idna",
    "fairlead.server.framing",
    "fairlead.server.serve",
    "fairlead.workspace.assemble",
    "genai_prices.data",
    "mcp.server.mcpserver",
    "mcp.server.stdio",
    "openai.resources.chat",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "typer._adapters",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
)
PACKAGES = ("fairlead.cli", "fairlead.models", "fairlead.storage")  # of these each module


def prepare() -> None:
    """Import what programs would, and make what each would make of that."""
    from fairlead.policy.detectors import built_in
    from fairlead.policy.injection import suspicion
    from fairlead.workspace.schemas import json_schemas

    for name in IMPORTED:
        import_module(name)
    for package in map(import_module, PACKAGES):
        for each in iter_modules(package.__path__, f"{package.__name__}."):
            import_module(each.name)
    built_in()
    suspicion()
    json_schemas()


class Parent:
    """Forks on demand, and tells how each fork ended. Ends when nobody holds it any more."""

    def __init__(self, listening: socket.socket) -> None:
        self._events = selectors.DefaultSelector()
        self._events.register(listening, selectors.EVENT_READ, self._accept)
        self._ended, ending = socket.socketpair()
        self._ended.setblocking(False)
        ending.setblocking(False)
        self._ending = ending
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(ending.fileno())
        self._events.register(self._ended, selectors.EVENT_READ, self._reap)
        self._holding: set[socket.socket] = set()
        self._was_held = False
        self._children: dict[int, socket.socket] = {}

    def run(self) -> Hand | None:
        """Gives what to run in a child; None in the parent, once it is not needed."""
        while True:
            for key, _ in self._events.select():
                hand = key.data(key.fileobj)
                if hand is not None:
                    return hand
            if self._was_held and not self._holding and not self._children:
                return None

    def _accept(self, listening: socket.socket) -> Hand | None:
        client, _ = listening.accept()
        head, streams, _, _ = socket.recv_fds(client, 4, 3)
        if head == b"hold":
            self._holding.add(client)
            self._was_held = True
            self._events.register(client, selectors.EVENT_READ, self._left)
            return None
        said = _whole(client, int.from_bytes(head, "big")) if len(head) == 4 else b""
        if not said:  # killed before it had said what to run
            for each in (client.detach(), *streams):
                os.close(each)
            return None
        _, folder, count, *words = said.split(b"\0")
        pid = os.fork()
        if pid == 0:
            self._events.close()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for each in (listening, client, self._ended, self._ending, *self._holding, *self._children.values()):
                each.close()
            arguments = [os.fsdecode(each) for each in words[: int(count)]]
            variables = dict(each.split(b"=", 1) for each in words[int(count) :])
            return arguments, variables, folder, list(streams)
        for each in streams:
            os.close(each)
        _tell(client, pid)
        self._children[pid] = client
        self._events.register(client, selectors.EVENT_READ, self._left)
        return None

    def _left(self, client: socket.socket) -> None:
        """The other end is gone: nobody holds this process by it any more, or the one that stood for a child was
        killed, and the child is killed with it."""
        if client.fileno() < 0:  # it was told of its child's end in the same round
            return
        self._events.unregister(client)
        client.close()
        self._holding.discard(client)
        for pid, its in self._children.items():
            if its is client:
                os.kill(pid, signal.SIGKILL)

    def _reap(self, ended: socket.socket) -> None:
        ended.recv(4096)
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            client = self._children.pop(pid)
            if client.fileno() >= 0:
                self._events.unregister(client)
                _tell(client, status)
                client.close()


def _whole(client: socket.socket, length: int) -> bytes:
    """So many bytes; none where the other end is gone before it has said them."""
    said = b""
    while len(said) < length:
        piece = client.recv(length - len(said))
        if not piece:
            return b""
        said += piece
    return said


def _tell(client: socket.socket, number: int) -> None:
    """To who may be gone by now: that its end is closed is heard next."""
    with suppress(OSError):
        client.sendall(b"%8d" % number)  # of one length: two that come together are told apart


def become(arguments: list[str], variables: dict[bytes, bytes], folder: bytes, streams: list[int]) -> NoReturn:
    """Run as the program that was asked for, to its end."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environb.clear()
    os.environb.update(variables)
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the tests run in the background
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 open to the end, as they are
    sys.stdout = _writing(1, "strict")
    sys.stderr = _writing(2, "backslashreplace")
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    sys.path[0] = "" if arguments[0].startswith("-") else os.path.dirname(os.path.abspath(arguments[0]))
    status = 1
    try:
        status = _ended(arguments)
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except BrokenPipeError:
        status = 120
    finally:
        os._exit(status)


def _writing(number: int, errors: str) -> TextIO:
    lines = number == 2 or os.isatty(number)
    return open(number, "w", encoding="utf-8", errors=errors, buffering=1 if lines else -1, closefd=False)


def _ended(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["-m", module, *rest]:
                sys.argv = [module, *rest]
                runpy.run_module(module, run_name="__main__", alter_sys=True)
            case ["-c", text, *rest]:
                sys.argv = ["-c", *rest]
                program: CodeType = compile(text, "<string>", "exec")
                exec(program, {"__name__": "__main__"})
            case [file, *rest]:
                sys.argv = [file, *rest]
                runpy.run_path(file, run_name="__main__")
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 nobody stands above
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        return 1
    return 0


def main() -> None:
    prepare()
    gc.collect()
    gc.freeze()  # what is here stays: children need not look through it, nor copy it for that
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(sys.argv[1])
        listening.listen(64)
        hand = Parent(listening).run()
    if hand is None:
        shutil.rmtree(os.path.dirname(sys.argv[1]), ignore_errors=True)
    else:
        become(*hand)


if __name__ == "__main__":
    main()
