"""The words of a file: PDF, DOCX, Markdown or text. Nothing is made of them here, and nothing of them is believed."""

import base64
import binascii
from typing import Any

from fairlead.context.sources.documents import Converter
from fairlead.context.sources.types import Failure
from fairlead.tools import ToolError

_MOST_BYTES = 8 << 20
_MOST_LETTERS = 400_000  # some two hundred pages


def words(document: dict[str, Any]) -> dict[str, str]:
    """The name and the text of a file as `fairlead workflow run --file` brings it. Refuses what cannot be read."""
    name = str(document.get("name", "the file"))
    try:
        content = base64.b64decode(str(document.get("base64", "")), validate=True)
    except (binascii.Error, ValueError):
        raise ToolError(f"{name} did not arrive whole: it is no base64") from None
    if not content:
        raise ToolError(f"{name} is empty")
    if len(content) > _MOST_BYTES:
        raise ToolError(f"{name} has more than {_MOST_BYTES >> 20} MiB: bring the contract without its annexes")
    text = _text(name, content)
    if len(text) > _MOST_LETTERS or len(text.encode()) > 2 * _MOST_LETTERS:
        raise ToolError(f"{name} has {len(text):,} letters, and {_MOST_LETTERS:,} are the most of one review: split it")
    return {"name": name, "text": text}


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
        raise ToolError(
            f"{name} is neither PDF, DOCX nor text in UTF-8: save it as one of these, a .doc of old Word too"
        ) from None


def _kind(name: str, content: bytes) -> str:
    """By what a file begins with; a name that says something else is no mistake to pass over."""
    ending = name.lower()[name.rfind(".") :] if "." in name else ""
    if b"%PDF-" in content[:1024]:
        return ".pdf"
    if content.startswith(b"PK\x03\x04"):
        return ".docx"
    if ending in (".pdf", ".docx"):
        raise ToolError(
            f"{name} is called {ending[1:].upper()} and is none: a page that told of an error, perhaps; bring it anew"
        )
    return ""
