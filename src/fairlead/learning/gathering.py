"""Gathering outcomes from the log, beside the requests: one worker does it for all, a page at a time, from a mark on.

Outcomes and mark are one transaction, so a worker that dies anywhere loses and doubles nothing. Where the workspace
names nothing under `outcomes.seen`, nothing is done."""

import asyncio
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec

from fairlead.clock import Clock
from fairlead.costs.payload import Payload, decode_payload
from fairlead.costs.record import Record, decode_record
from fairlead.errors import FairleadError
from fairlead.learning.asked import asked, fits, same
from fairlead.learning.seen import Row, Seeing
from fairlead.learning.settings import OutcomesSettings
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault

_PAGE: Final = 500
_PAGES: Final = 20  # at once; the rest is for the next time
_PURPOSE: Final = b"outcomes"
_DAY: Final = 86_400_000


class Gathering:
    """One process's part in it. `settings` and `organisation` are replaced when another revision comes into force."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self.settings = OutcomesSettings()
        self.organisation = ""
        self._store = store
        self._vault = vault
        self._clock = clock
        self._seeing = Seeing()

    async def chore(self) -> None:
        """Ask every quarter of a minute or so."""
        if self.settings.seen:
            await asyncio.to_thread(self.run)

    def run(self) -> int:
        """Look at what has come to the log since the last time. How many outcomes that told."""
        with self._store.database.elected("outcomes") as mine:
            return self._gathered() if mine else 0

    def sweep(self) -> None:
        """Forget outcomes that nobody looks back to any more, whoever said them. Blocking."""
        from fairlead.storage import outcome_rows as table

        before = self._clock.now() - int(self.settings.keep * _DAY)
        with self._store.reading() as connection:
            if not table.is_any_before(connection, before):
                return
        with self._store.writing() as connection:
            table.forget_outcomes(connection, before)

    def _gathered(self) -> int:
        from fairlead.storage import outcome_rows as table
        from fairlead.storage.checkpoints import log_origin

        settings, many = self.settings, 0
        self._store.bring_in_order()
        key = self._vault.derived_key(log_origin(self._store, self.organisation), _PURPOSE)
        for _ in range(_PAGES):
            with self._store.reading() as connection:
                mark = table.mark(connection)
                page = table.page_of_log(connection, mark, _PAGE)
            found = [each for row in page for each in self._seeing.look(self._row(row, key), settings)]
            with self._store.writing() as connection:
                if table.mark(connection) != mark:  # another was elected meanwhile, and was faster
                    return many
                table.keep(connection, found)
                if page:
                    table.set_mark(connection, page[-1].seq)
            many += len(found)
            if len(page) < _PAGE:
                break
        return many

    def _row(self, row: Any, key: bytes) -> Row:
        """A record that somebody damaged tells nothing."""
        try:
            record = decode_record(bytes(row.record))
        except msgspec.DecodeError:
            return Row(record=Record(at=row.at, kind="", run=row.run, v=0))
        kept = self._kept(row) if record.kind == "call_model" and record.outcome == "done" else None
        if kept is None:
            return Row(record=record)
        wanted = asked(kept.body)
        return Row(
            record=record,
            question=_digest(key, (record.person, same(wanted.text))) if wanted.text else "",
            reply=_digest(key, (same(kept.reply),)) if kept.reply else "",
            fits=fits(kept.reply, wanted) if wanted.wants_json else None,
        )

    def _kept(self, row: Any) -> Payload | None:
        """What was asked and answered; None where it was not kept, or was erased."""
        if row.ciphertext is None:
            return None
        try:
            return decode_payload(self._vault.open_sealed(row.subject, bytes(row.ciphertext), row.run.encode()))
        except (FairleadError, msgspec.DecodeError):
            return None


def _digest(key: bytes, parts: Sequence[str]) -> str:
    """Tells equal texts from others, and nothing else, to whoever lacks the key."""
    return blake2b("\x00".join(parts).encode("utf-8", "replace"), key=key[:64], digest_size=8).hexdigest()
