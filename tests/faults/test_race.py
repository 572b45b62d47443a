"""Many clients and several processes never overspend a budget together: the short form of `python -m evals.race`."""

import pytest
from evals import race


@pytest.mark.usefixtures("forked_stage")
async def test_processes_that_race_for_one_budget_use_it_up_and_never_pass_it() -> None:
    result = await race.measure(clients=8, processes=2, calls=105)
    assert result["surprises"] == []
    assert (result["overshoot"], result["held_left"], result["uncharged"]) == (0, 0, 0)
    assert result["hold_share"] <= 0.01
    assert result["used_share"] >= 0.95
