"""A group of writes as the arrays that `fairlead_write` takes, and its answers read back. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from msgspec import msgpack
from msgspec.structs import replace

from fairlead.errors import OverBudget
from fairlead.storage.group import MOST, Key, scopes
from fairlead.storage.types import Entry, Hold, Receipt, ScopeLimit, Write

_encode_limits = msgpack.Encoder().encode
_SHARE = 1000  # the SQL tells a warning as the limit's position times this, and the share that was passed

Answer = Receipt | OverBudget


@dataclass(slots=True)
class _Holds:
    """Holds that close, or holds that open, with their limits one after another. Positions count from 1."""

    holds: list[Hold] = field(default_factory=list)
    first: list[int] = field(default_factory=lambda: [1])
    limits: list[ScopeLimit] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)

    def add(self, hold: Hold, keys: dict[Key, int]) -> int:
        for key, limit in scopes(hold.limits).items():
            self.limits.append(limit)
            self.keys.append(keys.setdefault(key, len(keys) + 1))
        self.first.append(len(self.limits) + 1)
        self.holds.append(hold)
        return len(self.holds)


class Flat:
    """A group, flattened. `arguments` are those of `fairlead_write` after worker, token and time."""

    def __init__(self, writes: Sequence[Write]) -> None:
        keys: dict[Key, int] = {}
        closing, opening = _Holds(), _Holds()
        spent, a_close, an_open, entry_of = [], [], [], []
        entries: list[Entry] = []
        for number, write in enumerate(writes, 1):
            a_close.append(closing.add(write.close, keys) if write.close is not None else 0)
            an_open.append(opening.add(write.open, keys) if write.open is not None else 0)
            if write.close is not None:
                spent.append(min(write.spent, MOST))
            entry_of.extend([number] * len(write.entries))
            entries.extend(write.entries)
        self._writes = writes
        self._closing, self._opening = closing, opening
        self.arguments = (
            [scope for scope, _ in keys],
            [period for _, period in keys],
            a_close,
            an_open,
            [hold.id for hold in closing.holds],
            [hold.amount for hold in closing.holds],
            spent,
            closing.first,
            closing.keys,
            [min(limit.cap, MOST) for limit in closing.limits],
            list(accumulate((len(limit.shares) for limit in closing.limits), initial=1)),
            [share for limit in closing.limits for share in limit.shares],
            [hold.id for hold in opening.holds],
            [hold.amount for hold in opening.holds],
            [_encoded(hold.limits) for hold in opening.holds],
            [hold.intent for hold in opening.holds],
            opening.first,
            opening.keys,
            [min(limit.cap, MOST) for limit in opening.limits],
            entry_of,
            [entry.run for entry in entries],
            [entry.at for entry in entries],
            [entry.record for entry in entries],
            [entry.spans for entry in entries],
            [entry.payload.subject if entry.payload else "" for entry in entries],
            [entry.payload.ciphertext if entry.payload else b"" for entry in entries],
        )

    def answers(
        self, outcomes: Sequence[int], refusers: Sequence[int], lefts: Sequence[int], warned: Sequence[int]
    ) -> list[Answer]:
        """What each write's caller is to be told, in the order of the writes."""
        refusals = iter(zip(refusers, lefts, strict=True))
        warnings = self._warnings(warned)
        answers: list[Answer] = []
        for number, outcome in enumerate(outcomes):
            write = self._writes[number]
            if outcome == 1:
                answers.append(_SETTLED_BEFORE)
            elif outcome == 2 and write.open is not None:
                refuser, left = next(refusals)
                limit = self._opening.limits[refuser - 1]
                needed = write.open.amount
                answers.append(OverBudget(scope=limit.scope, period=limit.period, left=int(left), needed=needed))
            elif write.close is not None and (due := warnings.get(write.close.id)):
                answers.append(Receipt(warnings=tuple(due)))
            else:
                answers.append(_DONE)
        return answers

    def _warnings(self, warned: Sequence[int]) -> dict[str, list[ScopeLimit]]:
        """The thresholds that were passed, by the hold whose settlement tells of them."""
        if not warned:
            return {}
        closing, due = self._closing, dict[str, list[ScopeLimit]]()
        owner = [hold.id for n, hold in enumerate(closing.holds) for _ in range(closing.first[n], closing.first[n + 1])]
        for position, share in (divmod(each, _SHARE) for each in warned):
            limit = replace(closing.limits[position - 1], shares=(share,))
            due.setdefault(owner[position - 1], []).append(limit)
        return due


def _encoded(limits: tuple[ScopeLimit, ...]) -> bytes:
    try:
        return _encode_limits(limits)
    except OverflowError:  # a cap beyond what any balance can reach
        return _encode_limits([replace(limit, cap=min(limit.cap, MOST)) for limit in limits])


_DONE = Receipt()
_SETTLED_BEFORE = Receipt(closed=False)
