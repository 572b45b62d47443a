"""The audit export: one file that proves a log to somebody who has nothing else.

Lines of JSON. A header (format, origin, verifier key); then the log, one line per record with its leaf hash, and each
checkpoint on its own line right after the last record that it covers; then `{"end":N}`. A record stands in its line
byte for byte as it was hashed, so every line has exactly one spelling and anything else is a finding.
"""

import sys
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from hashlib import sha256
from re import DOTALL
from re import compile as pattern
from typing import Any, BinaryIO, Final

import msgspec
from msgspec import Struct

from fairlead.audit.canonical import NotCanonical, canonical
from fairlead.audit.checkpoint import parse_checkpoint, verifier_name
from fairlead.audit.malformed import Malformed

FORMAT: Final = "fairlead-audit/1"
_RECORD: Final = pattern(
    rb'\{"seq":(0|[1-9][0-9]{0,18}),"leaf":"([0-9a-f]{64})",(?:"record":(\{.*\})|"bytes":"([A-Za-z0-9+/=]*)")\}', DOTALL
)


class Header(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The first line: which log this is, and whose signature to expect: of the key that signs now, and of those that it
    has followed."""

    format: str
    origin: str
    verifier_key: str
    successions: tuple[str, ...] = ()


class Record(Struct, frozen=True):
    """A line of the log: its index, the leaf hash written beside it, the record itself."""

    seq: int
    leaf: bytes
    text: bytes


class Note(Struct, frozen=True, forbid_unknown_fields=True):
    """A line that holds a checkpoint."""

    checkpoint: str


class End(Struct, frozen=True, forbid_unknown_fields=True):
    """The last line: how many records were written."""

    end: int


_OTHERS: Final[tuple[type[Note] | type[End] | type[Header], ...]] = (Note, End, Header)


def write_export(
    records: Iterable[tuple[int, bytes]],
    checkpoints: Iterable[str],
    verifier_key: str,
    out: BinaryIO,
    successions: tuple[str, ...] = (),
) -> int:
    """Write a log as an audit export and return how many records it has.

    `records` are (index from 0, record) in the log's order. It reports nothing: what is wrong with the log must reach
    the file as it is, for `verify_export` to find. Raises Malformed if the verifier key is malformed.
    """
    header = Header(FORMAT, verifier_name(verifier_key), verifier_key, successions)
    out.write(_line(msgspec.to_builtins(header)))
    count, waiting = 0, in_order(checkpoints)
    for seq, record in records:
        while waiting and waiting[-1][0] <= count:
            out.write(_line({"checkpoint": waiting.pop()[1]}))
        out.write(_record_line(seq, record))
        count += 1
    while waiting:
        out.write(_line({"checkpoint": waiting.pop()[1]}))
    out.write(_line({"end": count}))
    return count


def in_order(checkpoints: Iterable[str]) -> list[tuple[int, str]]:
    """Checkpoints with the sizes that they state, smallest last, to be popped as a log grows past them.

    One that cannot be read counts as larger than any log, so that it comes out at the end and is not lost.
    """
    return sorted(((_size_of(text), text) for text in checkpoints), reverse=True)


def read_line(line: bytes) -> Header | Record | Note | End | None:
    """What a line of an export says, or None if it is no line that `write_export` can have written."""
    matched = _RECORD.fullmatch(line)
    if matched:
        return _read_record(*matched.groups())
    for kind in _OTHERS:
        try:
            read = msgspec.json.decode(line, type=kind)
            if canonical(msgspec.to_builtins(read)) == line:
                return read
        except (msgspec.DecodeError, UnicodeDecodeError, NotCanonical):
            continue
    return None


def _read_record(seq: bytes, leaf: bytes, text: bytes | None, coded: bytes | None) -> Record | None:
    if text is None:
        try:
            text = b64decode(coded or b"", validate=True)
        except NotBase64:
            return None
        if b64encode(text) != coded or _is_plain(text):
            return None
    return Record(int(seq), bytes.fromhex(leaf.decode()), text)


def _record_line(seq: int, record: bytes) -> bytes:
    leaf = sha256(b"\x00" + record).hexdigest().encode()
    shown = b'"record":' + record if _is_plain(record) else b'"bytes":"' + b64encode(record) + b'"'
    return b'{"seq":%d,"leaf":"%b",%b}\n' % (seq, leaf, shown)


def _is_plain(record: bytes) -> bool:
    """Can the record stand in a line as it is? One that somebody damaged may not; it is then written in base64."""
    if record[:1] != b"{" or record[-1:] != b"}" or b"\n" in record:
        return False
    try:
        record.decode()
        msgspec.json.decode(record, type=msgspec.Raw)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return False
    return True


def _size_of(checkpoint: str) -> int:
    try:
        return parse_checkpoint(checkpoint).size
    except Malformed:
        return sys.maxsize


def _line(value: dict[str, Any]) -> bytes:
    return canonical(value) + b"\n"
