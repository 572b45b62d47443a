"""PDF and DOCX files, read by a process of their own that is started when the first one comes."""

import importlib.util
from types import TracebackType
from typing import Final, Self

from fairlead.context.sources.converting import KINDS, decode
from fairlead.context.sources.reading import Said
from fairlead.context.sources.types import Failure
from fairlead.documents.bounded import PATIENCE, Bounded, Ended

_NEEDED: Final = {".pdf": "pypdf", ".docx": "docx"}


class Converter:
    """Reads documents one after another. One that takes too much time or memory ends the process, and nothing else."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._program = Bounded("fairlead.context.sources.converting", patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._program.__exit__(kind, error, at)

    def read(self, kind: str, data: bytes) -> Said | Failure:
        """The text of one document (`kind` is of `KINDS`). A `Failure` where what reads it is not installed, where it
        takes too much time or memory, or where it is damaged."""
        if importlib.util.find_spec(_NEEDED[kind]) is None:
            return Failure(
                why=f"reading {kind} files needs more than is installed",
                mend="pip install 'fairlead[documents]'",
                lasting=False,
            )
        try:
            return decode(self._program.asked(bytes((KINDS.index(kind),)) + data))
        except Ended as ended:
            if ended.late:
                return Failure(why=f"reading it takes longer than {self._patience:.0f} s", mend="split it")
            mend = "open it with the program that it is from, and save it anew"
            return Failure(why="it takes more time or memory than a document may, or is damaged", mend=mend)
