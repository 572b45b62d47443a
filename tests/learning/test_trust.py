"""No one person sways what is learnt, however much they say; and what a hacked judge says does not count."""

from hypothesis import given
from hypothesis import strategies as st

from fairlead.learning.trust import LEAST, cap, trusted
from fairlead.storage.types import NewOutcome


def said(
    by: str, many: int, score: int, model: str = "m", source: str = "feedback", digest: str = ""
) -> list[NewOutcome]:
    return [
        NewOutcome(
            run=f"run_{by}_{model}_{at}", by=by, subject="s", entry="e", at=at, source=source, task="t", model=model,
            score=score, weight=1000, digest=digest or f"{by} {at}",
        )
        for at in range(many)
    ]  # fmt: skip


def test_a_flood_of_one_is_outweighed_by_the_others() -> None:
    honest = [each for person in range(30) for each in said(f"p{person}", 4, 10_000)]
    flood = said("flooder", 2_000, 0)
    found = trusted([*honest, *flood], 0.2).outcomes
    by_flooder = sum(each.weight for each in found if each.by == "flooder")
    assert by_flooder / sum(each.weight for each in found) < 0.35
    assert [each.weight for each in found if each.by == "p3"] == [1000] * 4


def test_one_alone_is_not_bounded_and_few_are_even_at_most() -> None:
    assert all(each.weight == 1000 for each in trusted(said("p", 500, 0), 0.2).outcomes)
    two = trusted([*said("one", 500, 0), *said("two", 50, 10_000)], 0.2).outcomes
    assert sum(each.weight for each in two if each.by == "one") < 60_000


@given(st.lists(st.floats(0.1, 1e4), min_size=2, max_size=12), st.floats(0.05, 1))
def test_nobody_weighs_more_than_their_share(weights: list[float], share: float) -> None:
    bound = cap(weights, share)
    capped = [min(weight, bound) for weight in weights]
    fair = max(share, 1 / len(weights))
    assert bound <= LEAST or max(capped) <= fair * sum(capped) * 1.01


def test_a_planted_hacker_teaches_nothing_by_its_judge() -> None:
    def judged(model: str, score: int, digest: str = "") -> list[NewOutcome]:
        return [
            each for at in range(40) for each in said(f"judge/{at}", 1, score, model, "judge", digest and f"{digest}")
        ]

    found = trusted([*judged("one", 8000), *judged("two", 7000), *judged("hack", 10_000, "always this")], 0.2)
    assert set(found.suspects) == {("t", "hack")}
    assert {each.model for each in found.outcomes} == {"one", "two"}
