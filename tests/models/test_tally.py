import pytest
from tests.models.calls import a_call

from fairlead.errors import CutOff, Upstream
from fairlead.models.tally import Tally
from fairlead.models.types import Chunk, ToolCallDelta, Usage


def tallied(*chunks: Chunk, usage: Usage | None = None) -> Tally:
    tally = Tally(a_call(size=101))
    for chunk in chunks:
        tally.count(chunk)
    tally.usage = usage
    return tally


@pytest.mark.parametrize(
    ("chunks", "complete"),
    [
        ([], False),
        ([Chunk("a")], False),
        ([Chunk("a"), Chunk(finish="stop")], True),
        ([Chunk("a"), Chunk("b", 1), Chunk(finish="stop")], False),
        ([Chunk("a"), Chunk("b", 1), Chunk(finish="stop"), Chunk(index=1, finish="length")], True),
        ([Chunk("a", finish="stop"), Chunk("late")], True),
    ],
)
def test_a_reply_is_complete_when_every_choice_that_began_has_finished(chunks: list[Chunk], complete: bool) -> None:
    assert tallied(*chunks).is_complete is complete


def test_what_nobody_counted_is_estimated_from_bytes() -> None:
    tally = tallied(
        Chunk("häfen"), Chunk(reasoning="ab", refusal="c"), Chunk(tool_calls=(ToolCallDelta(0, "i", "f", "{}"),))
    )
    assert tally.bill() == Usage(input=26, output=3, estimated=True)


def test_the_providers_count_is_taken_as_it_is() -> None:
    assert tallied(Chunk("x" * 400), usage=Usage(7, 1)).bill() == Usage(7, 1)


def test_half_a_count_is_completed() -> None:
    started = Usage(7, 1, cached_input=2, estimated=True)
    assert tallied(Chunk("x" * 400), usage=started).bill() == Usage(7, 100, cached_input=2, estimated=True)


def test_an_error_becomes_a_cut_once_something_was_handed_on() -> None:
    error = Upstream("broke off", why="it did")
    assert tallied().interrupted(error) is error
    cut = tallied(Chunk("a")).interrupted(error)
    assert type(cut) is CutOff
    assert cut.charged == "part"
    assert tallied(Chunk("a")).interrupted(cut) is cut
