"""PDF and DOCX files, read by a process of their own that is started when the first one comes."""

import contextlib
import importlib.util
import select
import subprocess
import sys
from types import TracebackType
from typing import Final, Self

from fairlead.context.sources.converting import HEADER, KINDS, LENGTH, SECONDS, decode
from fairlead.context.sources.reading import Said
from fairlead.context.sources.types import Failure

_PROGRAM: Final = "import sys; sys.path[:] = sys.argv[1:]; from fairlead.context.sources.converting import main; main()"
_NEEDED: Final = {".pdf": "pypdf", ".docx": "docx"}
_PATIENCE: Final = SECONDS + 15.0  # seconds of the wall clock
_MOST_ANSWER: Final = 32 << 20


class Converter:
    """Reads documents one after another. One that takes too much time or memory ends the process, and nothing else."""

    def __init__(self, patience: float = _PATIENCE) -> None:
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def read(self, kind: str, data: bytes) -> Said | Failure:
        if importlib.util.find_spec(_NEEDED[kind]) is None:
            return Failure(
                why=f"reading {kind} files needs more than is installed",
                mend="pip install 'fairlead[documents]'",
                lasting=False,
            )
        answer = self._asked(kind, data)
        return answer if isinstance(answer, Failure) else decode(answer)

    def _asked(self, kind: str, data: bytes) -> bytes | Failure:
        if self._process is None:
            arguments = [sys.executable, "-c", _PROGRAM, *sys.path]
            self._process = subprocess.Popen(
                arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(HEADER.pack(KINDS.index(kind), len(data)) + data)
            process.stdin.flush()
        if not select.select([process.stdout], [], [], self._patience)[0]:
            self._end()
            return Failure(why=f"reading it takes longer than {self._patience:.0f} s", mend="split it")
        head = process.stdout.read(LENGTH.size)
        length = LENGTH.unpack(head)[0] if len(head) == LENGTH.size else 0
        answer = process.stdout.read(length) if 0 < length <= _MOST_ANSWER else b""
        if not answer or len(answer) < length:
            self._end()
            mend = "open it with the program that it is from, and save it anew"
            return Failure(why="it takes more time or memory than a document may, or is damaged", mend=mend)
        return answer

    def _end(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(BrokenPipeError):
                        pipe.close()
