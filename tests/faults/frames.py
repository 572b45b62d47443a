"""Messages of AWS event streams, written by hand for the misbehaving provider: not the code that it is to test."""

import binascii
import json
from typing import Any


def frame(payload: bytes, headers: dict[str, str]) -> bytes:
    """One message with headers that are strings."""
    named = b""
    for name, value in headers.items():
        named += (
            len(name.encode()).to_bytes(1) + name.encode() + b"\x07" + len(value.encode()).to_bytes(2) + value.encode()
        )
    lengths = (16 + len(named) + len(payload)).to_bytes(4) + len(named).to_bytes(4)
    start = lengths + binascii.crc32(lengths).to_bytes(4) + named + payload
    return start + binascii.crc32(start).to_bytes(4)


def event(kind: str, body: Any) -> bytes:
    return frame(
        json.dumps(body, ensure_ascii=False).encode(),
        {":event-type": kind, ":content-type": "application/json", ":message-type": "event"},
    )


def exception(kind: str, body: bytes) -> bytes:
    return frame(body, {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"})
