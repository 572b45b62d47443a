"""A single action, made again as far as its record and what was kept of it allow: the decision of its policies, the
choice of its model, its context. What cannot be made again is said."""

from typing import Literal

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.costs.record import Record, decode_record
from fairlead.errors import FairleadError, NotFound
from fairlead.execution.told_policies import Told
from fairlead.storage.log import Log
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault
from fairlead.workspace.backtesting import told_in
from fairlead.workspace.compile import Secrets
from fairlead.workspace.decisions_made import Undecided, made
from fairlead.workspace.replay import replay
from fairlead.workspace.revisions_compiled import Revisions
from fairlead.workspace.routing_audit import Predictors, audited

CameOut = Literal["the same", "NOT the same", "cannot be made again", "there was none"]


class Part(Struct, frozen=True):
    """One decision of a run, and how it came out when it was made again."""

    what: str
    came_out: CameOut
    said: str = ""


class Remade(Struct, frozen=True):
    """`same` where nothing came out otherwise; a part that cannot be made again is named as that."""

    run: str
    parts: tuple[Part, ...]

    @property
    def same(self) -> bool:
        """Whether nothing came out otherwise. What could not be made again does not count."""
        return all(each.came_out != "NOT the same" for each in self.parts)


def remade(store: Store, vault: Vault, run: str, secrets: Secrets, clock: Clock) -> Remade:
    """Raises `NotFound` where there is no such run."""
    rows = Log(store).of_run(run)
    records = [decode_record(each.record) for each in rows]
    last = next((number for number in range(len(rows) - 1, -1, -1) if records[number].kind.startswith("call_")), None)
    if last is None:
        raise NotFound(f"{run} is no action that could be made again", mend="fairlead runs lists those that are")
    sealed = Log(store).payload(rows[last].seq)
    return Remade(
        rows[last].run,
        (
            _policy(records[last], told_in(vault, sealed, rows[last].run), Revisions(store, secrets, clock)),
            _choice(records, store),
            _context(store, vault, records[last], secrets, clock),
        ),
    )


def _policy(record: Record, told: Told | None, revisions: Revisions) -> Part:
    again = revisions.of(record.revision)
    if isinstance(again, str):
        return Part("policies", "cannot be made again", again)
    found = made(record, told, again)
    if isinstance(found, Undecided):
        return Part("policies", "cannot be made again", found.why)
    return Part("policies", "the same", f"{found.effect}: {', '.join(found.rules) or 'no policy'}")


def _choice(records: list[Record], store: Store) -> Part:
    if not any(each.decision is not None for each in records):
        return Part("choice of the model", "there was none", "no objective decided")
    found = audited(records, Predictors(store))
    said = "; ".join([*(wrong for _, several in found.wrong for wrong in several), *found.unchecked])
    return Part("choice of the model", "NOT the same" if found.wrong else "the same", said)


def _context(store: Store, vault: Vault, record: Record, secrets: Secrets, clock: Clock) -> Part:
    if not record.pack:
        return Part("context", "there was none")
    try:
        found, _ = replay(store, vault, record.run, secrets, clock)
    except (FairleadError, msgspec.MsgspecError) as error:
        return Part("context", "cannot be made again", str(error))
    said = "; ".join(
        [*(f"then only: {each}" for each in found.only_then), *(f"now only: {each}" for each in found.only_now)]
    )
    return Part("context", "the same" if found.same else "NOT the same", said)
