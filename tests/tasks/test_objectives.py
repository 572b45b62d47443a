import msgspec
import pytest

from fairlead.errors import BadInput
from fairlead.tasks.objectives import Objective, ObjectiveSettings, compile_objective


def compiled(**settings: object) -> Objective:
    return compile_objective("q.objective", msgspec.convert(settings, ObjectiveSettings))


def test_bounds_become_whole_numbers_so_that_a_choice_can_be_made_again_exactly() -> None:
    found = compiled(minimise="cost", quality_at_least=0.8, cost_at_most=0.01, latency_at_most=2.5)
    assert found == Objective(
        aim="cost", cost_at_most=10_000_000, latency_at_most=2500, quality_at_least=8000, strict=False
    )
    assert compiled(maximise="quality") == Objective(aim="quality")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ["q.objective", "maximise", "minimise: cost"]),
        ({"maximise": "quality", "minimise": "cost"}, ["q.objective wants one thing"]),
        ({"minimise": "cost"}, ["q.objective.minimise", "cheapest", "quality_at_least"]),
        ({"minimise": "cost", "cost_at_most": 1}, ["q.objective.minimise", "however bad"]),
        ({"minimise": "latency", "latency_at_most": 1}, ["q.objective.minimise", "cost_at_most"]),
        ({"maximise": "quality", "strict": True}, ["q.objective.strict"]),
    ],
)
def test_an_objective_that_no_choice_could_follow_is_refused(settings: dict[str, object], words: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        compiled(**settings)
    said = f"{caught.value.message} {caught.value.why} {caught.value.mend}"
    assert all(word in said for word in words), said
