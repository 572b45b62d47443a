"""Bad input gets a precise 4xx and changes nothing: the short form of `python -m evals.fuzz`."""

import pytest
from evals import fuzz


@pytest.mark.usefixtures("forked_stage")
async def test_malformed_and_hostile_requests_are_refused_in_the_doors_format_and_change_nothing() -> None:
    result = await fuzz.measure(requests=300, seed=1)
    assert (result["not_4xx"], result["wrong_format"], result["broken_by_valid"]) == (0, 0, 0)
    assert [result[f"{what}_changed"] for what in ("ledger", "workspace", "runs")] == [False] * 3
    assert result["alive"]


def test_requests_are_drawn_alike_for_a_seed() -> None:
    first, second = (fuzz.Requests(fuzz.chance(5)) for _ in range(2))
    assert [first.draw().request for _ in range(50)] == [second.draw().request for _ in range(50)]


def test_what_is_drawn_as_valid_is_valid() -> None:
    drawing = fuzz.Requests(fuzz.chance(5))
    assert all(fuzz.is_valid(drawing.draw_valid()) for _ in range(300))
