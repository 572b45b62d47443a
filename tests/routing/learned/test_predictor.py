"""What models are expected to do with work, from known outcomes."""

import pytest

from fairlead.errors import BadInput
from fairlead.routing.learned import Features, TokenPrice, features, read_predictor
from fairlead.routing.learned.training import train
from fairlead.routing.learned.types import Observation

NONE = Features()


def seen(task: str, model: str, scores: list[float], cost: float | None = 0.01) -> list[Observation]:
    return [
        Observation(task=task, features=NONE, model=model, score=score, cost=cost, latency=1.0, group=f"{task}{number}")
        for number, score in enumerate(scores)
    ]


OUTCOMES = [
    *seen("sums", "large", [1.0] * 18 + [0.0] * 2, 0.10),
    *seen("sums", "small", [1.0] * 6 + [0.0] * 14),
    *seen("mail", "large", [1.0] * 16 + [0.0] * 4, 0.20),
    *seen("mail", "small", [1.0] * 15 + [0.0] * 5),
]


def test_a_known_kind_of_work_is_expected_to_go_on_as_it_went() -> None:
    large, small = train(OUTCOMES).predict("sums", NONE, ["large", "small"])
    assert 0.8 < large.p < 0.95
    assert 0.25 < small.p < 0.45
    assert (large.seen, small.seen) == (20, 20)
    assert large.low < large.p < large.high
    assert large.cost == pytest.approx(0.10, rel=0.1)
    assert large.latency == pytest.approx(1.0)


def test_unknown_work_and_unknown_models_are_expected_with_more_doubt() -> None:
    predictor = train(OUTCOMES)
    (known,), (other,) = predictor.predict("sums", NONE, ["large"]), predictor.predict("poems", NONE, ["large"])
    (stranger,) = predictor.predict("sums", NONE, ["new"])
    assert other.seen == stranger.seen == 0
    assert known.high - known.low < other.high - other.low
    assert 0.0 <= stranger.low < stranger.p < stranger.high <= 1.0


def test_not_knowing_a_cost_is_never_cheap() -> None:
    large, new = train(OUTCOMES).predict("sums", NONE, ["large", "new"])
    assert new.cost == large.cost


def test_a_new_price_counts_at_once() -> None:
    taught = [
        Observation("sums", NONE, "large", 1.0, cost=0.1, tokens_in=100, tokens_out=50, group=str(n)) for n in range(20)
    ]
    price = {"large": TokenPrice(sent=1e-6, received=2e-6)}
    (found,) = train(taught).predict("sums", NONE, ["large"], prices=price, tokens_in=200)
    assert found.cost == pytest.approx(200e-6 + 50 * 2e-6)


def test_a_predictor_is_kept_and_read_again() -> None:
    predictor = train(OUTCOMES)
    again = read_predictor(predictor.encoded())
    assert again.version == predictor.version == train(OUTCOMES).version
    assert again.predict("sums", NONE, ["large"]) == predictor.predict("sums", NONE, ["large"])
    with pytest.raises(BadInput, match="no predictor"):
        read_predictor(b"{}")


def test_no_outcome_at_all_is_no_error() -> None:
    (found,) = train([]).predict("sums", features("what is 2 + 2?"), ["large"])
    assert (found.p, found.cost, found.latency, found.seen) == (0.5, 0.0, None, 0)
