"""SCIM's PATCH (RFC 7644, section 3.5.2) on what is kept, in the forms in which providers really send it.

Entra ID writes operations with capitals, `"False"` for false, and a remove of members with a list; Okta leaves the path
out. Attributes that are not kept are passed over: what is not kept cannot decide anything.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from fairlead.errors import BadInput
from fairlead.identity.directory import PersonFields
from fairlead.identity.directory_groups import GroupFields, MemberChange
from fairlead.identity.people_search import Both, Equal, Search
from fairlead.server.scim.attributes import GROUP, USER, flag, folded, members, plain, text
from fairlead.server.scim.errors import BadPatch
from fairlead.server.scim.filter import read_filter

_MOST_OPERATIONS: Final = 1_000
_ACTIONS: Final = ("add", "replace", "remove")
_WHOLE: Final = (USER.lower(), GROUP.lower())  # the schema itself as a name: all of it is meant
_ACTIVE: Final = re.compile(r"\W*active(\W.*)?|(.*\W)?active\W*", re.DOTALL)
_MEMBERS: Final = re.compile(r"members\[(.*)\](\.[A-Za-z$]+)?", re.DOTALL | re.IGNORECASE)


class Operation:
    """One operation: `action` is add, replace or remove; `path` is "" where there is none."""

    __slots__ = ("action", "path", "value")

    def __init__(self, action: str, path: str, value: Any) -> None:
        self.action = action
        self.path = path
        self.value = value


def operations(body: dict[str, Any]) -> list[Operation]:
    """The operations of a request, each about one attribute. Raises `BadPatch`."""
    found = body.get("operations")
    if not isinstance(found, list) or not found or len(found) > _MOST_OPERATIONS:
        raise BadPatch(
            "there are no operations, or too many",
            why=f"`Operations` is a list of 1 to {_MOST_OPERATIONS}",
            mend="send some",
            kind="invalidSyntax",
        )
    return [each for number, one in enumerate(found) for each in _taken_apart(number, one)]


def _taken_apart(number: int, one: object) -> list[Operation]:
    said = folded(one)
    action, path, value = str(said.get("op")).lower(), said.get("path"), said.get("value")
    if action not in _ACTIONS or not isinstance(path, str | None):
        raise BadPatch(
            f"Operations[{number}] is none",
            why=f"`op` is one of {', '.join(_ACTIONS)}, `path` a text",
            mend="correct it",
        )
    if path and plain(path) not in _WHOLE:
        return [Operation(action, path.strip(), value)]
    if action == "remove" or not isinstance(value, dict):
        raise BadPatch(
            f"Operations[{number}] has no path",
            why="without one, what it sets is an object of attributes",
            mend="say what is meant",
            kind="noTarget",
        )
    return [Operation(action, name, each) for name, each in _attributes(value)]


def _attributes(value: object) -> list[tuple[str, Any]]:
    """Those of an object, and those that stand in it under the schema's own name."""
    found = []
    for name, each in folded(value).items():
        found += list(folded(each).items()) if name in _WHOLE else [(name, each)]
    return found


def patched_person(fields: PersonFields, changes: list[Operation]) -> PersonFields:
    """What the operations make of a person. Pure. Raises `BadInput`."""
    kept: dict[str, Any] = {
        "username": fields.user_name,
        "externalid": fields.external_id,
        "active": fields.active,
    }
    for each in changes:
        name = plain(each.path)
        if name not in kept:
            _require_no_doubt(name)
            continue
        if each.action == "remove":
            if name != "externalid":
                raise BadPatch(
                    f"{each.path[:80]!r} cannot be removed",
                    why="everybody has it",
                    mend="replace it",
                    kind="mutability",
                )
            kept[name] = ""
        else:
            kept[name] = flag(name, each.value) if name == "active" else text(name, each.value)
    return PersonFields(user_name=kept["username"], external_id=kept["externalid"], active=kept["active"])


def _require_no_doubt(name: str) -> None:
    """What is not kept is passed over, but nothing that could be meant to make somebody inactive: whoever is told that
    it was done must not be mistaken. Extensions may have an attribute of that name."""
    is_extension = name.startswith("urn:") and not name.startswith(_WHOLE)
    if not is_extension and _ACTIVE.fullmatch(name):
        raise BadPatch(
            f"{name[:80]!r} is no path of a person",
            why="whether somebody is active is set by the path active, to true or false",
            mend="correct what the provider maps to it",
            kind="invalidPath",
        )


def patched_group(changes: list[Operation]) -> Callable[[GroupFields], tuple[GroupFields, MemberChange]]:
    """What the operations make of a group. Raises `BadInput` before anything is read."""
    named: dict[str, str] = {}
    inside = _Members()
    for each in changes:
        name = plain(each.path)
        if name.startswith("members"):
            inside.move(each)
        elif name in ("displayname", "externalid"):
            if each.action == "remove" and name == "displayname":
                raise BadPatch(
                    "displayName cannot be removed", why="every group has one", mend="replace it", kind="mutability"
                )
            named[name] = "" if each.action == "remove" else text(name, each.value)

    moved = inside.change()

    def change(fields: GroupFields) -> tuple[GroupFields, MemberChange]:
        name, external = named.get("displayname", fields.name), named.get("externalid", fields.external_id)
        return GroupFields(name=name, external_id=external), moved

    return change


class _Members:
    """Who joins and who leaves by the operations so far. Each costs what it names, not what those before it named."""

    def __init__(self) -> None:
        self._joined: set[str] = set()
        self._left: set[str] = set()
        self._cleared = False

    def change(self) -> MemberChange:
        return MemberChange(frozenset(self._joined), frozenset(self._left), self._cleared)

    def move(self, operation: Operation) -> None:
        """One operation on members, after those before it."""
        some = _named(operation)
        if some is None or operation.action == "replace":
            self._joined, self._left, self._cleared = set(some or ()), set(), True
        elif operation.action == "add":
            self._joined |= some
            self._left -= some
        else:
            self._joined -= some
            self._left |= some


def _named(operation: Operation) -> frozenset[str] | None:
    """Whom an operation on members names; None for all of them."""
    chosen = _MEMBERS.fullmatch(operation.path)
    if plain(operation.path) != "members" and (chosen is None or operation.action != "remove" or chosen.group(2)):
        raise BadPatch(
            f"{operation.path[:80]!r} cannot be changed",
            why="members join and leave, and nothing else is kept of them",
            mend='use the path members, or remove members[value eq "ID"]',
            kind="invalidPath",
        )
    if chosen is not None:
        return _chosen(read_filter(chosen.group(1)))
    return None if operation.action == "remove" and operation.value is None else members(operation.value)


def _chosen(search: Search) -> frozenset[str]:
    """The ids that `value eq "…"` names, several of them by `or`."""
    if isinstance(search, Equal):
        if search.attribute != "value" or not isinstance(search.value, str):
            raise BadInput(
                "members are chosen by their value",
                why="nothing else is kept of them",
                mend='members[value eq "ID"]',
                param="path",
            )
        return frozenset((search.value,))
    parts = [_chosen(each) for each in search.parts]
    return frozenset.intersection(*parts) if isinstance(search, Both) else frozenset().union(*parts)
