"""The breaker: a model whose server fails is left alone for a while, then tried by one call before all come back.

    closed  -- failures in a row, or too large a share of the window, or a pause that its server asks for -->  open
    open    -- the cool-down is over -->  half-open: one call at a time is let through, as a probe
    half-open  -- the probe succeeds -->  closed      -- the probe fails -->  open again, for twice as long

Each process keeps its own; nothing is shared or stored, and no randomness is used.
"""

from collections.abc import Callable
from typing import Final

from fairlead.errors import RateLimited, Rejected, Upstream
from fairlead.routing.settings import BreakerSettings

_ASKED: Final = "its server asked for a pause"


class Health:
    """How each model does, by name. `clock` gives monotonic seconds. Not for use by several threads at once."""

    def __init__(self, clock: Callable[[], float], settings: BreakerSettings) -> None:
        self._clock = clock
        self.settings = settings  # may be replaced when a new revision is published; what was learned stays
        self._breakers: dict[str, _Breaker] = {}

    def reason(self, model: str) -> str | None:
        """Why the model is to be left alone now; None if it may be called. Changes nothing."""
        breaker = self._breakers.get(model)
        if breaker is None or breaker.until is None:
            return None
        wait = breaker.until - self._clock()
        if wait > 0:
            return f"{breaker.cause}; it is left alone for {wait:.0f} more seconds"
        if breaker.probing(self._clock()):
            return f"{breaker.cause}; one call is finding out whether it is back"
        return None

    def pause(self, model: str) -> float | None:
        """For how many seconds the model's server asked to be left alone; None if nothing of the kind is so now."""
        breaker = self._breakers.get(model)
        if breaker is None or breaker.until is None or breaker.cause != _ASKED:
            return None
        wait = breaker.until - self._clock()
        return wait if wait > 0 else None

    def acquire(self, model: str) -> bool:
        """Ask to call the model, just before doing so. False if it is left alone, or another call already probes it.

        Whoever got True reports once: `success`, `failure`, or `release` if the call's end says nothing about it.
        """
        breaker = self._breakers.get(model)
        if breaker is None or breaker.until is None:
            return True
        now = self._clock()
        if breaker.until > now or breaker.probing(now):
            return False
        # A probe that never reports is forgotten after the longest cool-down, so that nothing can stay shut for ever.
        breaker.probe_until = now + self.settings.longest_cool_down
        return True

    def success(self, model: str) -> None:
        """The model answered."""
        breaker = self._breakers.get(model)
        if breaker is None:
            breaker = self._breakers[model] = _Breaker()
        now = self._clock()
        if breaker.until is not None:
            if breaker.until > now:
                return  # begun before the breaker opened: an older piece of news than what opened it
            self._breakers[model] = breaker = _Breaker()
        breaker.count(now, self.settings.window, failed=False)
        breaker.streak = 0

    def failure(self, model: str, error: Upstream) -> None:
        """The call failed upstream. A request that its server calls wrong says nothing against the server."""
        if isinstance(error, Rejected):
            self.release(model)
            return
        breaker = self._breakers.get(model)
        if breaker is None:
            breaker = self._breakers[model] = _Breaker()
        now = self._clock()
        if breaker.until is not None and breaker.until > now:
            self._wait_longer(breaker, error, now)
            return
        half_open = breaker.until is not None
        breaker.count(now, self.settings.window, failed=True)
        breaker.streak += 1
        if isinstance(error, RateLimited):
            pause = self.settings.cool_down if error.retry_after is None else error.retry_after
            self._open(breaker, now, pause, _ASKED)
        elif half_open or breaker.streak >= self.settings.failures or breaker.failing(self.settings):
            self._open(breaker, now, self._next_cool_down(breaker), f"its last call failed ({error.code})")

    def release(self, model: str) -> None:
        """A call ended in a way that says nothing about the model: cancelled, or the request's own fault."""
        breaker = self._breakers.get(model)
        if breaker is not None:
            breaker.probe_until = None

    def _open(self, breaker: "_Breaker", now: float, pause: float, cause: str) -> None:
        breaker.until = now + min(max(pause, 0.0), self.settings.longest_cool_down)
        breaker.cause = cause
        breaker.probe_until = None
        breaker.streak = 0

    def _wait_longer(self, breaker: "_Breaker", error: Upstream, now: float) -> None:
        """A call begun before the breaker opened failed too: only a longer pause that it asks for is news."""
        if isinstance(error, RateLimited) and error.retry_after is not None and breaker.until is not None:
            breaker.until = max(breaker.until, now + min(error.retry_after, self.settings.longest_cool_down))

    def _next_cool_down(self, breaker: "_Breaker") -> float:
        pause = min(self.settings.cool_down * 2.0**breaker.opened, self.settings.longest_cool_down)
        breaker.opened = min(breaker.opened + 1, 64)
        return pause


class _Breaker:
    """What is remembered of one model. `until` is None while closed; once that moment has passed, it is half-open.

    Calls are counted in two windows, the running one and the one before it, so that the share looks back one to two
    windows without keeping a list of calls.
    """

    __slots__ = ("before", "begun", "calls", "cause", "failed", "opened", "probe_until", "streak", "until")

    def __init__(self) -> None:
        self.until: float | None = None
        self.probe_until: float | None = None
        self.cause = ""
        self.streak = 0
        self.opened = 0
        self.begun = 0.0
        self.calls = self.failed = 0
        self.before = (0, 0)

    def probing(self, now: float) -> bool:
        return self.probe_until is not None and self.probe_until > now

    def count(self, now: float, window: float, *, failed: bool) -> None:
        age = now - self.begun
        if age >= window:
            self.before = (self.calls, self.failed) if age < 2 * window else (0, 0)
            self.begun, self.calls, self.failed = now, 0, 0
        self.calls += 1
        self.failed += failed

    def failing(self, settings: BreakerSettings) -> bool:
        """Whether enough calls were seen, and too large a share of them failed."""
        calls, failed = self.calls + self.before[0], self.failed + self.before[1]
        return calls >= settings.least and failed >= settings.share * calls
