"""Writers come one after the other in a fair order; one that was stopped in its turn stops nobody for good."""

import threading
from pathlib import Path

from fairlead.storage.turn import Turn, in_turn


def test_one_has_the_turn_and_the_next_one_waits(tmp_path: Path) -> None:
    first, order = Turn(tmp_path), []
    first.take()

    def second() -> None:
        with in_turn(tmp_path, patience=30):
            order.append("second")

    waiting = threading.Thread(target=second)
    waiting.start()
    waiting.join(0.05)
    order.append("first")
    first.give()
    waiting.join()
    assert order == ["first", "second"]
    assert first.is_free()
    first.end()


def test_after_its_patience_a_writer_goes_on_out_of_turn_and_leaves_nothing_taken(tmp_path: Path) -> None:
    stopped = Turn(tmp_path)
    stopped.take()
    with in_turn(tmp_path, patience=0.01):
        pass
    stopped.give()
    for thread in threading.enumerate():
        if thread.name == "fairlead-turn":
            thread.join()
    assert stopped.is_free()
    stopped.end()


def test_a_turn_is_given_back_when_the_block_fails(tmp_path: Path) -> None:
    try:
        with in_turn(tmp_path, patience=1):
            raise KeyError
    except KeyError:
        pass
    other = Turn(tmp_path)
    assert other.is_free()
    other.end()
