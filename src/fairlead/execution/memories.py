"""What is remembered for later runs: by run, session, person and team, each entry with where it came from.

An entry is sealed under the key of whoever wrote it and is gone with them. It belongs to a scope: only who is in there
finds it. It is over some time after it was last written, and the least used goes where a scope has too many. Every
method reads or writes the database: call it in a thread.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.costs.record import deed
from fairlead.errors import NotFound
from fairlead.labels import DataClass, Labels
from fairlead.storage.retention import Rules
from fairlead.storage.settings import MemorySettings
from fairlead.storage.store import Store
from fairlead.storage.vault import SubjectKey, Vault
from fairlead.tools.memory import MemoryScope

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.storage.memory_rows import MemoryRow

_SEEN_EVERY: Final = 3_600_000  # milliseconds: it is noted once an hour that something was used
_DAY: Final = 86_400_000


class Whose(Struct, frozen=True):
    """A scope for one caller: their person, in which tenant, and in which run or piece of work they are."""

    scope: MemoryScope
    person: str
    tenant: str
    work: str = ""


class Noted(Struct, frozen=True, array_like=True):
    """An entry as it is sealed. `sources` are the value's, `named` the key's, `read` all that whoever wrote it had read
    before. `agent`, `run` and `at` say which agent wrote it, in which action, at which place of which run."""

    scope: str
    key: str
    value: Any
    sources: list[str]
    named: list[str]
    read: list[str]
    data_class: int
    categories: list[str]
    agent: str
    run: str
    at: str


class Entry(Struct, frozen=True, kw_only=True):
    """What is remembered under a key. `person` wrote it last; times in milliseconds since 1970."""

    id: str
    noted: Noted
    person: str
    version: int
    made_at: int
    used_at: int
    expires_at: int

    @property
    def labels(self) -> Labels:
        """The class and categories of what is remembered."""
        return Labels(DataClass(self.noted.data_class), frozenset(self.noted.categories))


class Kept(Struct, frozen=True):
    """What came of remembering: the version that stands there now, and how many others had to go. Where it was changed
    meanwhile (`changed`), nothing was written."""

    version: int
    expires_at: int
    gone: int = 0
    changed: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Noted)


class Memories:
    """All that is remembered in a deployment. `settings` and `rules` are replaced when another revision comes into
    force; without settings nothing is remembered, and what was is kept until it is over."""

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self.settings: MemorySettings | None = None
        self.rules = Rules()
        self._store = store
        self._vault = vault
        self._clock = clock

    def remember(
        self, whose: Whose, noted: Noted, *, days: int | None = None, version: int | None = None, once: str = ""
    ) -> Kept:
        """Keep an entry in place of the one before: with `version` only where that one still has it. The same `once`
        writes one time only. Raises `NotFound` where the person is gone."""
        from sqlalchemy.exc import IntegrityError

        from fairlead.storage import memory_rows as table

        assert self.settings is not None  # without it there is no tool that gets here
        key, now, once = self._vault.subject_for(whose.person), self._clock.now(), _digest(once) if once else ""
        place = self._place(whose)
        row = table.MemoryRow(
            id=_digest(place, noted.key), subject=key.id, tenant=whose.tenant, kind=whose.scope.kind, place=place,
            version=1, made_at=now, used_at=now, expires_at=now + self._kept_for(whose, noted, days), once=once,
            sealed=b"",
        )  # fmt: skip
        sealed = self._vault.seal(key, _encode(noted), _about(row.id))
        try:
            with self._store.writing() as connection:
                before = table.one(connection, row.id, now)
                if before is not None and once and before.once == once:
                    return Kept(before.version, before.expires_at)
                if version is not None and version != (before.version if before is not None else 0):
                    return Kept(before.version if before is not None else 0, 0, changed=True)
                row = replace(row, version=1 if before is None else before.version + 1, sealed=sealed)
                self._store.database.wipe(connection)
                table.put(connection, row)
                gone = table.make_room(connection, place, self.settings.entries, row.id)
        except IntegrityError:
            raise NotFound("the person was erased meanwhile", mend="begin anew") from None
        return Kept(row.version, row.expires_at, gone)

    def recall(self, whose: Whose, key: str = "") -> list[Entry]:
        """What is remembered in a scope, or one entry of it, those first that were used last."""
        from fairlead.storage import memory_rows as table

        now, place = self._clock.now(), self._place(whose)
        with self._store.reading() as connection:
            rows = [table.one(connection, _digest(place, key), now)] if key else table.of_place(connection, place, now)
        found = list(self._opened(each for each in rows if each is not None))
        stale = [each.id for each in found if now - each.used_at > _SEEN_EVERY]
        if stale:
            with self._store.writing() as connection:
                table.used(connection, stale, now)
        return found

    def forget(self, whose: Whose, key: str = "") -> int:
        """Delete one entry, or all of a scope. How many there were. Raises `Refused` under a legal hold."""
        from fairlead.storage import memory_rows as table

        now, place = self._clock.now(), self._place(whose)
        with self._store.writing() as connection:
            self._store.database.wipe(connection)
            ids = [_digest(place, key)] if key else [each.id for each in table.of_place(connection, place, now)]
            return table.take_out(connection, ids)

    def about(self, person: str, tenant: str | None = None, after: str = "") -> Iterator[Entry]:
        """All that a person wrote, or that was written for them, in whatever scope: the youngest first, from behind the
        entry `after` on. Raises `NotFound` where that is none of theirs."""
        from fairlead.storage import memory_rows as table

        subject = self._vault.id_of(person)
        if subject is None:
            return
        with self._store.reading() as connection:
            last = self._last(connection, after, subject)
            rows = table.of_subject(connection, subject, self._clock.now(), last)
            yield from self._opened(each for each in rows if tenant in (None, each.tenant))

    def everything(self, kind: str = "", after: str = "") -> Iterator[Entry]:
        """All of the deployment, or of one kind of scope, as `about`: for whoever runs it."""
        from fairlead.storage import memory_rows as table

        with self._store.reading() as connection:
            last = self._last(connection, after)
            yield from self._opened(table.all_rows(connection, self._clock.now(), kind, last))

    def delete(self, entries: Sequence[Entry], *, by: str) -> int:
        """Delete these, with a record of it. Raises `Refused` under a legal hold."""
        from fairlead.storage import memory_rows as table

        with self._store.writing() as connection:
            self._store.database.wipe(connection)
            gone = table.take_out(connection, [each.id for each in entries])
            if gone:
                said = deed(self._clock, "memory_forgotten", by=by, about=f"{gone} entries")
                self._store.database.append(connection, [said])
        return gone

    def sweep(self) -> None:
        """Delete what is over."""
        from fairlead.storage import memory_rows as table

        now = self._clock.now()
        with self._store.reading() as connection:
            if not table.any_expired(connection, now):
                return
        with self._store.writing() as connection:
            self._store.database.wipe(connection)
            table.forget_expired(connection, now)

    def _last(self, connection: "Connection", after: str, subject: str = "") -> tuple[int, str]:
        """Where another page stopped."""
        from fairlead.storage import memory_rows as table
        from fairlead.storage.paging import FIRST

        if not after:
            return FIRST
        row = table.one(connection, after, self._clock.now())
        if row is None or subject not in ("", row.subject):
            why = "it is over, was forgotten, or belongs to somebody else"
            raise NotFound(
                f"there is no memory {after[:80]!r} to go on from", why=why, mend="begin with the first page"
            )
        return row.made_at, row.id

    def _opened(self, rows: "Iterable[MemoryRow]") -> Iterator[Entry]:
        """What those rows hold. One whose person is erased just now is as if it never was."""
        known = dict[str, tuple[SubjectKey | None, str | None]]()
        for row in rows:
            if row.subject not in known:
                known[row.subject] = self._vault.key_of(row.subject), self._vault.name_of(row.subject)
            key, name = known[row.subject]
            if key is None or name is None:
                continue
            plain = self._vault.open_own(key, bytes(row.sealed), _about(row.id))
            yield Entry(
                id=row.id,
                noted=_decoder.decode(plain),
                person=name,
                version=row.version,
                made_at=row.made_at,
                used_at=row.used_at,
                expires_at=row.expires_at,
            )

    def _place(self, whose: Whose) -> str:
        """What stands for a scope in the database. Of a person erased it is another when they return."""
        scope = whose.scope
        mine = "" if scope.kind == "team" else self._vault.subject_for(whose.person).id
        return _digest(whose.tenant, scope.kind, mine, whose.work if scope.kind == "run" else scope.name)

    def _kept_for(self, whose: Whose, noted: Noted, days: int | None) -> int:
        assert self.settings is not None
        spans = [self.settings.kept_for(whose.scope.kind), self.rules.keep(DataClass(noted.data_class).name)]
        spans += [days * _DAY] if days is not None else []
        return min(span for span in spans if span is not None)


def plain(entry: Entry) -> dict[str, Any]:
    """An entry as doors and commands tell it: all that is kept of it."""
    noted = entry.noted
    return {
        "id": entry.id,
        "object": "memory",
        "scope": noted.scope,
        "key": noted.key,
        "value": noted.value,
        "person": entry.person,
        "agent": noted.agent,
        "run": noted.run,
        "at": noted.at,
        "sources": noted.sources,
        "class": entry.labels.data_class.name,
        "categories": noted.categories,
        "version": entry.version,
        "made_at": entry.made_at,
        "used_at": entry.used_at,
        "expires_at": entry.expires_at,
    }


def _digest(*parts: str) -> str:
    return "mem_" + sha256("\x00".join(f"{len(each)}:{each}" for each in parts).encode()).hexdigest()[:32]


def _about(id_: str) -> bytes:
    """What a sealed entry is bound to: it opens in no other place."""
    return f"memory\x00{id_}".encode()
