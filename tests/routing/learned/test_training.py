"""What training learns from prompts, from few outcomes, from changes; and what it must not learn."""

import random
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from fairlead.errors import BadInput
from fairlead.routing.learned import Features, Observation, Predictor, features, read_predictor
from fairlead.routing.learned.features import _place, definition
from fairlead.routing.learned.means import cells_of, shrunk
from fairlead.routing.learned.training import Training, train

SUMS = ["what is {} + {}?", "add {} to {}", "{} minus {} =", "divide {} by {} and round"]
MAIL = ["write to our landlord about the {} broken windows", "thank {} guests kindly", "apologise for {} late parcels"]


def prompt(drawn: random.Random, sum_: bool) -> str:
    one = drawn.choice(SUMS if sum_ else MAIL)
    return one.format(drawn.randint(1, 99), drawn.randint(1, 99))


def outcomes(count: int, names: Sequence[str] = ("a", "b"), hidden: bool = True, seed: int = 5) -> list[Observation]:
    """The first model can add and cannot write, the second the other way round; both cost the same."""
    drawn = random.Random(seed)
    found = []
    for at in range(count):
        is_sum = drawn.random() < 0.5
        seen = features(prompt(drawn, is_sum))
        for name, good in zip(names, (is_sum, not is_sum), strict=True):
            score = float(drawn.random() < (0.9 if good else 0.3))
            task = "any" if hidden else ("sums" if is_sum else "mail")
            found.append(Observation(task, seen, name, score, cost=0.01, group=str(at)))
    return found


@pytest.fixture(scope="module")
def taught() -> list[Observation]:
    return outcomes(120)


@pytest.fixture(scope="module")
def predictor(taught: list[Observation]) -> Predictor:
    return train(taught)


def test_prompts_are_looked_at_where_they_tell_models_apart(predictor: Predictor) -> None:
    assert predictor.kind == "learned", predictor.why
    first, second = predictor.predict("any", features("what is 12 + 30?"), ["a", "b"])
    assert first.p > second.p + 0.2
    first, second = predictor.predict("any", features("thank 7 guests kindly"), ["a", "b"])
    assert second.p > first.p + 0.2
    assert first.low <= first.p <= first.high


def test_prompts_are_not_looked_at_where_they_tell_nothing() -> None:
    predictor = train(outcomes(120, hidden=False))
    assert predictor.learnt.within is None  # the kind of work says it all
    assert "gain nothing sure" in predictor.why


def test_a_prompt_unlike_all_others_gets_the_means(predictor: Predictor) -> None:
    strange = features("∇×E = −∂B/∂t\n" * 40 + "{{[[((<<==>>))]]}}" * 30)
    assert predictor.is_novel(strange)
    assert predictor.predict("any", strange, ["a", "b"]) == predictor.predict("any", Features(), ["a", "b"])
    assert not predictor.is_novel(features("add 3 to 4"))


def test_a_predictor_of_other_features_is_refused_with_what_to_do(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, blind = predictor.encoded(), train(outcomes(5)).encoded()
    assert read_predictor(kept).learnt.looks == definition()
    definition.cache_clear()
    monkeypatch.setattr(sys.modules[features.__module__], "_LONGEST_WORD", 6)  # words are cut elsewhere: other slots
    _place.cache_clear()
    try:
        with pytest.raises(BadInput, match="looks at prompts by the definition") as refused:
            read_predictor(kept)
        assert "routing train" in refused.value.mend
        read_predictor(blind)  # it looks at no prompt, so it means what it meant
    finally:
        monkeypatch.undo()
        definition.cache_clear()
        _place.cache_clear()


def test_exchanging_names_exchanges_what_is_said_of_them_and_nothing_else(predictor: Predictor) -> None:
    asked = features("divide 12 by 5 and round")
    ours = predictor.predict("any", asked, ["a", "b"])
    theirs = train(outcomes(120, names=("zz", "m"))).predict("any", asked, ["zz", "m"])
    assert [(one.p, one.low, one.high, one.cost) for one in ours] == [
        (one.p, one.low, one.high, one.cost) for one in theirs
    ]


def test_training_is_the_same_every_time(taught: list[Observation], predictor: Predictor) -> None:
    assert train(taught).version == predictor.version
    assert len(predictor.encoded()) < 200_000


def test_a_new_model_with_twenty_outcomes_joins_leaning_as_the_others_do() -> None:
    known = outcomes(120)
    alike = [one for one in known if one.model == "a"]
    third = [Observation("any", one.features, "c", one.score, 0.01, group=one.group) for one in alike]
    few = [Observation("any", one.features, "new", one.score, 0.01, group=one.group) for one in alike[:20]]
    predictor = train([*known, *third, *few])
    (new,) = predictor.predict("any", features("what is 12 + 30?"), ["new"])
    (old,) = predictor.predict("any", features("what is 12 + 30?"), ["a"])
    assert new.seen == 20
    assert new.high - new.low > old.high - old.low  # and is less sure of it


def test_a_model_that_changed_is_found_and_recent_outcomes_count_more() -> None:
    drawn = random.Random(3)
    day = 86_400_000
    taught = [
        Observation("sums", Features(), model, float(drawn.random() < (0.9 if at < 150 or model == "steady" else 0.4)),
                    at=day + at * 1000, group=str(at))
        for at in range(200)
        for model in ("steady", "changed")
    ]  # fmt: skip
    steady, changed = train(taught).predict("sums", Features(), ["steady", "changed"])
    assert (steady.drifting, changed.drifting) == (False, True)
    assert changed.p < 0.6
    assert changed.high - changed.low > 2 * (steady.high - steady.low)


def test_old_outcomes_fade_where_a_half_life_is_given() -> None:
    day = 86_400_000
    old = [Observation("sums", Features(), "a", 1.0, at=day, group=str(at)) for at in range(15)]
    new = [Observation("sums", Features(), "a", 0.0, at=41 * day, group=f"n{at}") for at in range(15)]
    (plain,) = train(old + new).predict("sums", Features(), ["a"])
    (fading,) = train(old + new, Training(half_life=10)).predict("sums", Features(), ["a"])
    assert plain.p == pytest.approx(0.5, abs=0.05)
    assert fading.p < 0.2


@trying(max_examples=15, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from("xyz"), st.sampled_from("abc")),
        st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=12),
        min_size=1,
    )
)
def test_a_shrunk_mean_lies_between_its_outcomes_and_what_others_say(known: dict[tuple[str, str], list[float]]) -> None:
    cells = cells_of((task, model, score, 1.0) for (task, model), some in known.items() for score in some)
    means = shrunk(cells)
    for (task, model), cell in cells.items():
        ends = sorted((cell.mean, means.prior(task, model)))
        assert ends[0] - 1e-9 <= means.expected(task, model) <= ends[1] + 1e-9


def test_four_in_five_intervals_hold_the_truth() -> None:
    drawn = random.Random(11)
    held = asked = 0
    for _ in range(40):
        truth = {(task, model): drawn.betavariate(4, 2) for task in "wxyz" for model in "abc"}
        taught = [
            Observation(task, Features(), model, float(drawn.random() < p), group=str(at))
            for (task, model), p in truth.items()
            for at in range(20)
        ]
        predictor = train(taught)
        for (task, model), p in truth.items():
            (found,) = predictor.predict(task, Features(), [model])
            held += found.low <= p <= found.high
            asked += 1
    assert 0.75 <= held / asked <= 0.93
