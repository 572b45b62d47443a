"""The program that reads documents: a process of its own with bounds on time and memory, which opens no file, knows no
secret and is ended when a document is too much for it.

It gets documents on its standard input, one after another, and answers each on its standard output: what it said, or
why not. What is thrown in an unforeseen way ends it, and whoever waits starts another one.
"""

import logging
import resource
import struct
import sys
import zipfile
import zlib
from typing import Final

import msgspec

from fairlead.context.sources.reading import Said
from fairlead.context.sources.types import Failure

SECONDS: Final = 30
_MEMORY: Final = 1 << 30
HEADER: Final = struct.Struct(">BQ")  # 0 for .pdf, 1 for .docx; how many bytes follow
LENGTH: Final = struct.Struct(">Q")
KINDS: Final = (".pdf", ".docx")


def main() -> None:
    """Answer until there is nothing more to read."""
    logging.disable(logging.CRITICAL)  # libraries tell of every oddity
    _bound()
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    while head := given.read(HEADER.size):
        kind, length = HEADER.unpack(head)
        _bound_time()
        answer = msgspec.msgpack.encode(_answer(KINDS[kind], given.read(length)))
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


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
    except (PyPdfError, zipfile.BadZipFile, zlib.error, SyntaxError, KeyError, ValueError, TypeError) as error:
        return _damaged(error)
    except (AttributeError, IndexError, ArithmeticError, OSError, NotImplementedError) as error:
        return _damaged(error)


def _damaged(error: BaseException) -> Failure:
    said = " ".join(str(error).split())[:200]
    mend = "open it with the program that it is from, and save it anew"
    return Failure(why=f"it is damaged: {said}" if said else "it is damaged", mend=mend)


def _bound() -> None:
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _, hard = resource.getrlimit(what)
        try:
            resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
        except (ValueError, OSError):  # a system that does not bound this
            continue


def _bound_time() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + SECONDS + 1, hard))
