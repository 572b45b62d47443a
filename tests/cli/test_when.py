"""Times as people write and read them."""

import pytest

from fairlead.cli.when import age, duration, moment_ago, shown, span
from fairlead.errors import BadInput

DAY = 86_400_000


def test_spans_have_a_unit() -> None:
    assert span("90d", "--expires") == 90 * DAY
    assert span("30m", "--since") == 30 * 60_000
    assert span("2w", "--since") == 14 * DAY


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "7 d", "1.5h", "99999999d", "٣d"])
def test_what_is_no_span_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadInput, match="--since") as refused:
        span(text, "--since")
    assert refused.value.mend == "--since 7d"


def test_a_moment_is_a_span_ago_or_the_start_of_a_day() -> None:
    assert moment_ago("1d", "--since", 10 * DAY) == 9 * DAY
    assert moment_ago("1970-01-03", "--since", 10 * DAY) == 2 * DAY


def test_times_are_read_at_a_glance() -> None:
    assert shown(0) == "never"
    assert shown(DAY) == "1970-01-02 00:00:00"
    assert [duration(n) for n in (999, 12_345, 1_500_000, 250_000_000, 12_000_000_000)] == [
        "999 ns",
        "12.3 µs",
        "1.5 ms",
        "250 ms",
        "12 s",
    ]
    assert [age(n) for n in (-5, 3_000, 120_000, 7_200_000, 3 * DAY)] == ["0 s", "3 s", "2 min", "2 h", "3 d"]
