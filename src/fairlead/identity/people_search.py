"""Which people or groups somebody asks for, and how the database is asked."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.identity.name_digests import NameDigests

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement


class Equal(Struct, frozen=True):
    """An attribute has a value. `attribute` is in small letters."""

    attribute: str
    value: str | bool


class Both(Struct, frozen=True):
    """All of these hold."""

    parts: "tuple[Search, ...]"


class Either(Struct, frozen=True):
    """One of these holds."""

    parts: "tuple[Search, ...]"


Search = Equal | Both | Either
Condition = Callable[[Equal], "ColumnElement[bool]"]


class NotSearchable(BadInput):
    """People and groups cannot be looked for by this attribute.

    People are found by `id`, `userName`, `externalId` and `active`; groups by `id`, `displayName`, `externalId` and
    `members`. Only `eq`, `and` and `or` are understood.
    """

    code = "not_searchable"


_PEOPLE: Final = ("id", "userName", "externalId", "active")
_GROUPS: Final = ("id", "displayName", "externalId", "members")


def _unknown(asked: Equal, known: tuple[str, ...]) -> NotSearchable:
    return NotSearchable(
        f"nothing is found by {asked.attribute[:80]!r} with such a value",
        why="what is kept is kept under seal, and can be looked up by a few attributes only",
        mend=f"use one of {', '.join(known)}",
    )


def person_condition(digests: NameDigests, provider: str) -> Condition:
    """How persons of a provider are asked for."""

    def condition(asked: Equal) -> "ColumnElement[bool]":
        from sqlalchemy import false

        from fairlead.storage.people_tables import person

        value = asked.value
        if asked.attribute == "active":
            flag = {"true": True, "false": False}.get(str(value).lower())
            if flag is not None:
                return person.c.active == flag
        elif isinstance(value, str):
            if asked.attribute == "id":
                return person.c.id == value
            if asked.attribute in ("username", "externalid"):
                name = "userName" if asked.attribute == "username" else "externalId"
                column = person.c.user_name if name == "userName" else person.c.external_id
                return column == digests.digest(provider, name, value) if digests.find() else false()
        raise _unknown(asked, _PEOPLE)

    return condition


def group_condition(asked: Equal) -> "ColumnElement[bool]":
    """How groups are asked for."""
    from sqlalchemy import select

    from fairlead.storage.people_tables import group_member, person_group

    value = asked.value
    if isinstance(value, str):
        if asked.attribute == "id":
            return person_group.c.id == value
        if asked.attribute == "displayname":
            return person_group.c.folded == value.casefold()
        if asked.attribute == "externalid" and value:
            return person_group.c.external_id == value
        if asked.attribute in ("members", "members.value"):
            return person_group.c.id.in_(select(group_member.c.group).where(group_member.c.person == value))
    raise _unknown(asked, _GROUPS)


def compiled(search: Search, condition: Condition) -> "ColumnElement[bool]":
    """What the database is asked. Raises `NotSearchable`."""
    from sqlalchemy import and_, or_

    if isinstance(search, Equal):
        return condition(search)
    parts = [compiled(each, condition) for each in search.parts]
    return and_(*parts) if isinstance(search, Both) else or_(*parts)
