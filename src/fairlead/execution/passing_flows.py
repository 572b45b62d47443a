"""Flows of work that nothing may be kept of: in this process's memory, until whoever walks the work forgets them.

They say where values come from exactly as kept ones do; only, they are gone with the process.
"""

from collections.abc import Sequence
from threading import Lock

from fairlead.execution.flow_step import Step, merged


class PassingFlows:
    """By name, which is a run's own id: nobody else's work is called so. `most` steps of each, older ones merged."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._flows: dict[str, tuple[Step, ...]] = {}
        self._lock = Lock()

    def steps(self, name: str) -> tuple[Step, ...]:
        """The steps of a flow so far, the oldest first."""
        return self._flows.get(name, ())

    def add(self, name: str, steps: Sequence[Step]) -> None:
        """Go on with a flow. Beyond `most` the older half becomes one step."""
        with self._lock:
            every = (*self._flows.get(name, ()), *steps)
            if len(every) > self._most:
                half = len(every) - self._most // 2
                every = (merged("merged", list(every[:half])), *every[half:])
            self._flows[name] = every

    def forget(self, name: str) -> None:
        """Forget a flow, once its work is over."""
        with self._lock:
            self._flows.pop(name, None)
