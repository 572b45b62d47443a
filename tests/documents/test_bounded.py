"""A program with bounds, and what becomes of it where an answer and the end of patience come together."""

import pytest

from fairlead.documents import bounded
from fairlead.documents.bounded import Bounded


def test_after_an_answer_in_the_last_moment_another_process_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with Bounded("tests.documents.endless", patience=60.0) as program:
        with monkeypatch.context() as slow:
            slow.setattr(bounded, "_exchanged", lambda process, message: str(process.wait()).encode())
            slow.setattr(program, "_patience", 0.01)
            assert program.asked(b"say") == b"-9"
        assert program.asked(b"say") == b"said"
