"""A program that answers, takes more memory than it may, or stops in the middle of an answer."""

import sys
import time

from fairlead.documents.bounded import answer_all


def answer(message: bytes) -> bytes:
    if message == b"stall":
        sys.stdout.buffer.write(b"\0\0\0\0\0\0\0\x08half")
        sys.stdout.buffer.flush()
        time.sleep(60)
    return b"said" if message == b"say" else bytes(2 << 30)


def main() -> None:
    answer_all(answer)
