"""What is kept of an action beside its record, encrypted for its person: what came, what went, what else decided."""

import msgspec
from msgspec import Struct


class Payload(Struct, frozen=True, array_like=True):
    """The request as it came, the reply's text, what the pack was made of (see `execution.replaying`), and what
    policies were told beside the record (see `execution.told_policies`), empty where there was none. Rows from before
    these were kept have none."""

    body: bytes
    reply: str
    gathered: bytes = b""
    told: bytes = b""


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Payload)


def encode_payload(payload: Payload) -> bytes:
    """As MessagePack, before it is encrypted."""
    return _encode(payload)


def decode_payload(plain: bytes) -> Payload:
    """What was kept, decrypted. Raises `msgspec.DecodeError` for anything else."""
    return _decoder.decode(plain)
