"""A worker's part of what all workers share: limits are divided by the number of those that live."""

import asyncio
from collections.abc import Collection
from pathlib import Path
from socket import gethostname

from fairlead.clock import Clock
from fairlead.execution import Fairlead
from fairlead.lanes.figures import DeploymentFigures, WorkerFigures, figures_of, write
from fairlead.storage.fleet import LEASE, Fleet, Member


class Turns:
    """A chore: counts the workers, takes this one's part of every limit, and tells how things stand. Does nothing where
    nothing is limited."""

    def __init__(self, fairlead: Fairlead, fleet: Fleet, worker: str, clock: Clock, folder: Path) -> None:
        self._fairlead = fairlead
        self._fleet = fleet
        self._worker = worker
        self._clock = clock
        self._folder = folder
        self._seen: dict[str, tuple[int, float]] = {}

    async def __call__(self) -> None:
        lanes, rates = self._fairlead.lanes, self._fairlead.rates
        if lanes.rules is None and rates.limits is None and not self._fairlead.deployment.shares:
            return
        workers, rank, here = await asyncio.to_thread(self._counted)
        self._fairlead.minutes.part = here / workers
        if (workers, rank) != (lanes.workers, lanes.rank):
            lanes.take_up(lanes.rules, workers, rank)
            rates.workers = workers
        figures = figures_of(lanes, self._clock.monotonic())
        standing = standing_of(self._fairlead)
        said = WorkerFigures(worker=self._worker, at=self._clock.now(), lanes=figures, deployments=standing)
        await asyncio.to_thread(write, self._folder, said)

    def _counted(self) -> tuple[int, int, int]:
        """How many live, which of them this one is, and how many of them are on this machine."""
        members, host = self._fleet.members(), gethostname()
        live = sorted(live_among(members, self._seen, self._clock.monotonic()) | {self._worker})
        elsewhere = {each.id for each in members if each.host != host} - {self._worker}
        return len(live), live.index(self._worker), sum(id not in elsewhere for id in live)


def standing_of(fairlead: Fairlead) -> tuple[DeploymentFigures, ...]:
    """How things stand at the deployments that calls are shared among."""
    deployment = fairlead.deployment
    found = []
    for name, model in (*deployment.models.items(), *deployment.embedders.models.items()):
        if model.group or model.per_minute:
            limit = model.per_minute
            requests, tokens = (None, None) if limit is None else fairlead.minutes.left(name, limit)
            calls, _ = fairlead.outstanding.busy.get(name, (0, 0))
            said = {str(kind): left for kind, left in fairlead.allowances.left(name).items()}
            ill = fairlead.health.reason(name) or ""
            found.append(
                DeploymentFigures(model=name, under_way=calls, requests=requests, tokens=tokens, said=said, ill=ill)
            )
    return tuple(found)


def live_among(members: Collection[Member], seen: dict[str, tuple[int, float]], now: float) -> set[str]:
    """Those that renewed their leases lately, or were not seen before, by our own seconds: another host's clock may be
    wrong. `seen` keeps what was found, from one look to the next."""
    for each in members:
        renewals, _ = seen.get(each.id, (-1, now))
        if renewals != each.renewals:
            seen[each.id] = each.renewals, now
    for gone in seen.keys() - {each.id for each in members}:
        del seen[gone]
    return {id for id, (_, at) in seen.items() if now - at < LEASE}
