"""`fairlead data where`: every place at which a run's or a person's data is, for how long, and why."""

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from fairlead.cli.compiled import published
from fairlead.cli.opening import keys_of, log_of, open_store
from fairlead.cli.place import Place
from fairlead.cli.records import record_of
from fairlead.cli.when import shown
from fairlead.costs.record import Record
from fairlead.storage.legal_holds import LegalHold, legal_holds
from fairlead.storage.retention import Rules, compile_retention
from fairlead.storage.store import Store
from fairlead.workspace.compile import Workspace

if TYPE_CHECKING:
    from fairlead.storage.log import LogRow

_DAY: Final = 86_400_000
_CALLED: Final = ("call_model", "attempt")


class Kept(Struct, frozen=True):
    """A place in the house. `until` says when it goes, `why` what for."""

    place: str
    what: str
    count: int
    until: str
    why: str = ""


class Provider(Struct, frozen=True):
    """A place to which data went for an answer. `retention` is what the placement declares of it."""

    model: str
    placement: str
    vendor: str
    region: str
    retention: str
    runs: int
    last: int


class Whereabouts(Struct, frozen=True):
    """Everything that is known of where the data is."""

    asked: str
    subject: str
    kept: tuple[Kept, ...]
    providers: tuple[Provider, ...]
    held: tuple[LegalHold, ...]


def whereabouts(place: Place, asked: str, kind: str, name: str, subject: str) -> Whereabouts:
    """Where the data of a person (or of one run of theirs) is. Looks through the whole log for a person's records."""
    with closing(open_store(place)) as store:
        compiled = published(place, store)
        rows = log_of(store).of_run(name) if kind == "run" else list(log_of(store).since(0))
        records = [(row, record) for row in rows if (record := record_of(row)).person == subject]
        rules = compile_retention(compiled.settings.retention)
        kept = _payloads(store, records, rules)
        kept += _judged(store, compiled, records, name if kind == "run" else "", subject)
        kept += _examples(store, name if kind == "run" else "", "" if kind == "run" else subject)
        if kind != "run":
            kept += _of_person(store, compiled, asked, subject)
        kept += [_records(records), *_backups(store, records), *_left_beside(place)]
        with store.reading() as connection:
            held = tuple(
                each for each in legal_holds(connection, subject) if kind != "run" or each.what in (name, subject)
            )
    providers = tuple(_providers(records, compiled))
    return Whereabouts(asked, subject, tuple(each for each in kept if each.count), providers, held)


def _payloads(store: Store, records: "list[tuple[LogRow, Record]]", rules: Rules) -> list[Kept]:
    """What is kept of requests and replies, by class."""
    from sqlalchemy import select

    from fairlead.storage.schema import payload

    sealed = {row.seq: (row.at, record) for row, record in records if record.payload}
    with store.reading() as connection:
        there = set(connection.execute(select(payload.c.seq)).scalars()) if sealed else set()
    counts: Counter[tuple[str, int | None]] = Counter()
    last: dict[tuple[str, int | None], int] = {}
    for seq, (at, record) in sealed.items():
        if seq in there:
            group = record.data_class or "unclassified", rules.keep(record.data_class, record.task)
            counts[group] += 1
            last[group] = max(at, last.get(group, 0))
    return [
        Kept(
            "table payload",
            f"requests and replies, {group[0]}, encrypted under the person's key",
            count,
            "the person is erased" if group[1] is None else f"{shown(last[group] + group[1])} for the latest",
        )
        for group, count in sorted(counts.items(), key=str)
    ]


def _judged(
    store: Store, compiled: Workspace, records: "list[tuple[LogRow, Record]]", run: str, subject: str
) -> list[Kept]:
    """How well runs were done, as far as it is about them or said by them, and what others have corrected of them."""
    from sqlalchemy import func, select

    from fairlead.storage.outcome_tables import outcome
    from fairlead.storage.schema import payload

    about_them = outcome.c.run == run if run else outcome.c.subject == subject
    with store.reading() as connection:
        about = select(func.count(), func.max(outcome.c.at)).where(about_them)
        many, last = connection.execute(about).one()
        by = select(func.count()).where(outcome.c.by == subject, outcome.c.subject != subject)
        others = 0 if run else int(connection.execute(by).scalar() or 0)
        sealed = set(connection.execute(select(payload.c.seq).where(payload.c.subject == subject)).scalars())
    until = f"{shown(last + int(compiled.settings.outcomes.keep * _DAY))} for the latest" if many else ""
    own = {row.seq for row, _ in records}
    return [
        Kept("table outcome", "how well their runs were done, as scores", int(many), until),
        Kept("table outcome", "what they said of others' runs, as scores", others, "its run's person is erased"),
        Kept(
            "table payload",
            "corrections of their answers by others, encrypted under the person's key",
            0 if run else len(sealed - own),
            "the person is erased",
        ),
    ]


def _examples(store: Store, run: str, subject: str) -> list[Kept]:
    """What people gave in a model's place in these runs, or where this person answered."""
    from fairlead.storage.example_rows import Which, counted

    with store.reading() as connection:
        count = counted(connection, Which(action=run, subject=subject))
    what = "labelled examples of their runs, or of their answers, encrypted under both persons' keys"
    return [Kept("table example", what, count, "`retention:` says so, or one of the two is erased")]


def _rows_of(store: Store, person: str, subject: str) -> tuple[tuple[int, ...], int]:
    """How many rows are theirs: in the tables of what is sealed for them, and of budgets."""
    from sqlalchemy import func, select

    from fairlead.costs.budgets import scope_name
    from fairlead.storage.personal_tables import browser_session, memory, session, session_turn, system_grant
    from fairlead.storage.schema import budget
    from fairlead.storage.workflow_tables import workflow_run

    count = select(func.count())
    with store.reading() as connection:
        sealed = tuple(
            int(connection.execute(count.select_from(each).where(each.c.subject == subject)).scalar() or 0)
            for each in (session, session_turn, browser_session, system_grant, memory, workflow_run)
        )
        scope = budget.c.scope == scope_name("person", person)
        return sealed, int(connection.execute(count.select_from(budget).where(scope)).scalar() or 0)


def _of_person(store: Store, compiled: Workspace, person: str, subject: str) -> list[Kept]:
    settings = compiled.settings
    days = settings.sessions.kept_for(settings.payloads) // _DAY
    (sessions, turns, browsers, grants, memories, runs), budgets = _rows_of(store, person, subject)
    owned = sum(item.owner == person for item in compiled.items)
    unused = f"{days} days after the last use"
    return [
        Kept("table session", "conversations, encrypted", sessions, unused),
        Kept("table session_turn", "turns of them, encrypted", turns, unused),
        Kept("table browser_session", "browsers that are signed in, encrypted", browsers, "an hour after their end"),
        Kept(
            "table system_grant", "systems that they have connected, tokens encrypted", grants, "the person is erased"
        ),
        Kept("table memory", "what is remembered, encrypted", memories, "`memory.keep` after it was written"),
        Kept(
            "table workflow_run",
            "runs of workflows with their steps, encrypted",
            runs,
            f"{settings.workflows.keep:g} days after their end",
        ),
        Kept("table subject", "the key and the name, encrypted", 1, "the person is erased"),
        Kept("table budget", "budgets of the person, by name", budgets, "the person is erased"),
        Kept(
            "table api_key", "keys that carry the name", len(keys_of(store, person)), "for ever, for records' meaning"
        ),
        Kept("context", "pages that name the person as owner", owned, "they are changed in the workspace"),
    ]


def _records(records: "list[tuple[LogRow, Record]]") -> Kept:
    why = "sums and proofs rest on them; a pseudonym, and no word that was said"
    return Kept("table log", "records", len(records), "for ever", why)


def _backups(store: Store, records: "list[tuple[LogRow, Record]]") -> list[Kept]:
    from fairlead.storage.custody_tables import backup

    first = min((row.seq for row, _ in records), default=0)
    with store.reading() as connection:
        found = connection.execute(backup.select().order_by(backup.c.at)).all()
    return [
        Kept(
            f"backup {each.place}",
            f"all of this as of {shown(each.at)}",
            1,
            "you delete it",
            "restored, it is erased anew",
        )
        for each in found
        if each.size > first
    ]


def _left_beside(place: Place) -> list[Kept]:
    """Databases that a restore has replaced, and the copy of one that was killed: nothing is erased in them."""
    found = [*place.beside.glob("*.db.until-*"), *place.beside.glob(".restoring/*.db")]
    why = "an erasure does not reach it"
    return [Kept(f"file {path}", "a database that a restore has left", 1, "you delete it", why) for path in found]


def _providers(records: "list[tuple[LogRow, Record]]", compiled: Workspace) -> list[Provider]:
    counts: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], int] = {}
    for row, record in records:
        if record.model and record.kind in _CALLED:
            group = record.model, record.placement
            counts[group] += 1
            last[group] = max(row.at, last.get(group, 0))
    found = []
    for (model, kind), count in sorted(counts.items()):
        known = compiled.models.models.get(model)
        where = known.placement if known is not None else None
        vendor, region = (where.vendor, where.region) if where else ("", "")
        found.append(Provider(model, kind, vendor, region, _retention(kind, where), count, last[model, kind]))
    return found


def _retention(kind: str, placement: object) -> str:
    days = getattr(placement, "retention_days", None)
    if days is not None:
        return f"{days} days, as declared" if days else "nothing is kept, as declared"
    return "nothing leaves the house" if kind != "cloud" else "not declared: placement.retention_days"
