"""The people and groups of providers, as they push them: read, changed, and every change in the log.

Each change is one transaction with its record, and counts on this worker when the call returns, on every other within
five seconds. Names are sealed for the person whose they are. Blocking: call it in a thread.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock, new_id
from fairlead.errors import Overloaded
from fairlead.identity.directory_refusals import require_fit, require_match, taken, too_many, unknown
from fairlead.identity.leaving import Leaver, Leaving
from fairlead.identity.name_digests import NameDigests
from fairlead.identity.people import People
from fairlead.identity.people_search import Search, compiled, person_condition
from fairlead.identity.settings import Provider
from fairlead.storage.store import Store
from fairlead.storage.types import Entry
from fairlead.storage.vault import SubjectKey, Vault

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

    from fairlead.storage.people_rows import PersonRow

MOST_PEOPLE: Final = 50_000
"""Persons of one provider: every worker has all of them in memory."""
_TRIES: Final = 5
Record = Callable[..., Entry]
"""Makes the record of a deed: `record(kind, by=, about=, person=)`."""


class PersonFields(Struct, frozen=True, kw_only=True):
    """What is kept of a person, and nothing else."""

    user_name: str
    external_id: str = ""
    active: bool = True


class Person(Struct, frozen=True, kw_only=True):
    """A person as the provider pushed them. `groups` are ids and names. Times in milliseconds since 1970."""

    id: str
    provider: str
    fields: PersonFields
    groups: tuple[tuple[str, str], ...]
    version: int
    made_at: int
    changed_at: int


class _Names(Struct, frozen=True):
    user_name: str
    external_id: str


_encode = msgspec.json.Encoder().encode
_names = msgspec.json.Decoder(_Names).decode


class Directory:
    """One per process. `record` makes the log's entries."""

    def __init__(
        self, store: Store, vault: Vault, clock: Clock, digests: NameDigests, people: People, record: Record
    ) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._digests = digests
        self._people = people
        self._record = record
        self._leaving = Leaving(store, vault, clock, record)

    def person(self, provider: str, id: str) -> Person:
        """Raises `NotFound`."""
        with self._store.reading() as connection:
            row = _found(connection, provider, id)
            return self._shown(connection, [row])[0]

    def search(self, provider: str, search: Search | None, start: int, most: int) -> tuple[int, list[Person]]:
        """How many there are, and those from the one at `start` (from 0) on. Raises `NotSearchable`."""
        from fairlead.storage import people_rows as table
        from fairlead.storage.people_tables import person

        where = person.c.provider == provider
        if search is not None:
            where &= compiled(search, person_condition(self._digests, provider))
        with self._store.reading() as connection:
            total = table.count_persons(connection, where)
            return total, self._shown(connection, table.persons(connection, where, start, most))

    def add(self, provider: Provider, fields: PersonFields) -> Person:
        """Raises `BadInput` for names that are not fit, `Taken` where somebody has them."""
        from fairlead.storage import people_rows as table
        from fairlead.storage.people_tables import person

        require_fit(provider, fields)
        self._digests.make()
        id, now = new_id(self._clock, "usr"), self._clock.now()
        for _ in range(_TRIES):
            subject = self._vault.subject_for(_name(provider, fields))
            row = self._row(provider.name, id, subject, fields, now, now)
            with self._store.writing() as connection:
                self._require_free(connection, row)
                if table.count_persons(connection, person.c.provider == provider.name) >= MOST_PEOPLE:
                    raise too_many("people", MOST_PEOPLE)
                if self._put(connection, row, f"{id} added{'' if fields.active else ', inactive'}"):
                    break
        else:
            raise _restless()
        self._people.follow()
        return self.person(provider.name, id)

    def change(
        self, provider: Provider, id: str, change: Callable[[PersonFields], PersonFields], match: int | None = None
    ) -> Person:
        """What `change` makes of the person, if they are still at the version `match`. Where it makes nothing new,
        nothing is written. Raises as `add`, `NotFound`, `Outdated`."""
        self._digests.make()
        for _ in range(_TRIES):
            with self._store.reading() as connection:
                row = _found(connection, provider.name, id)
            require_match(row.version, match)
            before = self._fields(row)
            after = change(before)
            if after == before:
                return self.person(provider.name, id)
            require_fit(provider, after)
            subject = self._vault.subject_for(_name(provider, after))
            changed = self._row(provider.name, id, subject, after, row.made_at, self._clock.now())
            leaver = self._leaving.leaver(provider, _name(provider, before), row.subject)
            with self._store.writing() as connection:
                if _found(connection, provider.name, id).version != row.version:
                    continue  # another change came between: the version may not match any more
                self._require_free(connection, changed)
                if not self._put(connection, changed, f"{id} {_told(before, after)}"):
                    continue
                if _known_by(provider, row) != _known_by(provider, changed):
                    self._leaving.let_go(connection, leaver)
                elif not after.active:
                    self._leaving.sign_out(connection, leaver)
            self._people.follow()
            return self.person(provider.name, id)
        raise _restless()

    def remove(self, provider: Provider, id: str, match: int | None = None) -> None:
        """Raises `NotFound`, `Outdated`."""
        from fairlead.storage import people_rows as table

        for _ in range(_TRIES):
            with self._store.reading() as connection:
                row = _found(connection, provider.name, id)
            require_match(row.version, match)
            leaver = self._leaver(provider, row)
            with self._store.writing() as connection:
                if _found(connection, provider.name, id).version != row.version:
                    continue  # their name may be another by now
                self._log(connection, provider.name, f"{id} removed", row.subject)
                table.delete_person(connection, id, table.next_version(connection, reread=True))
                self._leaving.let_go(connection, leaver)
                self._store.database.announce(connection)
            self._people.follow()
            return
        raise _restless()

    def _leaver(self, provider: Provider, row: "PersonRow") -> Leaver:
        return self._leaving.leaver(provider, _name(provider, self._fields(row)), row.subject)

    def _row(
        self, provider: str, id: str, subject: SubjectKey, fields: PersonFields, made_at: int, changed_at: int
    ) -> "PersonRow":
        from fairlead.storage.people_rows import PersonRow

        external = fields.external_id
        return PersonRow(
            id=id,
            provider=provider,
            subject=subject.id,
            user_name=self._digests.digest(provider, "userName", fields.user_name),
            external_id=self._digests.digest(provider, "externalId", external) if external else b"",
            active=fields.active,
            version=0,
            made_at=made_at,
            changed_at=changed_at,
            sealed=self._vault.seal(subject, _encode(_Names(fields.user_name, external)), _about(id)),
        )

    def _put(self, connection: "Connection", row: "PersonRow", said: str) -> bool:
        """False if the person was erased since their key was looked up."""
        from sqlalchemy import select

        from fairlead.storage import people_rows as table
        from fairlead.storage.schema import subject

        if connection.execute(select(subject.c.id).where(subject.c.id == row.subject)).first() is None:
            self._vault.clear_cache()
            return False
        table.put_person(connection, msgspec.structs.replace(row, version=table.next_version(connection)))
        self._log(connection, row.provider, said, row.subject)
        self._store.database.announce(connection)
        return True

    def _log(self, connection: "Connection", provider: str, said: str, subject: str = "") -> None:
        entry = self._record("people", by=f"scim:{provider}", about=f"{provider}: {said}", person=subject)
        self._store.database.append(connection, [entry])

    def _require_free(self, connection: "Connection", row: "PersonRow") -> None:
        from fairlead.storage import people_rows as table
        from fairlead.storage.people_tables import person

        others = (person.c.provider == row.provider) & (person.c.id != row.id)
        if table.count_persons(connection, others & (person.c.user_name == row.user_name)):
            raise taken("userName")
        if row.external_id and table.count_persons(connection, others & (person.c.external_id == row.external_id)):
            raise taken("externalId")

    def _shown(self, connection: "Connection", rows: "list[PersonRow]") -> list[Person]:
        from fairlead.storage import people_rows as table
        from fairlead.storage.people_tables import person_group

        of = table.memberships(connection, [row.id for row in rows])
        ids = frozenset().union(*of.values())
        names = {each.id: each.name for each in table.groups(connection, person_group.c.id.in_(sorted(ids)))}
        return [
            Person(
                id=row.id,
                provider=row.provider,
                fields=self._fields(row),
                groups=tuple((id, names[id]) for id in sorted(of.get(row.id, ()))),
                version=row.version,
                made_at=row.made_at,
                changed_at=row.changed_at,
            )
            for row in rows
        ]

    def _fields(self, row: "PersonRow") -> PersonFields:
        found = _names(self._vault.open_sealed(row.subject, row.sealed, _about(row.id)))
        return PersonFields(user_name=found.user_name, external_id=found.external_id, active=row.active)


def _found(connection: "Connection", provider: str, id: str) -> "PersonRow":
    from fairlead.storage import people_rows as table
    from fairlead.storage.people_tables import person

    where: ColumnElement[bool] = (person.c.provider == provider) & (person.c.id == id)
    rows = table.persons(connection, where)
    if not rows:
        raise unknown("person", id)
    return rows[0]


def _told(before: PersonFields, after: PersonFields) -> str:
    """What has changed, without any name."""
    said = []
    if before.active != after.active:
        said.append("active" if after.active else "inactive")
    if (before.user_name, before.external_id) != (after.user_name, after.external_id):
        said.append("renamed")
    return " and ".join(said)


def _name(provider: Provider, fields: PersonFields) -> str:
    """As callers with this provider's tokens are called."""
    assert provider.scim is not None
    return f"{provider.name}|{fields.external_id if provider.scim.person == 'externalId' else fields.user_name}"


def _known_by(provider: Provider, row: "PersonRow") -> bytes:
    """By what callers with this provider's tokens are found."""
    assert provider.scim is not None
    return row.external_id if provider.scim.person == "externalId" else row.user_name


def _about(id: str) -> bytes:
    return b"person\0" + id.encode()


def _restless() -> Overloaded:
    return Overloaded(
        "the person was changed as often as they were read",
        why="others change the same person at the same time",
        mend="try again",
    )
