"""How long a server asks to be left alone."""

import math
from email.utils import parsedate_to_datetime
from typing import Final

from fairlead.clock import Clock

LONGEST_PAUSE: Final = 24 * 3600.0


def retry_after(value: str | None, clock: Clock) -> float | None:
    """Seconds to wait, from a `Retry-After` header: seconds or a date (RFC 9110, 10.2.3). None if there is none."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            at = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = at.timestamp() - clock.now() / 1000
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_PAUSE)
