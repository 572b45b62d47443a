"""Flows that are kept for agents: what each was told and has read, sealed under the key of the person it acts for.

A flow belongs to a person, an agent and a name. A step is a row of its own and is never changed, so that two calls at
once lose nothing of each other: what either has read counts in every call that is made after it was given. What is too
much, or too old, is merged: it proves nothing any more, and its sources are those of all that may have stood in it.
Every method reads or writes the database: call it in a thread.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.clock import Clock, new_id
from fairlead.errors import NotFound
from fairlead.execution.flow import Flow
from fairlead.execution.flow_step import Step, merged
from fairlead.execution.passing_flows import PassingFlows
from fairlead.execution.step_encoding import decode_step, encode_step
from fairlead.policy.tool_rights import UNKNOWN
from fairlead.storage.store import Store
from fairlead.storage.types import NewStep
from fairlead.storage.vault import SubjectKey, Vault

if TYPE_CHECKING:
    from fairlead.storage.flow_rows import StepKey

MOST_STEPS: Final = 64
MOST_BYTES: Final = 512 << 10
"""Of one flow, each; a quarter of the bytes for one step."""

_REMEMBERED: Final = 2048  # flows whose steps this process knows,
_REMEMBERED_BYTES: Final = 4 << 20  # of all their steps, sealed; opened they take several times that
_PATIENCE: Final = 3
_WORTH_MERGING: Final = 2


class FlowOf(Struct, frozen=True):
    """Whose flow it is, and which: "" for the one that an agent has which names none. One that is not `kept` is in this
    process's memory only."""

    person: str
    tenant: str
    agent: str
    name: str
    kept: bool = True


class _MergedMeanwhile(Exception):
    """Others have merged what was to be merged here."""


class Flows:
    """All flows of a deployment. `keep` is in milliseconds, and replaced when another revision comes into force."""

    def __init__(
        self, store: Store, vault: Vault, clock: Clock, *, steps: int = MOST_STEPS, size: int = MOST_BYTES
    ) -> None:
        self.keep = 0
        self._most_steps = steps
        self._most_bytes = size
        self._store = store
        self._vault = vault
        self._clock = clock
        self._known: OrderedDict[str, dict[str, tuple[StepKey, Step]]] = OrderedDict()
        self._known_bytes = 0
        self._passing = PassingFlows(steps)
        self._lock = Lock()

    def flow(self, of: FlowOf) -> Flow:
        """What there is. Nobody here sees all that an agent reads: what nothing proves is of unknown source too."""
        if not of.kept:
            return Flow(self._passing.steps(of.name), UNKNOWN)
        key = self._vault.subject_for(of.person)
        found = self._steps(key, _id(key, of))
        since = self._clock.now() - self.keep
        old = [step for key_of, step in found if key_of.at <= since]
        young = [step for key_of, step in found if key_of.at > since]
        before = [merged("merged", old)] if any(not each.sieve for each in old) else old
        return Flow((*before, *young), UNKNOWN)

    def add(self, of: FlowOf, steps: Sequence[Step]) -> None:
        """Keep these too. Durable when this returns. Raises `NotFound` where the person is gone."""
        from sqlalchemy.exc import IntegrityError

        from fairlead.storage import flow_rows as table

        if not of.kept:
            self._passing.add(of.name, steps)
        if not of.kept or not steps:
            return
        key = self._vault.subject_for(of.person)
        flow = _id(key, of)
        made = [self._row(key, flow, each) for each in steps]
        new = [row for row, _ in made]
        for patience in range(_PATIENCE, -1, -1):
            taken, coarse = self._too_much(key, flow, new) if patience else ((), [])
            try:
                with self._store.writing() as connection:
                    if taken:
                        self._store.database.wipe(connection)
                        if not table.take_out(connection, flow, taken):
                            raise _MergedMeanwhile
                    table.insert_steps(connection, [*coarse, *new])
                self._remember(flow, made)
                return
            except _MergedMeanwhile:
                continue
            except IntegrityError:
                raise NotFound("the person was erased meanwhile", mend="begin anew") from None

    def row(self, of: FlowOf, step: Step) -> NewStep | None:
        """The step as the journal keeps it, in the commit of what it belongs to; None where that takes more, and `add`
        is to be called. Reads no database, unlike all others here."""
        key = self._vault.cached(of.person) if of.kept else None
        if key is None:
            return None
        flow = _id(key, of)
        row, kept = self._row(key, flow, step)
        with self._lock:
            known = self._known.get(flow)
        if known is None or not self._has_room([each for each, _ in known.values()], [row]):
            return None
        self._remember(flow, [(row, kept)])
        return row

    def forget(self, name: str) -> None:
        """Drop a flow that is not kept."""
        self._passing.forget(name)

    def sweep(self) -> None:
        """Forget the flows that nobody has gone on with for as long as they are kept."""
        from fairlead.storage import flow_rows as table

        since = self._clock.now() - self.keep
        with self._store.reading() as connection:
            over = table.expired(connection, since)
        if over:
            with self._store.writing() as connection:
                self._store.database.wipe(connection)
                table.forget_expired(connection, over, since)

    def clear_cache(self) -> None:
        """Drop what this process knows of them: call it whenever the epoch changes."""
        with self._lock:
            self._known.clear()
            self._known_bytes = 0

    def _steps(self, key: SubjectKey, flow: str) -> "list[tuple[StepKey, Step]]":
        """All of them, the oldest first. What this process has opened before is not opened again."""
        from fairlead.storage import flow_rows as table

        with self._lock:
            known = self._known.get(flow, {})
        with self._store.reading() as connection:
            if table.ids(connection, flow) == known.keys():
                return list(known.values())
            keys = table.keys(connection, flow)
            missing = [each.id for each in keys if each.id not in known]
            rows = table.rows(connection, flow, missing if known else ()) if missing else []
        opened = {row.id: self._opened(key, flow, row.id, row.sealed) for row in rows}
        steps = {each.id: known.get(each.id) or (each, opened[each.id]) for each in keys}
        with self._lock:
            self._know(flow, steps)
        return list(steps.values())

    def _know(self, flow: str, steps: "dict[str, tuple[StepKey, Step]]") -> None:
        """What is known of a flow is replaced as a whole, never changed."""
        self._known_bytes += _size(steps) - _size(self._known.pop(flow, {}))
        self._known[flow] = steps
        while len(self._known) > _REMEMBERED or (self._known_bytes > _REMEMBERED_BYTES and len(self._known) > 1):
            self._known_bytes -= _size(self._known.popitem(last=False)[1])

    def _remember(self, flow: str, made: Iterable[tuple[NewStep, Step]]) -> None:
        """Steps that were just kept, or are about to be, as they are when they are opened."""
        from fairlead.storage.flow_rows import StepKey

        new = {row.id: (StepKey(row.id, row.at, row.size), step) for row, step in made}
        with self._lock:
            if flow in self._known:
                self._know(flow, self._known[flow] | new)

    def _too_much(self, key: SubjectKey, flow: str, new: Sequence[NewStep]) -> tuple[list[str], list[NewStep]]:
        """The ids of what is to be merged, and the row that takes its place. As long as what this process knows is far
        from the bounds, nobody looks: others may have added a little meanwhile."""
        with self._lock:
            known = list(self._known.get(flow, {}).values())
        if known and self._has_room([each for each, _ in known], new, part=2):
            return [], []
        found = self._steps(key, flow)
        keys = [each for each, _ in found]
        size = sum(each.size for each in keys) + sum(each.size for each in new)
        count = len(keys) + len(new)
        since, taken = self._clock.now() - self.keep, []
        steps_left, size_left = self._most_steps, self._most_bytes
        if size > size_left or count > steps_left:
            steps_left, size_left = steps_left // 2, size_left // 2
        for each in keys:
            if each.at > since and size <= size_left and count <= steps_left:
                break
            taken.append(each)
            size, count = size - each.size, count - 1
        if len(taken) < _WORTH_MERGING:
            return [], []
        row, _ = self._row(key, flow, merged("merged", [step for _, step in found[: len(taken)]]), at=taken[-1].at)
        return [each.id for each in taken], [row]

    def _has_room(self, keys: "Sequence[StepKey]", new: Sequence[NewStep], *, part: int = 1) -> bool:
        """Within that part of the bounds: less than all of them where others may have added what is not known here."""
        size = sum(each.size for each in keys) + sum(each.size for each in new)
        since = self._clock.now() - self.keep
        old = sum(each.at <= since for each in keys)
        return (
            old < _WORTH_MERGING
            and size <= self._most_bytes // part
            and len(keys) + len(new) <= self._most_steps // part
        )

    def _row(self, key: SubjectKey, flow: str, step: Step, at: int = 0) -> tuple[NewStep, Step]:
        """Its row, and the step as that row opens."""
        plain, whole = encode_step(step, self._most_bytes // 4)
        # A step that a call made is found by its run; of all others nobody needs the id.
        id_ = step.id if step.id.startswith("run_") else new_id(self._clock, "step")
        sealed = self._vault.seal(key, plain, _about(flow, id_))
        at = at or self._clock.now()
        return NewStep(id=id_, flow=flow, subject=key.id, at=at, size=len(sealed), sealed=sealed), (
            replace(step, id=id_) if whole else decode_step(id_, plain)
        )

    def _opened(self, key: SubjectKey, flow: str, id_: str, sealed: bytes) -> Step:
        return decode_step(id_, self._vault.open_own(key, bytes(sealed), _about(flow, id_)))


def _size(steps: "dict[str, tuple[StepKey, Step]]") -> int:
    return sum(key.size for key, _ in steps.values())


def _id(key: SubjectKey, of: FlowOf) -> str:
    parts = (key.id, of.tenant, of.agent, of.name)
    return "flow_" + sha256("\x00".join(f"{len(each)}:{each}" for each in parts).encode()).hexdigest()[:32]


def _about(flow: str, id_: str) -> bytes:
    """What a sealed row is bound to: it opens in no other place."""
    return f"flow\x00{flow}\x00{id_}".encode()
