"""AWS event streams: messages in binary frames, each with two checksums (the public `vnd.amazon.eventstream` format).

A frame is its length, the length of its headers, a CRC of these two, the headers, the payload, and a CRC of all that.
"""

import struct
import zlib
from struct import Struct
from typing import Final, NamedTuple

_PRELUDE: Final = Struct(">III")
_CRC: Final = Struct(">I")
_LENGTH: Final = Struct(">H")
# Sizes of the values of headers, by type; bytes and strings (6 and 7) say their own.
_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
_STRING: Final = 7


class Frame(NamedTuple):
    """A message: its headers that are strings, and its payload."""

    headers: dict[str, str]
    payload: bytes


class EventStreamParser:
    """Turns reads into frames. Once `broken` says why, the stream is over; frames before that are still given."""

    __slots__ = ("_data", "_limit", "broken")

    def __init__(self, limit: int = 16 << 20) -> None:
        self.broken = ""
        self._data = bytearray()
        self._limit = limit

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes, in order."""
        frames: list[Frame] = []
        if self.broken:
            return frames
        buffer = self._data
        buffer += data
        at = 0
        while len(buffer) - at >= _PRELUDE.size:
            length, named, crc = _PRELUDE.unpack_from(buffer, at)
            if zlib.crc32(buffer[at : at + 8]) != crc:
                self.broken = "it is not an event stream, or was damaged on its way"
            elif length > self._limit or named + 16 > length:
                self.broken = f"a message of it says that it is {length} bytes long"
            if self.broken or len(buffer) - at < length:
                break
            frame = self._frame(bytes(buffer[at : at + length]), named)
            if frame is None:
                break
            frames.append(frame)
            at += length
        del buffer[:at]
        return frames

    def end(self) -> None:
        """No more will come: what is left was cut off."""
        if self._data and not self.broken:
            self.broken = "it ends in the middle of a message"

    def _frame(self, data: bytes, named: int) -> Frame | None:
        if zlib.crc32(data[:-4]) != _CRC.unpack(data[-4:])[0]:
            self.broken = "a message of it was damaged on its way"
            return None
        headers = _headers(data[12 : 12 + named])
        if headers is None:
            self.broken = "the headers of a message make no sense"
            return None
        return Frame(headers, data[12 + named : -4])


def _headers(data: bytes) -> dict[str, str] | None:
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            name = data[at + 1 : at + 1 + data[at]].decode()
            at += 1 + data[at]
            kind = data[at]
            at += 1
            if kind in _SIZES:
                at += _SIZES[kind]
                continue
            (size,) = _LENGTH.unpack_from(data, at)
            value = data[at + 2 : at + 2 + size]
            at += 2 + size
            if kind == _STRING:
                found[name] = value.decode()
    except (IndexError, ValueError, struct.error):
        return None
    return found if at == len(data) else None
