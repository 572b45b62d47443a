"""Carrying retention out beside the requests, in one worker at a time."""

import msgspec

from fairlead.clock import Clock
from fairlead.costs.record import decode_record, deed
from fairlead.storage.retention import About, Rules, Swept, sweep
from fairlead.storage.store import Store


class Sweeping:
    """Deletes what the rules of the revision in force say. `rules` is replaced when another comes into force."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.rules = Rules()
        self._store = store
        self._clock = clock

    def sweep(self) -> Swept:
        """Blocks; returns at once where no rule is declared, or nothing is due."""
        return sweep(
            self._store,
            self.rules,
            self._clock.now(),
            read,
            lambda about: deed(self._clock, "retention", by="fairlead", about=about),
        )


def read(record: bytes) -> About:
    """What a rule needs of a record. One that somebody damaged is of no class: only `otherwise` is about it."""
    try:
        said = decode_record(record)
    except msgspec.DecodeError:
        return About("", "")
    return About(said.data_class, said.task)
