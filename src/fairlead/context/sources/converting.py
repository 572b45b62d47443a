"""The program that reads documents: `main` answers in a process with bounds (`documents/bounded.py`). A message is
the kind of document, one byte, and the document."""

import zipfile
import zlib
from typing import Final

import msgspec

from fairlead.context.sources.reading import Said
from fairlead.context.sources.types import Failure
from fairlead.documents.bounded import answer_all

KINDS: Final = (".pdf", ".docx")
_DAMAGED: Final = (
    zipfile.BadZipFile, zlib.error, SyntaxError, KeyError, IndexError, ValueError, TypeError, AttributeError,
    ArithmeticError, OSError, NotImplementedError,
)  # fmt: skip
"""What the libraries raise of a damaged document, beside errors of their own."""


def main() -> None:
    """Answer until there is nothing more to read."""
    answer_all(lambda message: msgspec.msgpack.encode(_answer(KINDS[message[0]], message[1:])))


def decode(answer: bytes) -> Said | Failure:
    """What the program's answer says."""
    said, failure = msgspec.msgpack.decode(answer, type=tuple[Said | None, Failure | None])
    return said if said is not None else failure or Failure(why="it says nothing")


def _answer(kind: str, data: bytes) -> tuple[Said | None, Failure | None]:
    found = convert(kind, data)
    return (None, found) if isinstance(found, Failure) else (found, None)


def convert(kind: str, data: bytes) -> Said | Failure:
    """What a document says. A damaged one is a failure; what nobody foresaw is raised."""
    from pypdf.errors import LimitReachedError, PyPdfError

    from fairlead.context.sources.docx import read_docx
    from fairlead.context.sources.pdf import read_pdf

    try:
        return read_pdf(data) if kind == ".pdf" else read_docx(data)
    except (MemoryError, LimitReachedError):
        return Failure(why="it unpacks to more than is taken", mend="save it anew with the program that it is from")
    except RecursionError:
        return Failure(why="it is nested too deep", mend="save it anew with the program that it is from")
    except (PyPdfError, *_DAMAGED) as error:
        return _damaged(error)


def _damaged(error: BaseException) -> Failure:
    said = " ".join(str(error).split())[:200]
    mend = "open it with the program that it is from, and save it anew"
    return Failure(why=f"it is damaged: {said}" if said else "it is damaged", mend=mend)
