"""What questions meant to a model for embeddings that may be used again: in this worker's memory, each for one caller
with the very rights that they had, and gone as soon as anything is published, stopped or revoked."""

from typing import Final

from fairlead.identity.types import Caller

Key = tuple[str, Caller, str, str]
"""Revision, caller, task type, and the digest of the question with the key of its vectors."""

_MOST: Final = 512


class AskedVectors:
    """What was asked lately. `epoch` tells a vector that was asked for before all were forgotten."""

    def __init__(self) -> None:
        self.epoch = 0
        self._kept: dict[Key, bytes] = {}

    def get(self, key: Key) -> bytes | None:
        """The vector, where it was asked for lately."""
        return self._kept.get(key)

    def keep(self, key: Key, vector: bytes, epoch: int) -> None:
        """Unless all has been forgotten since it was asked for. The oldest make room."""
        if epoch != self.epoch:
            return
        self._kept[key] = vector
        while len(self._kept) > _MOST:
            self._kept.pop(next(iter(self._kept)))

    def forget(self) -> None:
        """All of them: what they were allowed by may no longer be in force."""
        self.epoch += 1
        self._kept.clear()
