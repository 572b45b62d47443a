"""Contracts as files: PDF, DOCX, Markdown or text. What they say are the words of outsiders, and stays labelled so."""

import base64
import binascii
import re
import unicodedata
from typing import Annotated

from msgspec import Struct

from fairlead.context.sources.documents import Converter
from fairlead.context.sources.types import Failure
from fairlead.tools import ToolError

READS = {"read"}

_MOST_BYTES = 8 << 20
_MOST_LETTERS = 400_000  # some two hundred pages


class Document(Struct, frozen=True):
    """A file as `fairlead workflow run --file` brings it."""

    name: str
    base64: str
    sha256: str = ""


class Words(Struct, frozen=True):
    """What a document says. Lines are kept; nothing is reworded."""

    name: str
    text: str


def read(document: Annotated[Document, "The contract: its name, and its content in base64."]) -> Words:
    """The words of a contract. Refuses what holds none, and what is too long to be one contract."""
    try:
        content = base64.b64decode(document.base64, validate=True)
    except (binascii.Error, ValueError):
        raise ToolError(f"{document.name} did not arrive whole: it is no base64") from None
    if len(content) > _MOST_BYTES:
        raise ToolError(
            f"{document.name} has more than {_MOST_BYTES >> 20} MiB: bring the contract without its annexes"
        )
    text = _clean(_text(document.name, content))
    if not re.search(r"[^\W\d_]{2}", text):
        raise ToolError(f"{document.name} holds no text: of a scan, bring the file that it was printed from")
    if len(text) > _MOST_LETTERS:
        raise ToolError(
            f"{document.name} has {len(text):,} letters, and {_MOST_LETTERS:,} are the most of one review: split it"
        )
    return Words(document.name, text)


def _text(name: str, content: bytes) -> str:
    kind = _kind(name, content)
    if kind:
        with Converter() as converter:
            said = converter.read(kind, content)
        if isinstance(said, Failure):
            raise ToolError(f"{name} cannot be read: {said.why}" + (f"; {said.mend}" if said.mend else ""))
        return said.body
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ToolError(f"{name} is neither PDF, DOCX nor text in UTF-8") from None


def _kind(name: str, content: bytes) -> str:
    if content.startswith(b"%PDF-"):
        return ".pdf"
    return ".docx" if content.startswith(b"PK\x03\x04") or name.lower().endswith(".docx") else ""


def _clean(text: str) -> str:
    """Without what nobody sees: control letters, marks of direction, spaces without width. Lines end alike."""
    plain = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    return "".join(
        each for each in plain if each in "\n\t" or unicodedata.category(each) not in ("Cc", "Cf", "Co", "Cs")
    )
