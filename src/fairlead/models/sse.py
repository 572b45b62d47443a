"""Server-sent events, as bytes (WHATWG HTML, "Server-sent events").

Works on whatever one network read brought and gives all events that it completed, so that a driver can merge them.
Stricter than a browser: what is not an event stream is an error, because here it is a broken provider.
"""

from typing import Final

Event = tuple[bytes, bytes]
"""The event's name (b"" where it has none) and its data."""

_FIELDS: Final = frozenset((b"data", b"event", b"id", b"retry"))
_BOM: Final = b"\xef\xbb\xbf"


class SseParser:
    """Turns reads into events. Once `broken` says why, the stream is over: nothing more will come out.

    Events before the broken place are still given. `limit` bounds one event, in bytes.
    """

    __slots__ = ("_limit", "_parts", "_size", "_skip_lf", "_started", "broken")

    def __init__(self, limit: int = 4 << 20) -> None:
        self.broken = ""
        self._limit = limit
        self._parts: list[bytes] = []  # reads since the last complete event; none of them empty
        self._size = 0
        self._skip_lf = False
        self._started = False

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes, in order."""
        if self.broken:
            return []
        if self._skip_lf or b"\r" in data:
            data = self._with_line_feeds(data)
        if not data:
            return []
        if self._started and not self._parts and data.endswith(b"\n\n"):
            return self._events(data[:-2].split(b"\n\n"))  # whole events, as servers that flush each one send them
        # Joined only when an event ends: a large event in many small reads stays linear.
        ends = b"\n\n" in data or (data.startswith(b"\n") and bool(self._parts) and self._parts[-1].endswith(b"\n"))
        self._parts.append(data)
        self._size += len(data)
        events: list[Event] = []
        if ends:
            *blocks, rest = self._taken().split(b"\n\n")
            events = self._events(blocks)
            self._parts = [rest] if rest else []
            self._size = len(rest)
        # Where the body begins, a byte order mark may come on top, and the first half of the blank line anywhere.
        if self._size > self._limit + (1 if self._started else 1 + len(_BOM)) and not self.broken:
            self.broken = f"an event is larger than {self._limit} bytes"
        return events

    def end(self) -> list[Event]:
        """The last event, where the body ended without the blank line that should close it."""
        rest = self._taken()
        return self._events([rest]) if rest and not self.broken else []

    def _taken(self) -> bytes:
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts, self._size = [], 0
        if not self._started:
            self._started = True
            data = data.removeprefix(_BOM)
        return data

    def _events(self, blocks: list[bytes]) -> list[Event]:
        events: list[Event] = []
        for block in blocks:
            # Nearly every event of every provider is this one line.
            if block.startswith(b"data: ") and b"\n" not in block:
                if len(block) > self._limit:
                    self.broken = f"an event is larger than {self._limit} bytes"
                    break
                events.append((b"", block[6:]))
                continue
            event = self._event(block)
            if self.broken:
                break
            if event is not None:
                events.append(event)
        return events

    def _event(self, block: bytes) -> Event | None:
        if len(block) > self._limit:
            self.broken = f"an event is larger than {self._limit} bytes"
            return None
        name = b""
        data: list[bytes] = []
        for line in block.split(b"\n"):
            if not line or line.startswith(b":"):
                continue
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"data":
                data.append(value)
            elif field == b"event":
                name = value
            elif field not in _FIELDS:
                self.broken = "it is not an event stream"
                return None
        return (name, b"\n".join(data)) if data else None

    def _with_line_feeds(self, data: bytes) -> bytes:
        """`data` with CR and CRLF turned to LF, also where the two halves of a CRLF come in different reads."""
        if self._skip_lf and data:
            data = data.removeprefix(b"\n")
            self._skip_lf = False
        if b"\r" in data:
            self._skip_lf = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data
