"""How long to wait before the same model is asked again."""

from fairlead.clock import Clock
from fairlead.errors import CutOff, Rejected, Upstream
from fairlead.routing.settings import RetrySettings


def pause_before_retry(
    error: Upstream, tries: int, settings: RetrySettings, clock: Clock, deadline: float
) -> float | None:
    """Seconds to wait before trying the same model again after `tries` failed, None if that is not to be done.

    The bound doubles with each try, and the wait is drawn evenly from below it, so that callers who failed together do
    not return together. A pause that the server asks for is kept, and never shortened: if it is longer than the
    settings allow, or than the time left until `deadline` (the clock's monotonic seconds), there is no retry. Never
    after part of a reply has come: it was delivered and billed.
    """
    if tries >= settings.tries or not error.retryable or error.charged == "part":
        return None
    if isinstance(error, Rejected | CutOff):
        return None
    bound = min(settings.first_wait * 2.0 ** min(tries - 1, 32), settings.longest_wait)
    wait = bound * int.from_bytes(clock.random_bytes(4), "big") / 2**32
    asked = error.retry_after
    if asked is not None:
        if asked > settings.longest_wait:
            return None
        # Drawn on top of what was asked for, else all who were told the same would come back at once.
        wait = max(asked, 0.0) + min(wait, settings.first_wait)
    return wait if clock.monotonic() + wait < deadline else None
