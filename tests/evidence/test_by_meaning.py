"""What a small model's vectors add to the check, with a reader that knows three meanings."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.context import Context
from fairlead.evidence import Reader, answerable
from fairlead.evidence.answerable import MOST_READ, learned
from fairlead.evidence.by_meaning import MOST_SENTENCES, meaning_measures
from fairlead.models.sentence_encoder import Reading
from fairlead.models.types import Passage

MEANT = {"leave": 0, "holiday": 0, "lamp": 1, "light": 1, "salary": 2}
QUESTION = "Who approves a holiday?"


class Toy:
    """Counts what it reads."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def read(self, texts: Sequence[str]) -> list[Reading]:
        self.texts += texts
        return [self._read(text.lower().replace(".", " .").replace("?", " ?").split()) for text in texts]

    def _read(self, pieces: list[str]) -> Reading:
        rows = np.zeros((len(pieces), 5), dtype=np.float32)
        for row, piece in zip(rows, pieces, strict=True):
            row[MEANT.get(piece, 3 + len(piece) % 2)] = 1
        whole = rows.sum(axis=0) + np.float32(0.01)
        return Reading(tuple(pieces), np.ones(len(pieces), np.float32), rows, rows, whole / np.linalg.norm(whole))


def measured(question: str, *sentences: str) -> dict[str, float]:
    (asked,) = Toy().read([question])
    return meaning_measures(asked, Toy().read(sentences), 0)


def test_another_word_for_the_same_holds_what_is_asked() -> None:
    near = measured("a holiday", "Ann grants leave.", "The lamp is new.")
    far = measured("a holiday", "The lamp is new.", "The salary is due.")
    assert near["meant_best"] == 1 > far["meant_best"]
    assert near["near_best"] > far["near_best"]
    assert near["near_agrees"] == 1


def test_the_weights_are_of_these_measures() -> None:
    weights = learned()
    known = set(measured("a", "b")) | set(weights.question.measures)
    assert set(weights.question_by_meaning.measures) == known


def test_only_the_nearest_passages_and_sentences_are_read() -> None:
    toy: Toy = Toy()
    reader: Reader = toy
    text = " ".join(f"Ann approves a holiday of {number} long and sunny days by the sea." for number in range(40))
    answerable(QUESTION, [Passage(f"page{n}@0123456789ab", "", text) for n in range(9)], reader)
    assert len([each for each in toy.texts if each != QUESTION]) == MOST_READ * MOST_SENTENCES


def test_a_workspace_without_the_model_has_no_reader() -> None:
    assert Context().reader is None


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3))
@settings(max_examples=15, deadline=None)
def test_any_text_gets_a_score(question: str, texts: list[str]) -> None:
    found = answerable(question, [Passage("page@0123456789ab", "", text) for text in texts], Toy())
    assert 0 <= found.score <= 1
