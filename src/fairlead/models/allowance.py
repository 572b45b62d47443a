"""What a server says of how much more it takes: headers of its answers, in one form that belongs to no vendor."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from msgspec import Struct

from fairlead.clock import Clock

Kind = Literal["requests", "tokens", "input", "output"]
_LONGEST: Final = 3600.0
# Names of kinds as vendors have them. Some count tokens of the input and of the output apart, others together.
_KINDS: Final[tuple[tuple[str, Kind], ...]] = (
    ("requests", "requests"),
    ("tokens", "tokens"),
    ("input-tokens", "input"),
    ("output-tokens", "output"),
)
# Of what is left, of all that is allowed, and when all is there again.
_FORMS: Final = (
    ("x-ratelimit-remaining-{}", "x-ratelimit-limit-{}", "x-ratelimit-reset-{}"),
    ("anthropic-ratelimit-{}-remaining", "anthropic-ratelimit-{}-limit", "anthropic-ratelimit-{}-reset"),
)
_NAMES: Final[tuple[tuple[Kind, str, str, str], ...]] = tuple(
    (kind, form[0].format(word), form[1].format(word), form[2].format(word)) for form in _FORMS for word, kind in _KINDS
)
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Allowance(Struct, frozen=True):
    """So much of a kind is left, of `limit` (None if that is not said); all of it is there again in `reset` seconds."""

    kind: Kind
    left: int
    limit: int | None
    reset: float


def allowances(headers: Mapping[str, str], clock: Clock) -> tuple[Allowance, ...]:
    """What an answer's headers say. What cannot be read is as if it were not there."""
    found = []
    for kind, remaining, limit, reset in _NAMES:
        left = _count(headers.get(remaining))
        if left is not None:
            found.append(Allowance(kind, left, _count(headers.get(limit)), _seconds(headers.get(reset), clock)))
    return tuple(found)


def _count(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 15:
        return None
    return int(text)


def _seconds(text: str | None, clock: Clock) -> float:
    """From seconds, from a span such as `6m0s`, or from a moment. A minute where nothing sensible is said."""
    if not text or len(text) > 40:
        return 60.0
    spans = _SPAN.findall(text)
    if spans and "".join(a + b for a, b in spans) == text:
        return min(sum(float(count) * _UNITS[unit] for count, unit in spans), _LONGEST)
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = datetime.fromisoformat(text).timestamp() - clock.now() / 1000
        except (ValueError, OverflowError):
            return 60.0
    return min(max(seconds, 0.0), _LONGEST) if seconds == seconds else 60.0  # noqa: PLR0124 - not a number
