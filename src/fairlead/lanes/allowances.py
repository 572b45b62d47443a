"""Allowances: what servers last said of how much more they take, as one worker heard it. Nothing is stored."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from fairlead.models.allowance import Allowance, Kind

_NONE: Final[Mapping[Kind, int]] = {}


class Need(Struct, frozen=True):
    """What a call may come to at its server."""

    requests: int
    input: int
    output: int

    @property
    def tokens(self) -> int:
        """Both together."""
        return self.input + self.output

    def of(self, kind: Kind) -> int:
        """So much of a kind. How long a reply becomes, nobody knows: where output has a limit of its own, one token of
        it must be left."""
        if kind == "requests":
            return self.requests
        return self.tokens if kind == "tokens" else self.input if kind == "input" else 1


class _Told(Struct):
    """`taken` is what had been sent of the kind in all when the call was sent whose answer said so."""

    allowance: Allowance
    at: float
    taken: int


class Allowances:
    """By the name of a deployment. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._told: dict[str, dict[Kind, _Told]] = {}
        self._taken: dict[str, dict[Kind, int]] = {}

    def send(self, name: str, need: Need) -> Mapping[Kind, int]:
        """A call is sent there. Gives what had been sent with it in all, for `heed`."""
        taken = self._taken.setdefault(name, {})
        for kind in self._told.get(name, _NONE):
            taken[kind] = taken.get(kind, 0) + need.of(kind)
        return dict(taken)

    def heed(self, name: str, told: tuple[Allowance, ...], sent: Mapping[Kind, int]) -> None:
        """The answer to a call says so; `sent` is what `send` gave for it. What was sent since is not left any more."""
        kinds, now = self._told.setdefault(name, {}), self._clock()
        taken = self._taken.setdefault(name, {})
        for each in told:
            before = kinds.get(each.kind)
            since = sent.get(each.kind, taken.get(each.kind, 0))
            if before is None or since >= before.taken or now >= before.at + before.allowance.reset:
                kinds[each.kind] = _Told(each, now, since)

    def wait(self, name: str, need: Need) -> float:
        """Seconds until the server is likely to take such a call; 0 where nothing speaks against it now."""
        kinds = self._told.get(name)
        if not kinds:
            return 0.0
        now, taken = self._clock(), self._taken.get(name, {})
        return max([_wait(told, taken.get(kind, 0), need.of(kind), now) for kind, told in kinds.items()], default=0.0)

    def left(self, name: str) -> dict[Kind, int]:
        """What is left of each kind, as far as is known. For people who look."""
        now, taken = self._clock(), self._taken.get(name, {})
        return {
            kind: max(0, told.allowance.left - (taken.get(kind, 0) - told.taken))
            for kind, told in self._told.get(name, {}).items()
            if now < told.at + told.allowance.reset
        }


def _wait(told: _Told, taken: int, need: int, now: float) -> float:
    """What is missing comes back evenly where it is said how much comes in all, else all of it at the end."""
    allowance = told.allowance
    ends = told.at + allowance.reset
    if now >= ends:
        return 0.0
    left = allowance.left - (taken - told.taken)
    limit = allowance.limit
    missing = (need if limit is None else min(need, limit)) - left
    if missing <= 0:
        return 0.0
    used = None if limit is None else limit - left
    share = 1.0 if not used or used < missing else missing / used
    return max(0.0, told.at + allowance.reset * share - now)
