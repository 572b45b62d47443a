"""The groups of providers, as they push them. Otherwise as `directory`: blocking, one transaction a change."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock, new_id
from fairlead.errors import BadInput
from fairlead.identity.directory import Record
from fairlead.identity.directory_refusals import require_match, require_name, taken, too_many, unknown
from fairlead.identity.name_digests import NameDigests
from fairlead.identity.people import People
from fairlead.identity.people_search import Search, compiled, group_condition
from fairlead.storage.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fairlead.storage.people_rows import GroupRow

MOST_GROUPS: Final = 10_000
"""Groups of one provider."""


class GroupFields(Struct, frozen=True, kw_only=True):
    """What is kept of a group."""

    name: str
    external_id: str = ""


class MemberChange(Struct, frozen=True):
    """Who joins and who leaves. `cleared`: nobody but those who join is in it afterwards."""

    joined: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    cleared: bool = False


class Group(Struct, frozen=True, kw_only=True):
    """A group as the provider pushed it. `members` are ids of persons, None where nobody asked for them."""

    id: str
    provider: str
    fields: GroupFields
    members: tuple[str, ...] | None
    version: int
    made_at: int
    changed_at: int


Change = Callable[[GroupFields], tuple[GroupFields, MemberChange]]


class Groups:
    """One per process. `record` makes the log's entries."""

    def __init__(self, store: Store, clock: Clock, digests: NameDigests, people: People, record: Record) -> None:
        self._store = store
        self._clock = clock
        self._digests = digests
        self._people = people
        self._record = record

    def group(self, provider: str, id: str, *, members: bool = True) -> Group:
        """Raises `NotFound`."""
        with self._store.reading() as connection:
            return _shown(connection, _found(connection, provider, id), members)

    def search(
        self, provider: str, search: Search | None, start: int, most: int, *, members: bool = True
    ) -> tuple[int, list[Group]]:
        """How many there are, and those from the one at `start` (from 0) on. Raises `NotSearchable`."""
        from fairlead.storage import people_rows as table
        from fairlead.storage.people_tables import person_group

        where = person_group.c.provider == provider
        if search is not None:
            where &= compiled(search, group_condition)
        with self._store.reading() as connection:
            total = table.count_groups(connection, where)
            rows = table.groups(connection, where, start, most)
            return total, [_shown(connection, row, members) for row in rows]

    def add(self, provider: str, fields: GroupFields, members: frozenset[str]) -> Group:
        """Raises `BadInput` for a name that is not fit and for members that there are not, `Taken`."""
        from fairlead.storage import people_rows as table
        from fairlead.storage.people_tables import person_group

        self._digests.make()
        id, now = new_id(self._clock, "grp"), self._clock.now()
        with self._store.writing() as connection:
            if table.count_groups(connection, person_group.c.provider == provider) >= MOST_GROUPS:
                raise too_many("groups", MOST_GROUPS)
            self._write(connection, _row(provider, id, fields, now, now), MemberChange(members), "added")
        self._people.follow()
        return self.group(provider, id)

    def change(
        self, provider: str, id: str, change: Change, match: int | None = None, *, members: bool = True
    ) -> Group:
        """What `change` makes of the group, if it is still at the version `match`. Raises as `add`, `Outdated`."""
        with self._store.writing() as connection:
            row = _found(connection, provider, id)
            require_match(row.version, match)
            fields, moved = change(GroupFields(name=row.name, external_id=row.external_id))
            changed = _row(provider, id, fields, row.made_at, self._clock.now())
            said = "" if fields.name == row.name else "renamed"
            same = (row.name, row.external_id) == (changed.name, changed.external_id)
            written = self._write(connection, changed, moved, said, same=same)
        if written:
            self._people.follow()
        return self.group(provider, id, members=members)

    def remove(self, provider: str, id: str, match: int | None = None) -> None:
        """Raises `NotFound`, `Outdated`."""
        from fairlead.storage import people_rows as table

        with self._store.writing() as connection:
            row = _found(connection, provider, id)
            require_match(row.version, match)
            table.delete_group(connection, id, table.next_version(connection, reread=True))
            self._log(connection, provider, f"{id} removed")
        self._people.follow()

    def _write(
        self, connection: "Connection", row: "GroupRow", moved: MemberChange, said: str, *, same: bool = False
    ) -> bool:
        """False where nothing has changed."""
        from fairlead.storage import people_rows as table
        from fairlead.storage.people_tables import person_group

        require_name("displayName", row.name)
        if row.external_id:
            require_name("externalId", row.external_id)
        others = (person_group.c.provider == row.provider) & (person_group.c.id != row.id)
        if table.count_groups(connection, others & (person_group.c.folded == row.folded)):
            raise taken("displayName")
        inside = table.members(connection, row.id, None if moved.cleared else moved.joined | moved.left)
        joined = moved.joined - inside
        left = inside - moved.joined if moved.cleared else inside & moved.left
        _require_known(joined, table.known(connection, row.provider, joined))
        if same and not joined and not left:
            return False
        version = table.next_version(connection)
        table.put_group(connection, msgspec.structs.replace(row, version=version))
        table.change_members(connection, row.id, joined, left, version)
        told = (said, f"{len(joined)} in" if joined else "", f"{len(left)} out" if left else "")
        self._log(connection, row.provider, f"{row.id} " + (", ".join(filter(None, told)) or "changed"))
        return True

    def _log(self, connection: "Connection", provider: str, said: str) -> None:
        entry = self._record("people", by=f"scim:{provider}", about=f"{provider}: {said}")
        self._store.database.append(connection, [entry])
        self._store.database.announce(connection)


def _row(provider: str, id: str, fields: GroupFields, made_at: int, changed_at: int) -> "GroupRow":
    from fairlead.storage.people_rows import GroupRow

    return GroupRow(
        id=id,
        provider=provider,
        name=fields.name,
        folded=fields.name.casefold(),
        external_id=fields.external_id,
        version=0,
        made_at=made_at,
        changed_at=changed_at,
    )


def _found(connection: "Connection", provider: str, id: str) -> "GroupRow":
    from fairlead.storage import people_rows as table
    from fairlead.storage.people_tables import person_group

    rows = table.groups(connection, (person_group.c.provider == provider) & (person_group.c.id == id))
    if not rows:
        raise unknown("group", id)
    return rows[0]


def _shown(connection: "Connection", row: "GroupRow", members: bool) -> Group:
    from fairlead.storage import people_rows as table

    return Group(
        id=row.id,
        provider=row.provider,
        fields=GroupFields(name=row.name, external_id=row.external_id),
        members=tuple(sorted(table.members(connection, row.id))) if members else None,
        version=row.version,
        made_at=row.made_at,
        changed_at=row.changed_at,
    )


def _require_known(joined: frozenset[str], known: set[str]) -> None:
    missing = sorted(joined - known)
    if missing:
        raise BadInput(
            f"{missing[0][:80]!r} is no person of this provider",
            why="members are people who were pushed before; groups within groups are not counted",
            mend="push the person first, and give the id that was answered; push groups flat",
            param="members",
        )
