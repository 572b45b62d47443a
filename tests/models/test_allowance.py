"""What servers say of how much more they take."""

import pytest
from tests.world import FixedClock

from fairlead.models.allowance import Allowance, allowances


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-limit-requests": "60",
                "x-ratelimit-reset-requests": "1s",
            },
            [Allowance("requests", 0, 60, 1.0)],
        ),
        (
            {"x-ratelimit-remaining-tokens": "149", "x-ratelimit-reset-tokens": "6m0s"},
            [Allowance("tokens", 149, None, 360.0)],
        ),
        (
            {"x-ratelimit-remaining-tokens": "9", "x-ratelimit-reset-tokens": "120ms"},
            [Allowance("tokens", 9, None, 0.12)],
        ),
        (
            {
                "anthropic-ratelimit-input-tokens-remaining": "7",
                "anthropic-ratelimit-input-tokens-limit": "9",
                "anthropic-ratelimit-input-tokens-reset": "2026-11-18T13:06:50Z",
            },
            [Allowance("input", 7, 9, 10.0)],
        ),
        ({"x-ratelimit-remaining-requests": "3"}, [Allowance("requests", 3, None, 60.0)]),
        ({"x-ratelimit-remaining-requests": "-3", "x-ratelimit-remaining-tokens": "9" * 40}, []),
        (
            {"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "nan"},
            [Allowance("requests", 3, None, 60.0)],
        ),
        (
            {"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "soon"},
            [Allowance("requests", 3, None, 60.0)],
        ),
        ({"content-type": "text/html"}, []),
    ],
)
def test_what_is_left_is_read_in_every_form_and_nonsense_is_as_if_nothing_were_said(
    headers: dict[str, str], said: list[Allowance]
) -> None:
    assert list(allowances(headers, FixedClock(at=1_795_007_200_000))) == said
