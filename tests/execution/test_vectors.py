"""Vectors are looked at before they count, and what the provider has worked on is known for the bill."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.calls import MODEL

from fairlead.errors import Upstream
from fairlead.execution.vectors import Vectors, batches
from fairlead.models.embedding import EmbedCall, Embeddings
from fairlead.models.types import Usage


class Answers:
    """A driver that gives what it was told to, or raises it."""

    def __init__(self, *answers: Embeddings | Upstream) -> None:
        self._answers = list(answers)

    async def embed(self, call: EmbedCall) -> Embeddings:
        answer = self._answers.pop(0)
        if isinstance(answer, Upstream):
            raise answer
        return answer


def call(*texts: str) -> EmbedCall:
    return EmbedCall(
        model=MODEL, texts=list(texts), dimensions=None, purpose=None, user=None, deadline=1, idempotency_key="k"
    )


def begun() -> Vectors:
    vectors = Vectors(None)
    vectors.begin(MODEL)
    return vectors


@pytest.mark.parametrize(("charged", "more"), [("no", 0), ("part", 1), ("unknown", 1)])
async def test_what_a_provider_refused_is_not_counted_and_what_it_may_have_done_is(charged: str, more: int) -> None:
    vectors = begun()
    answers = Answers(Embeddings([[1.0]], Usage(input=5)), Upstream("no", charged=charged))
    await vectors.fetch(answers, call("one"))
    with pytest.raises(Upstream):
        await vectors.fetch(answers, call("four"))
    assert vectors.usage_so_far() == Usage(input=5 + more, estimated=bool(more))


@pytest.mark.parametrize("odd", [[], [[]], [[1.0], [1.0, 2.0]], [[], [1.0]]])
async def test_vectors_that_cannot_be_compared_are_refused_and_billed(odd: list[list[float]]) -> None:
    vectors = begun()
    with pytest.raises(Upstream) as caught:
        await vectors.fetch(Answers(Embeddings(odd, Usage(input=3))), call("a", "b"))
    assert (caught.value.charged, vectors.usage_so_far().input) == ("part", 3)
    assert vectors.values == []


async def test_a_later_batch_of_another_length_is_refused() -> None:
    vectors = begun()
    answers = Answers(Embeddings([[1.0, 2.0]], None), Embeddings([[1.0]], None))
    await vectors.fetch(answers, call("a"))
    with pytest.raises(Upstream, match="cannot read"):
        await vectors.fetch(answers, call("b"))


@given(st.lists(st.text(max_size=3), max_size=30), st.integers(1, 7))
def test_batches_hold_every_text_once_and_in_order(texts: list[str], most: int) -> None:
    made = list(batches(texts, most))
    assert [text for batch in made for text in batch] == texts
    assert all(0 < len(batch) <= most for batch in made)
