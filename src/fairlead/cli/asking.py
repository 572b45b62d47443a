"""One HTTP request to a running Fairlead, with the standard library alone, and its errors as Fairlead's own."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from fairlead.cli.explain import codes
from fairlead.errors import BadInput, CutOff, FairleadError, Overloaded, Refused, Upstream

PATIENCE = 600.0  # seconds: the server's own deadline comes first
_MOST_OF_AN_ERROR = 1 << 20


class NoServer(Upstream):
    """No Fairlead answers at this address.

    Start one with `fairlead serve`, or say where it runs with `--url`.
    """

    code = "no_server"

    def __init__(self, message: str, *, why: str = "", mend: str = "") -> None:
        super().__init__(message, why=why, mend=mend)
        self.step = ""  # nothing of the governed path was reached


class Reply:
    """A successful response."""

    def __init__(self, response: HTTPResponse) -> None:
        self._response = response

    @property
    def streams(self) -> bool:
        """Whether it comes as events."""
        return (self._response.getheader("content-type") or "").startswith("text/event-stream")

    def read(self) -> bytes:
        """All that is left of the body."""
        return self._response.read()

    def events(self) -> Iterator[dict[str, Any]]:
        """The events of a stream up to its end mark. Raises the error that came in its place."""
        for line in self._response:
            text = line.strip().removeprefix(b"data: ")
            if text == b"[DONE]":
                return
            if text and not text.startswith(b":"):
                event = json.loads(text)
                if isinstance(event.get("error"), dict):  # a run has a word there for how it ended
                    raise error_of(event["error"])
                yield event
        raise CutOff(
            "the answer ended without its end mark",
            why="the server stopped, or the connection was cut",
            mend="fairlead trace last tells what came of it; then ask again",
        )


def got(url: str, path: str, key: str) -> dict[str, Any]:
    """A JSON object of a server's. Raises `NoServer`, or the error that the server answered with."""
    with _sent("GET", url, path, None, key, {}) as reply:
        found = json.loads(reply.read())
    return found if isinstance(found, dict) else {}


@contextmanager
def posted(
    url: str,
    body: Mapping[str, Any],
    key: str,
    headers: Mapping[str, str] | None = None,
    *,
    path: str = "/v1/chat/completions",
) -> Iterator[Reply]:
    """The answer to a request, of chat unless told otherwise. Raises `NoServer`, or the error that the server answered
    with."""
    sent = {"content-type": "application/json", **(headers or {})}
    with _sent("POST", url, path, json.dumps(body).encode(), key, sent) as reply:
        yield reply


@contextmanager
def _sent(
    method: str, url: str, path: str, body: bytes | None, key: str, headers: Mapping[str, str]
) -> Iterator[Reply]:
    address = urlsplit(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise BadInput(f"{url!r} is no address", mend="--url http://127.0.0.1:8700")
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    sent = dict(headers)
    if key:
        sent["authorization"] = f"Bearer {key}"
    whole = address.path.rstrip("/").removesuffix("/v1") + path
    with (
        closing(kind(address.hostname, address.port, timeout=PATIENCE)) as connection,
        closing(_answer(connection, url, method, whole, body, sent)) as response,
    ):
        try:
            if response.status != 200:
                raise _refused(response)
            yield Reply(response)
        except (ConnectionResetError, TimeoutError, HTTPException) as error:
            raise CutOff(
                "the connection broke in the middle of the answer",
                why=str(error),
                mend="fairlead trace last tells what came of it; then ask again",
            ) from error


def _answer(
    connection: HTTPConnection, url: str, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> HTTPResponse:
    try:
        connection.request(method, path, body, headers)
        return connection.getresponse()
    except (OSError, HTTPException) as error:
        raise NoServer(
            f"no Fairlead answers at {url}",
            why=str(error) or type(error).__name__,
            mend="fairlead serve; or say where it runs: --url URL",
        ) from error


def _refused(response: HTTPResponse) -> FairleadError:
    pause = _pause(response)
    try:
        error = error_of(json.loads(response.read(_MOST_OF_AN_ERROR))["error"])
    except (ValueError, KeyError, TypeError):
        if pause is not None:  # a proxy before it
            return Overloaded(f"the server takes no work just now: status {response.status}", retry_after=pause)
        return NoServer(f"what answers there is no Fairlead: status {response.status}", mend="check --url")
    if pause is not None and isinstance(error, Overloaded | Upstream):
        error.retry_after = pause
    return error


def _pause(response: HTTPResponse) -> float | None:
    """The seconds after which a busy server wants to be asked again; None where it is not busy."""
    if response.status not in (429, 503):
        return None
    said = response.getheader("retry-after") or ""
    return max(1.0, float(said)) if said.isdecimal() else 1.0


def error_of(said: Mapping[str, Any]) -> FairleadError:
    """The error that a door reported, of its own class where this program knows it."""
    details = said.get("fairlead") or {}
    why = details.get("why", "")
    known = codes().get(said.get("code") or "", Refused)
    error = FairleadError.__new__(known)
    FairleadError.__init__(
        error,
        str(said.get("message", "")).removesuffix(f": {why}"),  # doors say the reason there as well
        why=why,
        mend=details.get("help", ""),
        step=details.get("step", ""),
    )
    error.run = details.get("run", "")
    if isinstance(error, Overloaded | Upstream):
        error.retry_after = 1.0 if isinstance(error, Overloaded) else None
    return error
