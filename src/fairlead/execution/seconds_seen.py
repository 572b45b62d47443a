"""How long models took to answer lately, in this worker: what is expected of them where nothing was learnt yet."""

from typing import Final

_SHARE: Final = 0.1  # of the latest answer in what is expected


class SecondsSeen:
    """A smoothed figure for each model that was asked where an objective wants to know."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def note(self, model: str, seconds: float) -> None:
        """It has answered completely."""
        before = self._seconds.get(model)
        self._seconds[model] = seconds if before is None else before + _SHARE * (seconds - before)

    def of(self, model: str) -> float | None:
        """What its next answer is expected to take, None before its first."""
        return self._seconds.get(model)
