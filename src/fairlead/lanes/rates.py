"""Rates: how much of a minute's worth everybody has left. One process's part of it; nothing is shared or stored.

Each limit is a moment: when all that was taken will have come back. It moves on with what is taken, and may be at most
a minute ahead (the generic cell rate algorithm), so that a limit costs one number and no timer.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeVar

from msgspec import Struct

from fairlead.errors import Overloaded
from fairlead.identity.types import Caller
from fairlead.lanes.rate_settings import CallRateSettings, LimitsSettings, RateSettings, RequestRateSettings

_MINUTE: Final = 60.0
_REMEMBERED: Final = 10_000
_EACH: Final = "*"
_R = TypeVar("_R")
_Scope = tuple[str, str, str]  # what is limited, its name, and in what


class TooFast(Overloaded):
    """More was asked for than a limit under `limits:` allows in a minute.

    Retry after the seconds given in `Retry-After`. Nothing was spent, and no money was held. Headers say of requests
    and of tokens how many are allowed, how many are left, and when all are back.
    """

    code = "rate_limited"
    status = 429

    def __init__(self, scope: str, left: "Left", retry_after: float) -> None:
        super().__init__(
            f"{scope} has asked for more than {left.limit:g} {left.unit} in a minute",
            why="`limits:` bounds how fast it may ask",
            mend=f"ask again in {math.ceil(retry_after)} s, or have the limit raised",
            retry_after=retry_after,
            step="plan",
        )
        self.left = left


class Left(Struct, frozen=True):
    """What is left of a minute's worth in requests or tokens, and after how many seconds all is there again. `limit`
    is that of all workers, `left` this one's part."""

    unit: str
    limit: float
    left: float
    reset: float


class Taken(Struct, frozen=True):
    """What a request has taken of limits, in tokens until it is known what it used. `left` is what remains of the
    limit in requests and of the one in tokens that have the least left."""

    rates: "Rates"
    scopes: tuple[_Scope, ...]
    tokens: int
    left: tuple[Left, ...]

    def used(self, tokens: int) -> None:
        """It has ended, and used so many: the rest comes back, or what it used beyond is taken."""
        self.rates.correct(self.scopes, tokens - self.tokens)


class Rates:
    """`limits` None is without any. `clock` gives monotonic seconds. For one event loop."""

    def __init__(self, clock: Callable[[], float], limits: LimitsSettings | None = None) -> None:
        self._clock = clock
        self.limits = limits
        self.workers = 1
        self._full_at: dict[_Scope, float] = {}

    def take(self, caller: Caller, task: str, model: str, tokens: int) -> Taken | None:
        """Count a request that may take so many tokens against every limit, or against none. Raises `TooFast`.

        None where it falls under no limit. A request for more than a minute's worth is let through when all is
        there, and the others wait the longer for it.
        """
        assert self.limits is not None
        scopes: list[tuple[_Scope, float, float]] = []
        for kind, name, rate in _asking(self.limits, caller, task, model):
            if rate.requests is not None:
                scopes.append(((kind, name, "requests"), rate.requests, 1))
            if rate.tokens is not None:
                scopes.append(((kind, name, "tokens"), rate.tokens, tokens))
        left = self._count(scopes)
        counted = tuple(scope for scope, _, _ in scopes if scope[2] == "tokens")
        return Taken(self, counted, tokens, left) if scopes else None

    def spent(self, model: str) -> bool:
        """Whether a model's own limit leaves no room for a request now. Takes nothing."""
        rate = _rate(self.limits.models, model) if self.limits is not None else None
        if rate is None:
            return False
        now = self._clock()
        return any(
            self._full_at.get(("model", model, unit), now) + _MINUTE * self.workers / every - now > _MINUTE + 1e-9
            for unit, every in (("requests", rate.requests), ("tokens", rate.tokens))
            if every is not None
        )

    def take_call(self, caller: Caller, system: str, tool: str) -> None:
        """Count a call of a tool against every limit on calls, or against none. Raises `TooFast`."""
        assert self.limits is not None
        self._count(
            [
                ((kind, name, "calls"), rate.calls, 1)
                for kind, name, rate in _calling(self.limits, caller, system, tool)
                if rate.calls is not None
            ]
        )

    def _count(self, scopes: Iterable[tuple[_Scope, float, float]]) -> tuple[Left, ...]:
        """Take an amount of each scope's minute's worth, or of none. What remains of the limit that has the least left,
        for each unit. Raises `TooFast`."""
        now = self._clock()
        wanted: list[tuple[_Scope, float]] = []
        least: dict[str, Left] = {}
        for scope, every, amount in scopes:
            kind, name, unit = scope
            limit = every / self.workers
            full = max(now, self._full_at.get(scope, now))
            after = full + amount * _MINUTE / limit
            over = after - now - max(_MINUTE, amount * _MINUTE / limit)
            if over > 1e-9:
                raise TooFast(f"{kind} {name or '(none)'}", _left(unit, every, limit, full - now), over)
            wanted.append((scope, after))
            left = _left(unit, every, limit, after - now)
            if unit not in least or left.left < least[unit].left:
                least[unit] = left
        if len(self._full_at) > _REMEMBERED:
            self._full_at = {scope: full for scope, full in self._full_at.items() if full > now}
        self._full_at.update(wanted)
        return tuple(least.values())

    def correct(self, scopes: tuple[_Scope, ...], tokens: int) -> None:
        """More, or fewer, tokens were used than were taken."""
        for kind, name, unit in scopes:
            rate = _rate(getattr(self.limits, f"{kind}s"), name) if self.limits is not None else None
            if rate is not None and rate.tokens is not None:
                scope = kind, name, unit
                self._full_at[scope] = (
                    self._full_at.get(scope, self._clock()) + tokens * _MINUTE * self.workers / rate.tokens
                )


def _left(unit: str, every: float, part: float, reset: float) -> Left:
    return Left(unit, every, max(0.0, (_MINUTE - reset) * part / _MINUTE), reset)


def compile_limits(settings: LimitsSettings) -> LimitsSettings | None:
    """None where nothing is limited."""
    return None if settings == LimitsSettings() else settings


def _asking(
    limits: LimitsSettings, caller: Caller, task: str, model: str
) -> Iterator[tuple[str, str, RequestRateSettings]]:
    yield from _of(limits, caller)
    for kind, name, rates in (("task", task, limits.tasks), ("model", model, limits.models)):
        if name and (rate := _rate(rates, name)) is not None:
            yield kind, name, rate


def _calling(
    limits: LimitsSettings, caller: Caller, system: str, tool: str
) -> Iterator[tuple[str, str, RateSettings | CallRateSettings]]:
    yield from _of(limits, caller)
    for kind, name, rates in (("system", system, limits.systems), ("tool", tool, limits.tools)):
        if (rate := _rate(rates, name)) is not None:
            yield kind, name, rate


def _of(limits: LimitsSettings, caller: Caller) -> Iterator[tuple[str, str, RateSettings]]:
    """The limits of who asks."""
    credential, _, key = caller.credential.partition(":")
    for kind, name, rates in (
        ("person", caller.person, limits.persons),
        ("agent", caller.agent, limits.agents),
        ("key", key if credential == "key" else "", limits.keys),
        ("department", caller.department, limits.departments),
    ):
        rate = _rate(rates, name) if rates else None
        if rate is not None and (name or kind == "department"):
            yield kind, name, rate


def _rate(rates: Mapping[str, _R], name: str) -> _R | None:
    return rates.get(name) or rates.get(_EACH)
