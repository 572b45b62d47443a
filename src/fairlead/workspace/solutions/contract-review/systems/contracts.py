"""Contracts as texts. What they say are the words of outsiders, and stays labelled so: whoever has read one here is
known to have."""

import re
import unicodedata
from typing import Annotated

from msgspec import Struct

from fairlead.tools import ToolError

READS = {"read"}


class Document(Struct, frozen=True):
    """What a file says: `workflows/contract_words.py` makes this of PDF and DOCX."""

    name: str
    text: str


class Words(Struct, frozen=True):
    """What a document says. Lines are kept; nothing is reworded."""

    name: str
    text: str


def read(document: Annotated[Document, "The contract: its name, and its text."]) -> Words:
    """The words of a contract. Refuses what holds none."""
    text = _clean(document.text)
    if not re.search(r"[^\W\d_]{2}", text):
        raise ToolError(f"{document.name} holds no text: of a scan, bring the file that it was printed from")
    return Words(document.name, text)


def _clean(text: str) -> str:
    """Without what nobody sees: control letters, marks of direction, spaces without width. Lines end alike."""
    plain = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    return "".join(
        each for each in plain if each in "\n\t" or unicodedata.category(each) not in ("Cc", "Cf", "Co", "Cs")
    )
