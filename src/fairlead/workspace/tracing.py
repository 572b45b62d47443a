"""What the log, the pages and the policies say of a run's actions: the facts that a trace is told."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final

from fairlead.clock import Clock
from fairlead.context.catalogue import load_catalogue
from fairlead.context.history import history
from fairlead.costs.record import Record
from fairlead.errors import FairleadError, NotFound
from fairlead.execution.told_policies import Told
from fairlead.storage import page_rows, workflow_step_rows
from fairlead.storage.fleet import Fleet
from fairlead.storage.log import Log
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault
from fairlead.workflows.opened import Opened
from fairlead.workflows.runs import Runs
from fairlead.workflows.tracing.facts import Action, Change, Page, Unread
from fairlead.workflows.tracing.from_records import Met
from fairlead.workflows.tracing.logged import Logged
from fairlead.workflows.tracing.replaying import Rerun, rerun
from fairlead.workspace.backtesting import told_in
from fairlead.workspace.compile import Secrets
from fairlead.workspace.decided_otherwise import let_go, unread, verdict
from fairlead.workspace.deciding_again import Again, differing_rules
from fairlead.workspace.published import snapshot_of
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
        self._clock = clock
        self._log = Log(store)
        self._logged = Logged(store)
        self._runs = Runs(store, vault, clock)
        self._revisions = Revisions(store, secrets, clock)
        self._run = run
        self._told: dict[str, Told | None] = {}
        self._opened: dict[str, Opened | None] = {}

    def action(self, run: str) -> Action | None:
        return self._logged.action(run)

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
        was, now = verdict(before, record, told), verdict(after, record, told)
        if withheld := let_go(before, record, told):
            was, now = (withheld, ()), ("withheld", record.policies)
        if was is None or now is None or was[0] == now[0]:
            return None
        rules = differing_rules(before, after, (*now[1], *was[1], *record.policies))
        return Change(was=was[0], now=now[0], began_under=first, decided_under=record.revision, rules=rules)

    def unread(self, run: str) -> tuple[Unread, ...]:
        rows, first = self._of(run), self._first_revision
        if not rows or not first or rows[-1][1].revision in ("", first) or rows[-1][1].kind == "call_tool":
            return ()
        row, record = rows[-1]
        before, after = self._again(first), self._again(record.revision)
        snapshot = record.snapshot or snapshot_of(self._store, first)
        if before is None or after is None or not snapshot or not record.task:
            return ()
        try:
            catalogue = load_catalogue(self._store, snapshot, names_items=True)
        except NotFound:  # what the run was given is gone
            return ()
        told = self._told_of(run, row)
        about = {"was": "readable", "now": "not", "began_under": first, "decided_under": record.revision}
        with self._store.reading() as connection:
            return tuple(
                Unread(text=page[0], change=Change(rules=rules, **about))
                for item, version, rules in unread(before, after, record, told, catalogue)
                if (page := page_rows.text_of(connection, item, version)) is not None
            )

    # ---- records ---------------------------------------------------------------------------------------------------

    def _of(self, run: str) -> list[tuple[int, Record]]:
        return self._logged.rows(run)

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
        found = self._revisions.of(revision)
        return None if isinstance(found, str) else found

    # ---- pages -----------------------------------------------------------------------------------------------------

    def _page(self, citation: str, at: int) -> Page | None:
        """A section as it was given, and what became of it: what its page says by now, "" where it was withdrawn."""
        whole, _, identity = citation.partition("#")
        item, _, version = whole.rpartition("@")
        with self._store.reading() as connection:
            about = page_rows.text_of(connection, item, version)
            text = page_rows.section_of(connection, item, version, identity)
        if about is None:
            return None
        page, expires = about
        day = datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
        newer, newer_at = self._newer(item, version)
        return Page(
            citation=citation, text=text or page, newer=newer, newer_at=newer_at,
            expired=expires if expires and expires < day else "",
        )  # fmt: skip

    def _newer(self, item: str, version: str) -> tuple[str | None, int]:
        """What is in force in the place of a version, None where that is; and when it was published."""
        published = [each for each in history(self._store, item) if each.at]
        names = list(dict.fromkeys((item, *(each.item for each in published))))
        with self._store.reading() as connection:
            held = page_rows.held(connection, self._snapshot, names) if self._snapshot else None
            if held == (item, version) or not published or not self._snapshot:
                return None, 0
            if held is None:
                return "", 0
            found = page_rows.text_of(connection, *held)
        at = next((each.at for each in published if (each.item, each.version) == held), 0)
        return (found[0], at) if found is not None else (None, 0)

    @cached_property
    def _snapshot(self) -> str:
        """The context that is in force."""
        return snapshot_of(self._store, Fleet(self._store, self._clock).current().revision)

    # ---- calls of before -------------------------------------------------------------------------------------------

    def _call_record(self, call: Met) -> Record | None:
        rows = self._of(call.action) if call.action else []
        return next((each for _, each in reversed(rows) if each.kind == "call_tool"), None)

    def _same_calls(self, record: Record) -> list[tuple[str, str, str]]:
        """Steps of other runs that made the very same call: run, place and action."""
        found = []
        with self._store.reading() as connection:
            others = workflow_step_rows.others_done(connection, record.at, self._run.opened.run.id, _LOOKED_AT)
            for run, place, action, body in others:
                if record.arguments.encode() in body:
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
