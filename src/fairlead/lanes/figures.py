"""What a worker says of its lanes, for people who look: a small file beside the database, renewed every second."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.lanes.turns import Lanes

FOLDER: Final = "queues"
_FRESH: Final = 5_000  # milliseconds
_OLD: Final = 3_600_000


class LaneFigures(Struct, frozen=True, kw_only=True):
    """One lane. `places` is this worker's part of the lane's limit, None for none; `longest_wait` is in seconds, of
    those who wait now; `refused` counts since the worker started."""

    lane: str
    running: int = 0
    places: int | None = None
    waiting: int = 0
    longest_wait: float = 0.0
    refused: int = 0


class DeploymentFigures(Struct, frozen=True, kw_only=True):
    """A model with a limit, or one of a model's deployments: what a worker has under way there; how many `requests` and
    `tokens` are left of a minute, all workers of the machine together, None where nothing is declared; what its server
    last said is left; and why it is left alone, "" if it is not."""

    model: str
    under_way: int = 0
    requests: int | None = None
    tokens: int | None = None
    said: dict[str, int] = {}
    ill: str = ""


class WorkerFigures(Struct, frozen=True, kw_only=True):
    """One worker, at a moment in milliseconds since 1970."""

    worker: str
    at: int
    lanes: tuple[LaneFigures, ...] = ()
    deployments: tuple[DeploymentFigures, ...] = ()


def figures_of(lanes: Lanes, now: float) -> tuple[LaneFigures, ...]:
    """How things stand in every lane, at `now` in the lanes' own seconds."""
    if lanes.rules is None:
        return ()
    waiting: dict[str, list[float]] = {}
    for place in lanes.waiting():
        waiting.setdefault(place.lane, []).append(now - place.arrived)
    return tuple(
        LaneFigures(
            lane=name,
            running=lanes.running(name),
            places=lanes.places(name),
            waiting=len(waits := waiting.get(name, [])),
            longest_wait=round(max(waits, default=0.0), 3),
            refused=lanes.refused.get(name, 0),
        )
        for name in lanes.rules.lanes
    )


def write(folder: Path, figures: WorkerFigures) -> None:
    """Put a worker's figures where `read` finds them, and clear away what was left by those that died."""
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{figures.worker}.new"
    made.write_bytes(msgspec.json.encode(figures))
    made.rename(folder / f"{figures.worker}.json")
    for path in folder.glob("*.json"):
        found = _read(path)
        if found is None or found.at < figures.at - _OLD:
            path.unlink(missing_ok=True)


def read(folder: Path, now: int) -> Iterable[WorkerFigures]:
    """The figures of the workers that serve on this machine at `now` (milliseconds since 1970)."""
    found = (_read(path) for path in sorted(folder.glob("*.json")))
    return [each for each in found if each is not None and abs(now - each.at) < _FRESH]


def _read(path: Path) -> WorkerFigures | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=WorkerFigures)
    except (OSError, msgspec.DecodeError):  # its worker has just ended, or was cut off while it wrote
        return None
