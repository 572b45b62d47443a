"""Checkpoints: the signed statement "the log named O has N records and this root" (C2SP tlog-checkpoint).

A checkpoint is a signed note. Whoever keeps one outside the database can later prove that the log was neither changed
nor shortened.
"""

from typing import TYPE_CHECKING

from msgspec import Struct

from fairlead.audit.malformed import Malformed
from fairlead.audit.note import (
    DECIMAL,
    check_name,
    decode,
    encode,
    is_signed_by,
    malformed,
    parse_verifier,
    sign_note,
    split_note,
    verifier_key,
    verifier_name,
)
from fairlead.audit.succession import Ring, ring_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = [
    "Checkpoint",
    "extensions_of",
    "parse_checkpoint",
    "sign_checkpoint",
    "verifier_key",
    "verifier_name",
    "verify_checkpoint",
]


class Checkpoint(Struct, frozen=True):
    """What a checkpoint says. Trust it only where `verify_checkpoint` returned it."""

    origin: str
    size: int
    root: bytes


def sign_checkpoint(
    origin: str, size: int, root: bytes, private_key: "Ed25519PrivateKey", extensions: tuple[str, ...] = ()
) -> str:
    """The checkpoint of a log with this size and root, signed under the log's own name. Raises Malformed.

    `extensions` are further lines that the signature covers.
    """
    check_name(origin)
    if size < 0 or len(root) != 32:
        raise Malformed(f"no checkpoint over {size} records with a root of {len(root)} bytes")
    text = "".join(f"{line}\n" for line in (origin, size, encode(root), *extensions))
    return sign_note(text, origin, private_key)


def parse_checkpoint(text: str) -> Checkpoint:
    """What a checkpoint says, its signatures unchecked. Raises Malformed."""
    return _parse_body(split_note(text).text)


def extensions_of(text: str) -> tuple[str, ...]:
    """The lines of a checkpoint that follow its root. Raises Malformed."""
    return tuple(split_note(text).text[:-1].split("\n")[3:])


def verify_checkpoint(text: str, key: str | Ring) -> Checkpoint:
    """What a checkpoint says, once the verifier key has confirmed that its log said so. Raises Malformed.

    Of several keys that followed one another the one must have signed that spoke for a log of this size. Signatures of
    other keys, such as witnesses, are passed over, as C2SP asks; a false one by this key is final.
    """
    ring = ring_of(key) if isinstance(key, str) else key
    note = split_note(text)
    checkpoint = _parse_body(note.text)
    if checkpoint.origin != ring.name:
        raise malformed(f"it speaks for the log {checkpoint.origin!r}, not {ring.name!r}")
    keys = ring.at(checkpoint.size)
    if not sum(is_signed_by(note, parse_verifier(each)) for each in keys):
        names = " or ".join(each.rpartition("+")[0] for each in keys)
        if any(is_signed_by(note, parse_verifier(each.key)) for each in ring.keys):
            raise malformed(
                f"it is signed by a key that did not speak for a log of {checkpoint.size} records: {names} did"
            )
        raise malformed(f"the key {names} did not sign it")
    return checkpoint


def _parse_body(body: str) -> Checkpoint:
    origin, *rest = body[:-1].split("\n")
    if not origin or len(rest) < 2 or not all(rest):
        raise malformed("its text needs three lines: origin, size, root")
    size, root = rest[:2]
    if not DECIMAL.fullmatch(size):
        raise malformed("its size is not a plain decimal number")
    checkpoint = Checkpoint(origin, int(size), decode(root))
    if len(checkpoint.root) != 32:
        raise malformed("its root is not a SHA-256 hash")
    return checkpoint
