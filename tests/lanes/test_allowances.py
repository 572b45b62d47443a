"""What servers said is left, counted down by what is sent since."""

import pytest
from tests.world import FixedClock

from fairlead.lanes.allowances import Allowances, Need
from fairlead.models.allowance import Allowance

NEED = Need(requests=1, input=100, output=50)


def told(left: int, limit: int | None = None, reset: float = 10.0) -> tuple[Allowance, ...]:
    return (Allowance("tokens", left, limit, reset),)


def test_what_was_sent_since_is_not_left_any_more_and_older_news_change_nothing() -> None:
    clock = FixedClock()
    heard = Allowances(clock.monotonic)
    heard.heed("m", told(500), heard.send("m", NEED))
    first, second = heard.send("m", NEED), heard.send("m", NEED)
    assert heard.left("m") == {"tokens": 200}
    heard.heed("m", told(100), second)
    heard.heed("m", told(350), first)  # its answer came late
    assert heard.left("m") == {"tokens": 100}
    assert heard.wait("m", NEED) == 10
    clock.tick(10)
    assert heard.wait("m", NEED) == 0


@pytest.mark.parametrize(("limit", "wait"), [(None, 10.0), (1000, 1.0), (120, 10.0)])
def test_where_the_whole_is_known_what_is_missing_comes_back_evenly(limit: int | None, wait: float) -> None:
    heard = Allowances(FixedClock().monotonic)
    heard.heed("m", told(50 if limit != 120 else 0, limit), heard.send("m", NEED))
    assert heard.wait("m", NEED) == pytest.approx(wait, abs=0.1)


def test_of_output_with_a_limit_of_its_own_one_token_must_be_left() -> None:
    heard = Allowances(FixedClock().monotonic)
    heard.heed("m", (Allowance("output", 1, 8000, 5.0), Allowance("input", 100, None, 5.0)), {})
    assert heard.wait("m", NEED) == 0
    heard.send("m", NEED)
    assert heard.wait("m", NEED) > 0
