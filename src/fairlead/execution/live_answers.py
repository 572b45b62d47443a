"""Answers of live sources that may be used again for a while: in this worker's memory, each for one caller with the
very rights that they had, and gone as soon as anything is published, stopped or revoked."""

from collections.abc import Callable
from typing import Final

from fairlead.context.types import LivePiece
from fairlead.identity.types import Caller

Key = tuple[str, Caller, str, str, str]
"""Revision, caller, the digest of their token (one may open less than another), source, and the digest of the call."""

_MOST_BYTES: Final = 16 << 20
_BESIDE: Final = 500  # bytes that an answer takes beside its text


class LiveAnswers:
    """What was read lately. `epoch` tells an answer that was asked for before all were forgotten."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.epoch = 0
        self._monotonic = monotonic
        self._kept: dict[Key, tuple[float, LivePiece]] = {}
        self._bytes = 0

    def answer(self, key: Key) -> LivePiece | None:
        """An answer that is fresh enough."""
        until, piece = self._kept.get(key, (0.0, None))
        if piece is None or until > self._monotonic():
            return piece
        self._drop(key)
        return None

    def keep(self, key: Key, piece: LivePiece, seconds: float, epoch: int) -> None:
        """For so many seconds, unless all has been forgotten since it was asked for. The oldest make room."""
        if epoch != self.epoch:
            return
        self._drop(key)
        self._kept[key] = (self._monotonic() + seconds, piece)
        self._bytes += _size(piece)
        while self._bytes > _MOST_BYTES:
            self._drop(next(iter(self._kept)))

    def forget(self) -> None:
        """All of them: what they were allowed by may no longer be in force."""
        self.epoch += 1
        self._kept.clear()
        self._bytes = 0

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= _size(kept[1])


def _size(piece: LivePiece) -> int:
    return _BESIDE + 2 * len(piece.text)
