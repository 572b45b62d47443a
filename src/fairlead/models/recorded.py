"""Recorded traffic: a file of real replies, played back to the same requests, for tests, demos and replays.

A cassette is JSON Lines. Each line is one exchange:

    {"fairlead": "cassette/1", "key": HASH, "model": NAME, "chunks": [CHUNK…], "error": ERROR | null}

`key` is the SHA-256 of everything in a call that shapes the reply of a given model: the request, passages and output
limit; not deadlines, ids or keys, and not the vendor's name of the model, because whoever plays a cassette back calls
it otherwise. So a cassette is of one model. Timing is not kept. A cassette holds replies, never requests, headers or
keys. The same request recorded more than once is played back in the order of recording; the last one is repeated.
"""

import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Raw, Struct

from fairlead.clock import Clock
from fairlead.errors import BadInput, CutOff, DeadlineExceeded, RateLimited, Rejected, TooLong, Upstream
from fairlead.models.content import Thought
from fairlead.models.settings import EndpointSettings
from fairlead.models.types import ChatRequest, Chunk, ModelCall, ModelDriver, Passage, ToolCallDelta, Usage
from fairlead.net.http import Http

_VERSION: Final = "cassette/1"
_ERRORS: Final = {kind.code: kind for kind in (Upstream, RateLimited, Rejected, TooLong, CutOff, DeadlineExceeded)}


class _Fault(Struct, frozen=True, omit_defaults=True):
    """An error as it was raised."""

    code: str
    message: str
    why: str = ""
    mend: str = ""
    retryable: bool = True
    charged: str = "no"
    retry_after: float | None = None


class _Kept(Struct, frozen=True):
    """A chunk as a cassette gives it back. Raw JSON cannot be decoded beside None, so it has another default."""

    text: str = ""
    index: int = 0
    reasoning: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    logprobs: Raw = Raw(b"")
    finish: str | None = None
    usage: Usage | None = None
    thought: Thought | None = None
    stop: str | None = None


class _Exchange(Struct, frozen=True, kw_only=True):
    fairlead: str = _VERSION
    key: str
    model: str
    chunks: list[_Kept]
    error: _Fault | None = None


class _Asked(Struct, frozen=True):
    """What shapes a reply."""

    request: ChatRequest
    passages: tuple[Passage, ...]
    max_output: int


def call_key(call: ModelCall) -> str:
    """The key under which a cassette keeps the reply to a call."""
    # The name by which the caller reached the model, what a door counted and how it is handled do not shape the reply.
    request = msgspec.structs.replace(call.request, model="", size=0, handling=None)
    asked = _Asked(request, call.passages, call.max_output)
    return hashlib.sha256(msgspec.json.encode(asked, order="sorted")).hexdigest()


class Recorder:
    """A driver that hands everything through and adds complete exchanges, failed ones included, to a cassette."""

    def __init__(self, driver: ModelDriver, path: Path) -> None:
        self._driver = driver
        self._path = path

    async def answer(self, call: ModelCall) -> AsyncGenerator[Chunk]:
        """See `ModelDriver.answer`. A reply that the reader leaves before its end is not recorded."""
        chunks: list[Chunk] = []
        try:
            async with aclosing(self._driver.answer(call)) as pieces:
                async for chunk in pieces:
                    chunks.append(chunk)
                    yield chunk
        except Upstream as error:
            self._add(call, chunks, _fault(error))
            raise
        self._add(call, chunks, None)

    async def probe(self) -> list[str]:
        """See `ModelDriver.probe`."""
        return await self._driver.probe()

    def _add(self, call: ModelCall, chunks: list[Chunk], error: _Fault | None) -> None:
        line = {
            "fairlead": _VERSION,
            "key": call_key(call),
            "model": call.model.remote,
            "chunks": chunks,
            "error": error,
        }
        # One write of one line: two recorders on one file do not mix.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        file = os.open(self._path, flags, 0o600)
        try:
            os.write(file, msgspec.json.encode(line) + b"\n")
        finally:
            os.close(file)


class RecordedDriver:
    """Plays a cassette back. `settings.url` is its path."""

    def __init__(self, settings: EndpointSettings, http: Http, clock: Clock) -> None:
        self._path = Path(settings.url)
        self._exchanges: dict[str, list[_Exchange]] | None = None
        self._models: list[str] = []

    async def answer(self, call: ModelCall) -> AsyncGenerator[Chunk]:
        """See `ModelDriver.answer`. Raises `Upstream` for a request that was not recorded."""
        takes = self._cassette().get(call_key(call))
        if not takes:
            raise Upstream(
                "this request was not recorded",
                why=f"{self._path.name} holds no reply to it",
                mend="record it first, with `fairlead record`; a change of a single word makes another request",
                subject=call.model.name,
                retryable=False,
            )
        exchange = takes.pop(0) if len(takes) > 1 else takes[0]
        for kept in exchange.chunks:
            yield _chunk(kept)
        if exchange.error is not None:
            raise _raised(exchange.error, call.model.name)

    async def probe(self) -> list[str]:
        """The vendor's names of the models that were recorded."""
        self._cassette()
        return self._models

    def _cassette(self) -> dict[str, list[_Exchange]]:
        """The cassette, read when it is first needed: a workspace can be checked without it."""
        if self._exchanges is not None:
            return self._exchanges
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError as error:
            raise Upstream(
                f"the recording {self._path.name} cannot be read",
                why=(error.strerror or "").lower(),
                mend="check the path under `models:`",
                retryable=False,
            ) from error
        exchanges: dict[str, list[_Exchange]] = {}
        models: dict[str, None] = {}
        for number, line in enumerate(lines, 1):
            exchange = _read(line, f"{self._path.name}, line {number}")
            exchanges.setdefault(exchange.key, []).append(exchange)
            models[exchange.model] = None
        self._exchanges, self._models = exchanges, list(models)
        return exchanges


def _read(line: bytes, where: str) -> _Exchange:
    try:
        exchange = msgspec.json.decode(line, type=_Exchange)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{where} is not an exchange of a cassette", why=str(error), mend="record it anew") from error
    if exchange.fairlead != _VERSION:
        raise BadInput(f"{where} has another format than {_VERSION}", mend="record it anew")
    return exchange


def _chunk(kept: _Kept) -> Chunk:
    return Chunk(**{**msgspec.structs.asdict(kept), "logprobs": kept.logprobs or None})


def _fault(error: Upstream) -> _Fault:
    return _Fault(error.code, error.message, error.why, error.mend, error.retryable, error.charged, error.retry_after)


def _raised(fault: _Fault, subject: str) -> Upstream:
    return _ERRORS.get(fault.code, Upstream)(
        fault.message,
        why=fault.why,
        mend=fault.mend,
        subject=subject,
        retryable=fault.retryable,
        charged=fault.charged,
        retry_after=fault.retry_after,
    )
