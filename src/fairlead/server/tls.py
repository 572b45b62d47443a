"""TLS for who listens: new files count for the next connection, and connections that are open go on.

A handshake costs about a millisecond of computing, so looking at three files before it, at most once a second, is not
noticed. Files that do not belong together, as in the middle of their renewal, leave what was there in force.
"""

import logging
import os
import ssl
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from fairlead.errors import BadInput

log = logging.getLogger("fairlead.tls")

_LOOK_EVERY: Final = 1.0  # seconds


class Tls(Struct, frozen=True):
    """The files, all in PEM. With `client_ca`, clients must bring a certificate that one of these issued."""

    certificate: str
    key: str
    client_ca: str = ""


def tls_context(tls: Tls) -> ssl.SSLContext:
    """A context over the files as they are now. Raises `BadInput` naming the setting whose file is at fault."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    # An empty password, or the library would ask for one at the terminal and wait.
    _load("certificate", tls.certificate, lambda: context.load_cert_chain(tls.certificate, tls.key, password=""))
    if tls.client_ca:
        _load("client_ca", tls.client_ca, lambda: context.load_verify_locations(tls.client_ca))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _load(setting: str, path: str, load: Callable[[], None]) -> None:
    try:
        load()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        missing = isinstance(error, FileNotFoundError)
        raise BadInput(
            f"server.tls.{setting} cannot be used: {path}",
            why="it, or its key, is not there" if missing else str(error),
            mend="give PEM files that this user may read; the key unencrypted, and of this certificate",
        ) from error


class RenewedContext(ssl.SSLContext):
    """Gives each new connection the context over what the files hold by then. Belongs to one event loop.

    `monotonic` gives seconds.
    """

    def __new__(cls, tls: Tls, monotonic: Callable[[], float]) -> "RenewedContext":
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, tls: Tls, monotonic: Callable[[], float]) -> None:
        self._tls = tls
        self._monotonic = monotonic
        self._seen = _marks(tls)
        self._current = tls_context(tls)
        self._look_at = monotonic() + _LOOK_EVERY

    def wrap_bio(self, *given: Any, **named: Any) -> ssl.SSLObject:
        """What an event loop calls for each connection that it takes."""
        if self._monotonic() >= self._look_at:
            self._look_at = self._monotonic() + _LOOK_EVERY
            self._look()
        return self._current.wrap_bio(*given, **named)

    def _look(self) -> None:
        marks = _marks(self._tls)
        if marks == self._seen:
            return
        self._seen = marks
        try:
            self._current = tls_context(self._tls)
        except BadInput as error:
            log.error("%s: %s; the old ones stay in force", error.message, error.why)
            return
        log.info("new TLS files are in force")


def _marks(tls: Tls) -> tuple[tuple[int, ...] | None, ...]:
    """What changes when a file does, or who may read it; None for one that is not there."""
    return tuple(_mark(path) for path in (tls.certificate, tls.key, tls.client_ca) if path)


def _mark(path: str) -> tuple[int, ...] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
