"""Custody of what is kept: what workers do about it beside the requests, one of them at a time."""

import logging
from typing import Final, Protocol

import msgspec

from fairlead.clock import Clock
from fairlead.costs.record import decode_record, deed
from fairlead.models.declared import Secrets
from fairlead.storage.erasure import clear_away
from fairlead.storage.retention import About, Rules, compile_retention, sweep
from fairlead.storage.sessions import Sessions
from fairlead.storage.store import Store
from fairlead.storage.types import Entry
from fairlead.storage.vault import Vault
from fairlead.workspace.anchoring import Anchoring, compile_anchors
from fairlead.workspace.settings import WorkspaceSettings

log = logging.getLogger("fairlead.custody")

_LEAP: Final = 60_000.0  # milliseconds by which no clock is set right in small steps
_PAUSE: Final = 3600.0  # seconds


class Steadiness:
    """Whether the clock may decide that something is too old. Put forward by mistake it would have everything deleted,
    for good: after it has leapt nothing is, for an hour in which it can be put right."""

    def __init__(self, clock: Clock, *, back: bool = False) -> None:
        """`back`: a clock that is put back is waited for as well."""
        self._clock = clock
        self._back = back
        self._ahead = self._of_wall()
        self._wait_until = 0.0

    def holds(self) -> bool:
        """Ask before each deletion by age, every minute or so."""
        ahead, seconds = self._of_wall(), self._clock.monotonic()
        if ahead - self._ahead > _LEAP or (self._back and self._ahead - ahead > _LEAP):
            self._wait_until = seconds + _PAUSE
            log.warning(
                "the clock was put forward by %d s: nothing is deleted or asked for by age for an hour",
                (ahead - self._ahead) // 1000,
            )
        self._ahead = ahead
        return seconds >= self._wait_until

    def _of_wall(self) -> float:
        return self._clock.now() - self._clock.monotonic() * 1000


class Sweeps(Protocol):
    """What forgets by itself what is over."""

    def sweep(self) -> object:
        """Forget it. Cheap where nothing is over."""


class Custody:
    """Under the settings of the revision in force, which `under` gives. Blocking: call it in a thread."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, secrets: Secrets) -> None:
        self._anchoring = Anchoring(store, vault, clock, secrets, "")
        self._rules = Rules()
        self._steadiness = Steadiness(clock)
        self._store = store
        self._clock = clock

    def under(self, settings: WorkspaceSettings) -> None:
        """Another revision has come into force."""
        self._anchoring.organisation = settings.organisation
        self._anchoring.anchors = compile_anchors(settings.audit.anchors)
        self._rules = compile_retention(settings.retention)

    def anchor(self) -> None:
        """Deliver what was signed."""
        self._anchoring.deliver()

    def clear(self, sessions: Sessions, *others: Sweeps) -> None:
        """Clear away what the erased have left, and what was kept for long enough."""
        steady = self._steadiness.holds()
        while steady and sessions.sweep():
            continue
        for each in others if steady else ():
            each.sweep()
        with self._store.database.elected("clearing") as mine:
            if not mine:
                return
            clear_away(self._store, self._clock.now())
            if steady:
                sweep(self._store, self._rules, self._clock.now(), read, self._told)

    def _told(self, about: str) -> Entry:
        return deed(self._clock, "retention", by="fairlead", about=about)


def read(record: bytes) -> About:
    """What a rule needs of a record. One that somebody damaged is of no class: only `otherwise` is about it."""
    try:
        said = decode_record(record)
    except msgspec.DecodeError:
        return About("", "")
    return About(said.data_class, said.task)
