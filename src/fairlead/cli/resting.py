"""When there is nothing to wait for any more with a run that somebody follows."""

from typing import Any, Final

OVER: Final = ("done", "failed", "cancelled", "lost")
"""The states of runs of which nothing more comes."""

_SOON: Final = 60_000  # ms


def rests(run: dict[str, Any]) -> bool:
    """Whether a run, as its door tells of it, is over or waits for somebody. One that only lets a minute go by at most,
    before it tries something again, goes on by itself."""
    if run["status"] in (*OVER, "paused"):
        return True
    waits = run.get("waits")
    return run["status"] == "waiting" and not (waits and all(map(_soon, waits)))


def _soon(wait: dict[str, Any]) -> bool:
    return wait["for"] == "time" and wait["until"] is not None and wait["until"] - wait["asked_at"] <= _SOON
