"""Checkpoints: the signed statement "the log named O has N records and this root" (C2SP tlog-checkpoint).

A checkpoint is a C2SP signed note: a short text, a blank line, one line per signature. Whoever keeps one outside the
database can later prove that the log was neither changed nor shortened.
"""

import re
from base64 import b64encode
from binascii import Error as NotBase64
from binascii import a2b_base64
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from fairlead.audit.malformed import Malformed

if TYPE_CHECKING:  # loading the cryptography library costs more than the rest of this package together
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_ED25519: Final = b"\x01"
_DASH: Final = "\N{EM DASH} "
_MOST_TEXT: Final = 1 << 20
_NO_TEXT: Final = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_NO_NAME: Final = re.compile(r"[\s+]")
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}")


class Checkpoint(Struct, frozen=True):
    """What a checkpoint says. Trust it only where `verify_checkpoint` returned it."""

    origin: str
    size: int
    root: bytes


class _Verifier(Struct, frozen=True):
    name: str
    key_id: bytes
    public: bytes


def verifier_key(name: str, public_key: "Ed25519PublicKey") -> str:
    """The text that a verifier is given: NAME+KEYID+BASE64 (C2SP signed-note). Raises Malformed for an unfit name."""
    _check_name(name)
    public = public_key.public_bytes_raw()
    return f"{name}+{_key_id(name, public).hex()}+{_encode(_ED25519 + public)}"


def verifier_name(key: str) -> str:
    """The log that a verifier key speaks for. Raises Malformed if the key is malformed."""
    return _parse_verifier(key).name


def sign_checkpoint(origin: str, size: int, root: bytes, private_key: "Ed25519PrivateKey") -> str:
    """The checkpoint of a log with this size and root, signed under the log's own name. Raises Malformed."""
    _check_name(origin)
    if size < 0 or len(root) != 32:
        raise Malformed(f"no checkpoint over {size} records with a root of {len(root)} bytes")
    text = f"{origin}\n{size}\n{_encode(root)}\n"
    key_id = _key_id(origin, private_key.public_key().public_bytes_raw())
    return f"{text}\n{_DASH}{origin} {_encode(key_id + private_key.sign(text.encode()))}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """What a checkpoint says, its signatures unchecked. Raises Malformed."""
    return _parse_body(_split_note(text)[0])


def verify_checkpoint(text: str, key: str) -> Checkpoint:
    """What a checkpoint says, once the verifier key has confirmed that its log said so. Raises Malformed.

    Signatures of other keys (witnesses, older keys) are passed over, as C2SP asks; a false one by this key is final.
    """
    verifier = _parse_verifier(key)
    body, signatures = _split_note(text)
    checkpoint = _parse_body(body)
    if checkpoint.origin != verifier.name:
        raise _malformed(f"it speaks for the log {checkpoint.origin!r}, not {verifier.name!r}")
    ours = [signature for name, key_id, signature in signatures if (name, key_id) == (verifier.name, verifier.key_id)]
    if not ours:
        raise _malformed(f"the key {verifier.name}+{verifier.key_id.hex()} did not sign it")
    for signature in ours:
        _check_signature(verifier.public, signature, body)
    return checkpoint


def _check_signature(public: bytes, signature: bytes, body: str) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, body.encode())
    except InvalidSignature:
        raise _malformed("its signature is false") from None


def _split_note(text: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """The signed text, and each signature as name, key id and signature proper."""
    if len(text) > _MOST_TEXT or _NO_TEXT.search(text):
        raise _malformed("it is too long, or holds control characters")
    body, blank, tail = text.rpartition("\n\n")
    if not body or not blank or not tail.endswith("\n"):
        raise _malformed("a blank line and a signature must follow its text")
    return body + "\n", [_parse_signature(line) for line in tail[:-1].split("\n")]


def _parse_signature(line: str) -> tuple[str, bytes, bytes]:
    name, space, coded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not _is_name(name):
        raise _malformed("a signature line must read: em dash, key name, base64")
    blob = _decode(coded)
    if len(blob) < 5:
        raise _malformed("a signature is too short")
    return name, blob[:4], blob[4:]


def _parse_body(body: str) -> Checkpoint:
    origin, *rest = body[:-1].split("\n")
    if not origin or len(rest) < 2 or not all(rest):
        raise _malformed("its text needs three lines: origin, size, root")
    size, root = rest[:2]
    if not _DECIMAL.fullmatch(size):
        raise _malformed("its size is not a plain decimal number")
    checkpoint = Checkpoint(origin, int(size), _decode(root))
    if len(checkpoint.root) != 32:
        raise _malformed("its root is not a SHA-256 hash")
    return checkpoint


def _parse_verifier(key: str) -> _Verifier:
    name, _, rest = key.partition("+")
    key_id, _, coded = rest.partition("+")
    try:
        blob = _decode(coded)
    except Malformed:
        blob = b""
    public = blob[1:]
    if not (_is_name(name) and _KEY_ID.fullmatch(key_id) and blob[:1] == _ED25519 and len(public) == 32):
        raise Malformed("the verifier key is malformed", mend="it reads NAME+KEYID+BASE64: copy it whole")
    if _key_id(name, public).hex() != key_id:
        raise Malformed("the verifier key's id does not fit its name and key", mend="copy it whole, without changes")
    return _Verifier(name, bytes.fromhex(key_id), public)


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _is_name(name: str) -> bool:
    return bool(name) and not _NO_NAME.search(name) and not _NO_TEXT.search(name)


def _check_name(name: str) -> None:
    if not _is_name(name):
        raise Malformed(
            f"{name!r} cannot name a log",
            why="C2SP key names have no spaces, plus signs or control characters",
            mend="use a name such as example.com/fairlead",
        )


def _encode(data: bytes) -> str:
    return b64encode(data).decode()


def _decode(text: str) -> bytes:
    """Base64 in its one proper spelling: two texts must never stand for the same bytes."""
    try:
        data = a2b_base64(text, strict_mode=True)
    except (NotBase64, ValueError):
        data = b""
    if not data or _encode(data) != text:
        raise _malformed("it holds something that is not base64")
    return data


def _malformed(reason: str) -> Malformed:
    return Malformed(
        f"the checkpoint does not hold: {reason}",
        mend="give it whole, as it was written; if it is, the log or the key is not the one that it speaks for",
    )
