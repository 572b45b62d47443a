"""People and groups that providers push, in the tables `people`, `person`, `person_group` and `group_member`.

Every change takes the next version, in the order in which changes are committed: who has seen version N needs only the
rows above it. What single rows cannot tell (somebody is gone) moves `reread`.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import delete, func, insert, select, update

from fairlead.storage.people_tables import group_member, people, person, person_group

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select

_AT_ONCE: Final = 500  # ids in one statement
_T = TypeVar("_T")


class Mark(Struct, frozen=True):
    """How far everything has come, and the key that names are looked up by, sealed for its holder."""

    version: int
    reread: int
    holder: str
    sealed: bytes


class PersonRow(Struct, frozen=True, kw_only=True):
    """A row of `person`."""

    id: str
    provider: str
    subject: str
    user_name: bytes
    external_id: bytes
    active: bool
    version: int
    made_at: int
    changed_at: int
    sealed: bytes


class GroupRow(Struct, frozen=True, kw_only=True):
    """A row of `person_group`."""

    id: str
    provider: str
    name: str
    folded: str
    external_id: str
    version: int
    made_at: int
    changed_at: int


def find_mark(connection: "Connection") -> Mark | None:
    """How far everything has come; None before anything was pushed."""
    row = connection.execute(select(people.c.version, people.c.reread, people.c.holder, people.c.sealed)).first()
    return None if row is None else Mark(row.version, row.reread, row.holder, bytes(row.sealed))


def insert_mark(connection: "Connection", holder: str, sealed: bytes) -> None:
    """Begin with none: version 0."""
    connection.execute(insert(people).values(id=1, version=0, reread=0, holder=holder, sealed=sealed))


def next_version(connection: "Connection", *, reread: bool = False) -> int:
    """The version of a change that is made in this transaction; with `reread`, one after which all is read anew."""
    version = int(connection.execute(select(people.c.version)).scalar_one()) + 1
    connection.execute(update(people).values({"version": version} | ({"reread": version} if reread else {})))
    return version


def persons(connection: "Connection", where: "ColumnElement[bool]", start: int = 0, most: int = -1) -> list[PersonRow]:
    """Those who are meant, by id."""
    wanted = select(person).where(where).order_by(person.c.id)
    return [
        PersonRow(**{**row, "user_name": bytes(row["user_name"]), "external_id": bytes(row["external_id"])})
        for row in connection.execute(_cut(wanted, start, most)).mappings()
    ]


def changed_persons(connection: "Connection", since: int) -> list[tuple[str, tuple[bytes, bytes], bool]]:
    """Whoever has changed after a version: the id, the digests of both names, and whether they are active."""
    wanted = select(person.c.id, person.c.user_name, person.c.external_id, person.c.active)
    rows = connection.execute(wanted.where(person.c.version > since))
    return [(id, (bytes(user_name), bytes(external_id)), active) for id, user_name, external_id, active in rows]


def groups(connection: "Connection", where: "ColumnElement[bool]", start: int = 0, most: int = -1) -> list[GroupRow]:
    """Those that are meant, by id."""
    wanted = select(person_group).where(where).order_by(person_group.c.id)
    return [GroupRow(**row) for row in connection.execute(_cut(wanted, start, most)).mappings()]


def count_persons(connection: "Connection", where: "ColumnElement[bool]") -> int:
    """How many are meant."""
    return int(connection.execute(select(func.count()).select_from(person).where(where)).scalar_one())


def count_groups(connection: "Connection", where: "ColumnElement[bool]") -> int:
    """How many are meant."""
    return int(connection.execute(select(func.count()).select_from(person_group).where(where)).scalar_one())


def put_person(connection: "Connection", row: PersonRow) -> None:
    """Insert it, or put it in the place of the one with the same id."""
    _put(connection, person, row)


def put_group(connection: "Connection", row: GroupRow) -> None:
    """As `put_person`, of a group."""
    _put(connection, person_group, row)


def delete_person(connection: "Connection", id: str, version: int) -> None:
    """Take a person out, of their groups too."""
    mine = select(group_member.c.group).where(group_member.c.person == id)
    connection.execute(update(person_group).where(person_group.c.id.in_(mine)).values(version=version))
    connection.execute(delete(person).where(person.c.id == id))


def delete_group(connection: "Connection", id: str, version: int) -> None:
    """Take a group out. Its members have changed by that too."""
    theirs = select(group_member.c.person).where(group_member.c.group == id)
    connection.execute(update(person).where(person.c.id.in_(theirs)).values(version=version))
    connection.execute(delete(person_group).where(person_group.c.id == id))


def members(connection: "Connection", group: str, among: Collection[str] | None = None) -> set[str]:
    """Who is in a group; with `among`, which of these."""
    wanted = select(group_member.c.person).where(group_member.c.group == group)
    if among is None:
        return set(connection.execute(wanted).scalars())
    found: set[str] = set()
    for some in _chunks(among):
        found.update(connection.execute(wanted.where(group_member.c.person.in_(some))).scalars())
    return found


def memberships(connection: "Connection", of: Collection[str] | None) -> dict[str, frozenset[str]]:
    """The ids of the groups of each person who is in one; with `of`, of these persons."""
    gathered: dict[str, set[str]] = {}
    wanted = select(group_member.c.person, group_member.c.group)
    parts = [wanted] if of is None else [wanted.where(group_member.c.person.in_(some)) for some in _chunks(of)]
    for part in parts:
        for member, group in connection.execute(part):
            gathered.setdefault(member, set()).add(group)
    return {member: frozenset(found) for member, found in gathered.items()}


def change_members(
    connection: "Connection", group: str, joined: Collection[str], left: Collection[str], version: int
) -> None:
    """Who joined a group and who left it. Each of them has changed by that."""
    for some in _chunks(left):
        gone = (group_member.c.group == group) & group_member.c.person.in_(some)
        connection.execute(delete(group_member).where(gone))
    if joined:
        connection.execute(insert(group_member), [{"group": group, "person": each} for each in sorted(joined)])
    for some in _chunks({*joined, *left}):
        connection.execute(update(person).where(person.c.id.in_(some)).values(version=version))


def known(connection: "Connection", provider: str, ids: Collection[str]) -> set[str]:
    """Those ids that are persons of this provider."""
    found: set[str] = set()
    for some in _chunks(ids):
        mine = (person.c.provider == provider) & person.c.id.in_(some)
        found.update(connection.execute(select(person.c.id).where(mine)).scalars())
    return found


def note_erasure(connection: "Connection") -> None:
    """Somebody was erased, who may have been one of these: have all of them read anew."""
    if find_mark(connection) is not None:
        next_version(connection, reread=True)


def distrust_all(connection: "Connection") -> None:
    """Nobody is active and nobody is in a group until their provider has said so again: for a log that was rolled
    back, in which somebody may live who has been taken out since."""
    if find_mark(connection) is None:
        return
    version = next_version(connection, reread=True)
    connection.execute(delete(group_member))
    connection.execute(update(person).values(active=False, version=version))


def _put(connection: "Connection", table: "object", row: Struct) -> None:
    from sqlalchemy import Table

    assert isinstance(table, Table)
    values = asdict(row)
    changed = connection.execute(update(table).where(table.c.id == values["id"]).values(values))
    if not changed.rowcount:
        connection.execute(insert(table).values(values))


def _cut(wanted: "Select[_T]", start: int, most: int) -> "Select[_T]":
    return wanted.offset(start).limit(most) if most >= 0 else wanted


def _chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    whole = sorted(ids)
    return (whole[start : start + _AT_ONCE] for start in range(0, len(whole), _AT_ONCE))
