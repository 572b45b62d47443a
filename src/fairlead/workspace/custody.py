"""Custody of what is kept: what workers do about it beside the requests, one of them at a time."""

import msgspec

from fairlead.clock import Clock
from fairlead.costs.record import decode_record, deed
from fairlead.models.declared import Secrets
from fairlead.storage.erasure import clear_away
from fairlead.storage.retention import About, Rules, compile_retention, sweep
from fairlead.storage.store import Store
from fairlead.storage.types import Entry
from fairlead.storage.vault import Vault
from fairlead.workspace.anchoring import Anchoring, compile_anchors
from fairlead.workspace.settings import WorkspaceSettings


class Custody:
    """Under the settings of the revision in force, which `under` gives. Blocking: call it in a thread."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, secrets: Secrets) -> None:
        self._anchoring = Anchoring(store, vault, clock, secrets, "")
        self._rules = Rules()
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

    def clear(self) -> None:
        """Clear away what the erased have left, and what was kept for long enough."""
        with self._store.database.elected("clearing") as mine:
            if mine:
                clear_away(self._store, self._clock.now())
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
