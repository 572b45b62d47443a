"""Times as people write and read them: `7d`, `2026-11-21`, `90d` from now."""

import re
from datetime import UTC, datetime
from typing import Final

from fairlead.errors import BadInput

_UNITS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_SPAN: Final = re.compile(r"([0-9]{1,5})([mhdw])")


def span(text: str, option: str) -> int:
    """Milliseconds in `30m`, `12h`, `7d` or `2w`."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise BadInput(f"{option} is {text!r}", why="it is a number and m, h, d or w", mend=f"{option} 7d")
    return int(found[1]) * _UNITS[found[2]]


def moment_ago(text: str, option: str, now: int) -> int:
    """The moment (milliseconds since 1970) that lies a span before `now`, or the start of a day such as 2026-11-21."""
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return now - span(text, option)


def moment_ahead(text: str, option: str, now: int) -> int:
    """The moment that lies a span after `now`, or the start of a day to come."""
    try:
        at = int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        at = now + span(text, option)
    if at <= now:
        raise BadInput(f"{option} is {text!r}", why="that is over", mend=f"{option} 2h")
    return at


def shown(at: int) -> str:
    """A moment to the second, UTC."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%S}" if at else "never"


def duration(ns: int) -> str:
    """A length of time with three digits that matter."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if ns >= size:
            value = ns / size
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
    return f"{ns} ns"


def age(ms: int) -> str:
    """How long ago, in the largest unit that fits."""
    for name, size in (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000)):
        if ms >= size:
            return f"{ms // size} {name}"
    return f"{max(0, ms) // 1000} s"
