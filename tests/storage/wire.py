"""A wire between a client and a PostgreSQL server that can be cut at a chosen message, before or after it was heard."""

import contextlib
import socket
import threading
from types import TracebackType
from urllib.parse import urlsplit, urlunsplit


class Wire:
    """Carries bytes both ways, on threads of its own."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._to = (parts.hostname or "", parts.port or 0)
        self._listening = socket.create_server(("127.0.0.1", 0))
        # In plain text, also where the server offers TLS since another test asked it to: the marker must be seen.
        here = f"fairlead@127.0.0.1:{self._listening.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=here, query="sslmode=disable"))
        self._marker = b""
        self._heard = False
        self.is_down = False
        self.cuts = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listening.close()
        self._end()

    def cut(self, marker: bytes, *, heard: bool, stay_down: bool = False) -> None:
        """The next message with the marker is the last: the server hears it and answers in vain, or never hears it."""
        self._heard, self._stay_down, self._marker = heard, stay_down, marker

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                if self.is_down:
                    client.close()
                    continue
                server = socket.create_connection(self._to)
                self._open += [client, server]
                doomed = threading.Event()
                for what in ((client, server, self._ask, doomed), (server, client, self._answer, doomed)):
                    threading.Thread(target=self._carry, args=what, daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, pass_on: object, doomed: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                pass_on(sink, data, doomed)  # type: ignore[operator]
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _ask(self, server: socket.socket, data: bytes, doomed: threading.Event) -> None:
        if self._marker and self._marker in data:
            self._marker = b""
            self.cuts += 1
            self.is_down = self._stay_down
            if not self._heard:
                raise OSError("cut before it was heard")
            doomed.set()
        server.sendall(data)

    def _answer(self, client: socket.socket, data: bytes, doomed: threading.Event) -> None:
        if doomed.is_set():
            raise OSError("cut before the answer")
        client.sendall(data)

    def _end(self) -> None:
        for each in self._open:
            with contextlib.suppress(OSError):
                each.close()
