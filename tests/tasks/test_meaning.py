"""Recognition by meaning: what lies near is found, what is not is left alone, and it is learnt once."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.tasks.test_likeness import EXAMPLES
from tests.world import world

from fairlead.errors import BadInput
from fairlead.tasks import meaning as module
from fairlead.tasks.meaning import InstalledEncoder, Meaning
from fairlead.tasks.softmax import fitted, log_likelihoods

TOPICS = {
    "money": ("charge", "refund", "invoice", "card", "bill", "paid"),
    "law": ("clause", "contract", "agreement", "penalty", "termination", "liability"),
}


class Encoder:
    """Vectors by the topics that a text's words are of, and a little by its letters."""

    def __init__(self) -> None:
        self.asked = 0

    def vectors(self, texts: Sequence[str]) -> Any:
        self.asked += len(texts)
        return np.stack([self._one(text.lower()) for text in texts]).astype(np.float32)

    def _one(self, text: str) -> Any:
        topics = [sum(word in text for word in words) for words in TOPICS.values()]
        letters = [text.count(letter) / (1 + len(text)) for letter in "aeiourst"]
        vector = np.array([*topics, 0.0 if any(topics) else 1.0, *letters])
        return vector / np.linalg.norm(vector)


@pytest.fixture
def meaning() -> Meaning:
    return Meaning(EXAMPLES, Encoder())


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("my refund has not been paid", "billing"),
        ("is there a penalty?", "contract"),
        ("what is the capital of Peru?", None),
        ("", None),
        ("   \n", None),
    ],
)
def test_a_question_is_recognised_by_what_it_means(meaning: Meaning, question: str, kind: str | None) -> None:
    found, sure = meaning.closest(question)
    assert found == kind
    assert 0 <= sure <= 1


def test_a_kind_with_few_examples_is_learnt_too() -> None:
    few = Meaning({"billing": ["a refund"], "contract": ["a clause"]}, Encoder())
    assert few.closest("refund the charge")[0] == "billing"
    assert few.closest("a stormy night")[0] is None


def test_it_is_learnt_once_however_many_ask_at_first() -> None:
    encoder = Encoder()
    meaning = Meaning(EXAMPLES, encoder)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(meaning.closest, ["a refund"] * 16)) == {meaning.closest("a refund")}
    assert encoder.asked == sum(map(len, EXAMPLES.values())) + 17


def test_the_names_of_types_and_their_order_decide_nothing() -> None:
    questions = ["a refund", "the clause on refunds", "peru"]
    there = Meaning(EXAMPLES, Encoder())
    back = Meaning({"b": EXAMPLES["contract"], "a": EXAMPLES["billing"]}, Encoder())
    renamed = {"billing": "a", "contract": "b", None: None}
    for question in questions:
        name, sure = there.closest(question)
        other, as_sure = back.closest(question)
        assert renamed[name] == other
        assert sure == pytest.approx(as_sure, abs=1e-3)


def test_likelihoods_add_up_and_follow_the_examples() -> None:
    rng = np.random.default_rng(0)
    kinds = np.arange(60) % 3
    vectors = rng.normal(size=(60, 5)).astype(np.float32) * 0.1
    vectors[np.arange(60), kinds] += 1
    found = log_likelihoods(fitted(vectors, kinds, 3), vectors)
    assert np.exp(found).sum(axis=1) == pytest.approx(np.ones(60), abs=1e-5)
    assert (found.argmax(axis=1) == kinds).all()


async def test_requests_are_recognised_by_meaning_where_the_workspace_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "installed_weights", lambda *_: tmp_path)
    monkeypatch.setattr(module, "installed_encoder", Encoder)
    tasks = {f"tasks/{name}.yaml": json.dumps({"examples": texts}) for name, texts in EXAMPLES.items()}
    async with world(tmp_path / "w", tasks, defaults={"recognise": "meaning"}) as w:
        for question in ("echo is there a penalty?", "echo where is Peru?"):
            await w.ask(question, model="auto")
        assert [record.task for record in w.records()] == ["contract", "chat"]


def test_without_the_weights_the_mend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(setting: str, key: str) -> Path:
        raise BadInput(f"`{setting}` needs weights", mend="install", subject=key)

    monkeypatch.setattr(module, "installed_weights", absent)
    with pytest.raises(BadInput, match="recognise: meaning"):
        InstalledEncoder()
