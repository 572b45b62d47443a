"""Signed notes (C2SP signed-note): a short text, a blank line, one line per signature; and keys that check them.

A verifier key reads NAME+KEYID+BASE64. What a note's text says is for others to know: `checkpoint`, `succession`.
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

DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")
"""How a note writes a number: in one way, and no larger than 64 bits hold."""

_ED25519: Final = b"\x01"
_DASH: Final = "\N{EM DASH} "
_MOST_TEXT: Final = 1 << 20
_NO_TEXT: Final = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_NO_NAME: Final = re.compile(r"[\s+]")
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}")


class Verifier(Struct, frozen=True):
    """A verifier key, taken apart."""

    name: str
    key_id: bytes
    public: bytes


class Signed(Struct, frozen=True):
    """A note taken apart; nothing is checked. Each signature is name, key id and signature proper."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


def verifier_key(name: str, public_key: "Ed25519PublicKey") -> str:
    """The text that a verifier is given: NAME+KEYID+BASE64 (C2SP signed-note). Raises Malformed for an unfit name."""
    check_name(name)
    public = public_key.public_bytes_raw()
    return f"{name}+{_key_id(name, public).hex()}+{encode(_ED25519 + public)}"


def verifier_name(key: str) -> str:
    """The log that a verifier key speaks for. Raises Malformed if the key is malformed."""
    return parse_verifier(key).name


def parse_verifier(key: str) -> Verifier:
    """Raises Malformed."""
    name, _, rest = key.partition("+")
    key_id, _, coded = rest.partition("+")
    try:
        blob = decode(coded)
    except Malformed:
        blob = b""
    public = blob[1:]
    if not (_is_name(name) and _KEY_ID.fullmatch(key_id) and blob[:1] == _ED25519 and len(public) == 32):
        raise Malformed("the verifier key is malformed", mend="it reads NAME+KEYID+BASE64: copy it whole")
    if _key_id(name, public).hex() != key_id:
        raise Malformed("the verifier key's id does not fit its name and key", mend="copy it whole, without changes")
    return Verifier(name, bytes.fromhex(key_id), public)


def sign_note(text: str, name: str, *private_keys: "Ed25519PrivateKey") -> str:
    """The text, signed under this name by each key. It must end with a line break."""
    lines = []
    for key in private_keys:
        key_id = _key_id(name, key.public_key().public_bytes_raw())
        lines.append(f"{_DASH}{name} {encode(key_id + key.sign(text.encode()))}\n")
    return f"{text}\n{''.join(lines)}"


def split_note(text: str) -> Signed:
    """The signed text and its signatures. Raises Malformed."""
    if len(text) > _MOST_TEXT or _NO_TEXT.search(text):
        raise malformed("it is too long, or holds control characters")
    body, blank, tail = text.rpartition("\n\n")
    if not body or not blank or not tail.endswith("\n"):
        raise malformed("a blank line and a signature must follow its text")
    return Signed(body + "\n", tuple(_parse_signature(line) for line in tail[:-1].split("\n")))


def is_signed_by(note: Signed, verifier: Verifier) -> bool:
    """Did this key sign it? A false signature under its name and id is final. Raises Malformed for such a one."""
    ours = [
        signature for name, key_id, signature in note.signatures if (name, key_id) == (verifier.name, verifier.key_id)
    ]
    for signature in ours:
        _check_signature(verifier.public, signature, note.text)
    return bool(ours)


def _check_signature(public: bytes, signature: bytes, text: str) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text.encode())
    except InvalidSignature:
        raise malformed("its signature is false") from None


def _parse_signature(line: str) -> tuple[str, bytes, bytes]:
    name, space, coded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not _is_name(name):
        raise malformed("a signature line must read: em dash, key name, base64")
    blob = decode(coded)
    if len(blob) < 5:
        raise malformed("a signature is too short")
    return name, blob[:4], blob[4:]


def _key_id(name: str, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _is_name(name: str) -> bool:
    return bool(name) and not _NO_NAME.search(name) and not _NO_TEXT.search(name)


def check_name(name: str) -> None:
    """Raises Malformed for what cannot name a log."""
    if not _is_name(name):
        raise Malformed(
            f"{name!r} cannot name a log",
            why="C2SP key names have no spaces, plus signs or control characters",
            mend="use a name such as example.com/fairlead",
        )


def encode(data: bytes) -> str:
    """Base64."""
    return b64encode(data).decode()


def decode(text: str) -> bytes:
    """Base64 in its one proper spelling: two texts must never stand for the same bytes. Raises Malformed."""
    try:
        data = a2b_base64(text, strict_mode=True)
    except (NotBase64, ValueError):
        data = b""
    if not data or encode(data) != text:
        raise malformed("it holds something that is not base64")
    return data


def malformed(reason: str) -> Malformed:
    """What a note is that is none, or that nobody known has signed."""
    return Malformed(
        f"the checkpoint does not hold: {reason}",
        mend="give it whole, as it was written; if it is, the log or the key is not the one that it speaks for",
    )
