"""An invoice out of a PDF file: read by a process with bounds, which `main` is."""

import importlib.util
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.documents.bounded import Bounded, Ended, answer_all
from fairlead.documents.invoice import Invoice, invoice_of
from fairlead.documents.pdf import pages_of
from fairlead.documents.types import LARGEST, Unread


class _Asked(Struct, frozen=True):
    document: bytes
    house: tuple[str, ...]


_encode: Final = msgspec.msgpack.Encoder().encode
_asked: Final = msgspec.msgpack.Decoder(_Asked)
_answer: Final = msgspec.msgpack.Decoder(tuple[Invoice | None, Unread | None])


def read_invoice(document: bytes, house: Iterable[str] = ()) -> Invoice | Unread:
    """The fields of a PDF file. `house` are one's own names, which are never the supplier's. Takes a moment: a
    process reads it, and is ended when the file is too much for it."""
    if importlib.util.find_spec("pypdfium2") is None:
        mend = "pip install 'fairlead[documents]'"
        return Unread(kind="missing", why="reading PDF files needs more than is installed", mend=mend)
    if len(document) > LARGEST:
        return Unread(kind="too_large", why=f"it has more than {LARGEST >> 20} MiB", mend="split it")
    with Bounded(__name__) as program:
        try:
            found, unread = _answer.decode(program.asked(_encode(_Asked(document, tuple(house)))))
        except Ended as ended:
            why = "reading it takes too long" if ended.late else "it takes more time or memory than a document may"
            return Unread(kind="too_large", why=why, mend="have a person read it")
    return found if found is not None else unread or Unread(kind="damaged", why="it says nothing", mend="read it")


def main() -> None:
    """Answer until there is nothing more to read."""
    answer_all(lambda message: _encode(_read(_asked.decode(message))))


def _read(asked: _Asked) -> tuple[Invoice | None, Unread | None]:
    pages = pages_of(asked.document)
    return (None, pages) if isinstance(pages, Unread) else (invoice_of(pages, asked.house), None)
