"""People and groups as SCIM shows them, and their versions as ETags."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from fairlead.errors import BadInput
from fairlead.identity.directory import Person
from fairlead.identity.directory_groups import Group
from fairlead.server.scim.attributes import GROUP, USER, plain

ROOT: Final = "/scim/v2/"
_LIST: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
_ALWAYS: Final = frozenset(("schemas", "id"))


class Wanted:
    """Which attributes a client asks for, by `attributes` or `excludedAttributes`."""

    def __init__(self, query: dict[str, str]) -> None:
        self._only = _names(query.get("attributes"))
        self._without = _names(query.get("excludedAttributes"))
        if self._only and self._without:
            raise BadInput(
                "attributes and excludedAttributes are both given",
                why="the one says what is wanted, the other what is not",
                mend="send one of them",
                param="attributes",
            )

    def has(self, name: str) -> bool:
        """Whether an attribute is to be sent. Some always are (RFC 7644, 3.9)."""
        name = name.lower()
        return name in _ALWAYS or (name in self._only if self._only else name not in self._without)

    def cut(self, resource: dict[str, Any]) -> dict[str, Any]:
        """What of a resource is to be sent."""
        return {name: value for name, value in resource.items() if self.has(name)}


def _names(given: str | None) -> frozenset[str]:
    """The first part of each path: what is below an attribute comes with it."""
    return frozenset(plain(each).partition(".")[0] for each in (given or "").split(",") if each.strip())


def user(person: Person) -> dict[str, Any]:
    """A person as a User (RFC 7643, 4.1)."""
    at = f"{ROOT}{person.provider}"
    shown: dict[str, Any] = {
        "schemas": [USER],
        "id": person.id,
        "userName": person.fields.user_name,
        "active": person.fields.active,
        "groups": [{"value": id, "display": name, "$ref": f"{at}/Groups/{id}"} for id, name in person.groups],
        "meta": _meta("User", f"{at}/Users/{person.id}", person),
    }
    return shown | ({"externalId": person.fields.external_id} if person.fields.external_id else {})


def group(found: Group) -> dict[str, Any]:
    """A group as a Group (RFC 7643, 4.2); its members where they were read."""
    at = f"{ROOT}{found.provider}"
    shown: dict[str, Any] = {
        "schemas": [GROUP],
        "id": found.id,
        "displayName": found.fields.name,
        "meta": _meta("Group", f"{at}/Groups/{found.id}", found),
    }
    if found.members is not None:
        shown["members"] = [{"value": id, "$ref": f"{at}/Users/{id}"} for id in found.members]
    return shown | ({"externalId": found.fields.external_id} if found.fields.external_id else {})


def listed(resources: Iterable[dict[str, Any]], total: int, start: int) -> dict[str, Any]:
    """A page of resources as a ListResponse (RFC 7644, 3.4.2). `start` counts from 1."""
    found = list(resources)
    return {
        "schemas": [_LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(found),
        "Resources": found,
    }


def etag(version: int) -> str:
    """The weak entity tag of a version (RFC 7232, 2.3)."""
    return f'W/"{version}"'


def version_of(tag: str | None) -> int | None:
    """The version that an `If-Match` means; None for any, and -1 for one that was never given."""
    if tag is None or tag.strip() == "*":
        return None
    text = tag.strip().removeprefix("W/").strip('"')
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else -1


def _meta(kind: str, location: str, found: Person | Group) -> dict[str, str]:
    return {
        "resourceType": kind,
        "created": _moment(found.made_at),
        "lastModified": _moment(found.changed_at),
        "location": location,
        "version": etag(found.version),
    }


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
