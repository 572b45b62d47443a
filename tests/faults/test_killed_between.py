"""A worker that is killed loses nothing: the short form of `python -m evals.kill`."""

from evals import kill


async def test_workers_that_are_killed_under_load_lose_no_charge_and_no_reply() -> None:
    result = await kill.measure(kills=2, workers=2, concurrency=6, seed=3, door="responses")
    zero = ("without_row", "settled_twice", "acknowledged_lost", "money_astray", "held_left", "remembered_apart")
    assert {name: result[name] for name in zero} == dict.fromkeys(zero, 0)
    assert result["audit_ok"]
    assert result["kills"] == 2
    assert result["charges"] > 0
