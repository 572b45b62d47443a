"""What is worked out once and kept while there is room for it."""

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Values by key, as many as have room. What was not asked for the longest goes first."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._used = 0
        self._values: dict[Key, tuple[Value, int]] = {}

    def get(self, key: Key) -> Value | None:
        """The value, which is the newest again; None where there was none, or it had to go."""
        found = self._values.pop(key, None)
        if found is None:
            return None
        self._values[key] = found  # again as the newest
        return found[0]

    def keep(self, key: Key, value: Value, size: int) -> Value:
        """`value`, kept under a key that has none. One that is larger than the whole room is not kept."""
        if size > self._room:
            return value
        self._values[key] = (value, size)
        self._used += size
        while self._used > self._room:
            _, freed = self._values.pop(next(iter(self._values)))
            self._used -= freed
        return value
