"""What the log, the pages and the policies say of a run's actions: the facts that a trace is told."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from fairlead.clock import Clock
from fairlead.costs.record import Record, decode_record
from fairlead.errors import FairleadError, NotFound
from fairlead.execution.told_policies import Told
from fairlead.policy.types import Decision
from fairlead.storage.log import Log
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault
from fairlead.workflows.opened import Opened
from fairlead.workflows.runs import Runs
from fairlead.workflows.tracing.facts import Action, Attempt, Change, Page
from fairlead.workflows.tracing.from_records import Met
from fairlead.workflows.tracing.replaying import Rerun, rerun
from fairlead.workspace.backtesting import told_in
from fairlead.workspace.compile import Secrets
from fairlead.workspace.deciding_again import Again, Unknown, caller_of, differing_rules, labels_of
from fairlead.workspace.revisions_compiled import Revisions

_MOST_EARLIER: Final = 20  # runs of which the same call is compared
_LOOKED_AT: Final = 5000  # records of calls among which it is looked for


async def opened_again(runs: Runs, id_: str) -> Rerun:
    """A run, walked again from its records. Raises `NotFound`, `BadInput`, `Broken`."""
    opened = runs.open(id_)
    return await rerun(opened, [wait.place for wait, _ in runs.waits(opened)])


class LoggedFacts:
    """The `Facts` of one run, read when they are asked for."""

    def __init__(self, store: Store, vault: Vault, clock: Clock, secrets: Secrets, run: Rerun) -> None:
        self._store = store
        self._vault = vault
        self._log = Log(store)
        self._runs = Runs(store, vault, clock)
        self._revisions = Revisions(store, secrets, clock)
        self._run = run
        self._records: dict[str, list[tuple[int, Record]]] = {}
        self._told: dict[str, Told | None] = {}
        self._opened: dict[str, Opened | None] = {}

    def action(self, run: str) -> Action | None:
        rows = self._of(run)
        if not rows:
            return None
        last = rows[-1][1]
        tries = [each for _, each in rows if each.model]
        return Action(
            run=run, at=last.at, model=last.model or (tries[-1].model if tries else ""), revision=last.revision,
            outcome=last.outcome, error=last.error.code if last.error else "", policies=last.policies,
            attempts=tuple(Attempt(each.model, each.error.code if each.error else "") for each in tries),
            citations=last.citations, task=last.task, cost=sum(each.cost for _, each in rows),
        )  # fmt: skip

    def records(self, run: str) -> list[Record]:
        """The records of an action, its attempts first."""
        return [each for _, each in self._of(run)]

    def pages(self, run: str) -> tuple[Page, ...]:
        rows = self._of(run)
        if not rows:
            return ()
        record = rows[-1][1]
        found = (self._page(each, record.at) for each in record.citations)
        return tuple(each for each in found if each is not None)

    def earlier(self, call: Met) -> tuple[Any, ...]:
        record = self._call_record(call)
        if record is None or not record.arguments:
            return ()
        found = []
        for run, place, action in self._same_calls(record):
            value = self._value(run, place)
            if value is not None:
                found.append((action, value))
        return tuple(value for _, value in sorted(found, key=lambda each: each[0])[-_MOST_EARLIER:])

    def changed(self, run: str) -> Change | None:
        rows, first = self._of(run), self._first_revision
        if not rows or not first or rows[-1][1].revision in ("", first):
            return None
        row, record = rows[-1]
        before, after = self._again(first), self._again(record.revision)
        if before is None or after is None:
            return None
        told = self._told_of(run, row)
        was, now = _verdict(before, record, told), _verdict(after, record, told)
        if was is None or now is None or was[0] == now[0]:
            return None
        rules = differing_rules(before, after, (*now[1], *was[1], *record.policies))
        return Change(was=was[0], now=now[0], began_under=first, decided_under=record.revision, rules=rules)

    # ---- records ---------------------------------------------------------------------------------------------------

    def _of(self, run: str) -> list[tuple[int, Record]]:
        if run not in self._records:
            try:
                rows = self._log.of_run(run)
            except NotFound:
                rows = []
            self._records[run] = [(each.seq, decode_record(each.record)) for each in rows]
        return self._records[run]

    @cached_property
    def _first_revision(self) -> str:
        """The revision that the first action of the run was decided by."""
        met = [each for each in self._run.met.values() if each.action or each.failed is not None]
        for each in sorted(met, key=lambda one: one.ended_at):
            rows = self._of(each.action or (each.failed.run if each.failed else ""))
            if rows and rows[-1][1].revision:
                return rows[-1][1].revision
        return ""

    def _told_of(self, run: str, seq: int) -> Told | None:
        if run not in self._told:
            self._told[run] = told_in(self._vault, self._log.payload(seq), run)
        return self._told[run]

    def _again(self, revision: str) -> Again | None:
        workspace = self._revisions.of(revision)
        return None if isinstance(workspace, str) else self._agains.setdefault(revision, Again(workspace))

    @cached_property
    def _agains(self) -> dict[str, Again]:
        return {}

    # ---- pages -----------------------------------------------------------------------------------------------------

    def _page(self, citation: str, at: int) -> Page | None:
        """A section as it was given, and what became of it."""
        from sqlalchemy import select

        from fairlead.context.history import history
        from fairlead.storage.context_tables import context_item, context_section

        whole, _, identity = citation.partition("#")
        item, _, version = whole.rpartition("@")
        section, page = context_section.c, context_item.c
        with self._store.reading() as connection:
            text = connection.execute(
                select(section.text).where(
                    section.item == item, section.version == version, section.identity == identity
                )
            ).scalar()
            about = connection.execute(
                select(page.expires, page.text).where(page.id == item, page.version == version)
            ).first()
        if about is None:
            return None
        newest = next((each for each in history(self._store, item) if each.at), None)
        day = datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
        newer, newer_at = None, 0
        if newest is not None and newest.version != version:
            newer, newer_at = self._text_of(newest.item, newest.version), newest.at
        return Page(
            citation=citation, text=str(text or about.text), newer=newer, newer_at=newer_at,
            expired=about.expires if about.expires and about.expires < day else "",
        )  # fmt: skip

    def _text_of(self, item: str, version: str) -> str:
        from sqlalchemy import select

        from fairlead.storage.context_tables import context_item

        query = select(context_item.c.text).where(context_item.c.id == item, context_item.c.version == version)
        with self._store.reading() as connection:
            return str(connection.execute(query).scalar() or "")

    # ---- calls of before -------------------------------------------------------------------------------------------

    def _call_record(self, call: Met) -> Record | None:
        rows = self._of(call.action) if call.action else []
        return next((each for _, each in reversed(rows) if each.kind == "call_tool"), None)

    def _same_calls(self, record: Record) -> list[tuple[str, str, str]]:
        """Steps of other runs that made the very same call: run, place and action."""
        from sqlalchemy import select

        from fairlead.storage.schema import log
        from fairlead.storage.workflow_tables import workflow_step

        step = workflow_step.c
        query = (
            select(step.run, step.place, step.action, log.c.record)
            .join(log, log.c.run == step.action)
            .where(step.at <= record.at, step.status == "done", step.run != self._run.opened.run.id)
            .order_by(step.at.desc())
            .limit(_LOOKED_AT)
        )
        found = []
        with self._store.reading() as connection:
            for run, place, action, body in connection.execute(query):
                if record.arguments.encode() in bytes(body):
                    found.append((run, place, action))
                if len(found) == _MOST_EARLIER:
                    break
        return found

    def _value(self, run: str, place: str) -> Any:
        if run not in self._opened:
            try:
                self._opened[run] = self._runs.open(run)
            except FairleadError:  # it, or its person, was erased; or it is damaged, which is not this run's matter
                self._opened[run] = None
        opened = self._opened[run]
        if opened is None or place not in opened.results:
            return None
        row = opened.results[place]
        plain: Mapping[str, Any] = opened.key.open(place, row.sealed)
        return plain.get("value")


def _verdict(again: Again, record: Record, told: Told | None) -> tuple[str, tuple[str, ...]] | None:
    """What is decided of an action, and by which policies; None where that cannot be known."""
    caller, labels = caller_of(record, told, again.workspace), labels_of(record)
    if isinstance(caller, Unknown) or isinstance(labels, Unknown):
        return None
    if record.kind == "call_tool":
        if told is None or told.call is None:
            return None
        decision = again.tool(record, told, labels, frozenset())
        return (
            None
            if isinstance(decision, Unknown)
            else (decision.effect, tuple(each.policy for each in decision.reasons))
        )
    decisions = again.models(record, caller, labels)
    asked = {name for name, by in record.dropped if by == "not asked for"}
    concerned = {name: each for name, each in decisions.items() if name not in asked}
    rules = tuple(dict.fromkeys(reason.policy for each in concerned.values() for reason in each.reasons))
    return ", ".join(_said(name, each) for name, each in sorted(concerned.items())), rules


def _said(name: str, decision: Decision) -> str:
    taken = f" without {', '.join(sorted(decision.redact))}" if decision.redact else ""
    return f"{name} {decision.effect}{taken}"
