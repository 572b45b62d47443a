"""How soon answers began lately, and for how many calls another was sent: what hedging goes by, in one worker."""

from collections import deque
from typing import Final

from fairlead.tasks.hedges import Hedge

_KEPT: Final = 200
_ENOUGH: Final = 20  # times from which a twentieth can be told
_PART: Final = 0.95
_AT_ONCE: Final = 100  # calls whose share may be spent in a burst


class FirstBytes:
    """By task type and model. Nothing is kept where no task type is hedged."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, str], deque[float]] = {}
        self._credit: dict[str, float] = {}

    def note(self, task: str, model: str, seconds: float) -> None:
        """An answer began so soon, or has not begun by then, when another one did."""
        self._seconds.setdefault((task, model), deque(maxlen=_KEPT)).append(seconds)

    def usual(self, task: str, model: str) -> float | None:
        """What nineteen of twenty took lately; None where too little is known."""
        seen = self._seconds.get((task, model))
        if seen is None or len(seen) < _ENOUGH:
            return None
        return sorted(seen)[int(len(seen) * _PART)]

    def begins(self, task: str, hedge: Hedge) -> None:
        """A call of this kind begins: it earns its share of another one."""
        most = max(1.0, hedge.share * _AT_ONCE)
        self._credit[task] = min(most, self._credit.get(task, 1.0) + hedge.share)

    def take(self, task: str) -> bool:
        """Whether another one may be sent beside a call of this kind; then that is spent."""
        credit = self._credit.get(task, 0.0)
        if credit < 1.0:
            return False
        self._credit[task] = credit - 1.0
        return True

    def give_back(self, task: str) -> None:
        """It was not sent after all."""
        self._credit[task] = self._credit.get(task, 0.0) + 1.0
