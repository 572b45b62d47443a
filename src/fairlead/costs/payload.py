"""What is kept of an action beside its record, encrypted for its person: what came, what went, what else decided."""

import msgspec
from msgspec import Struct


class Payload(Struct, frozen=True, array_like=True):
    """The request as it came, the reply's text, and what the pack was made of (see `execution.replaying`), empty
    where there was none. Rows from before that was kept have none."""

    body: bytes
    reply: str
    gathered: bytes = b""


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Payload)


def encode_payload(payload: Payload) -> bytes:
    return _encode(payload)


def decode_payload(plain: bytes) -> Payload:
    return _decoder.decode(plain)
