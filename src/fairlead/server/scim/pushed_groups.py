"""`/Groups`: groups, created, read, replaced, patched and deleted."""

from typing import Any

from fairlead.identity.directory_groups import Group, GroupFields, Groups, MemberChange
from fairlead.server.scim.answer import Asked, Told, misplaced, resource
from fairlead.server.scim.attributes import members, text
from fairlead.server.scim.patch import operations, patched_group
from fairlead.server.scim.resources import Wanted, group, listed, version_of


def answer_groups(groups: Groups, asked: Asked) -> Told:
    """Blocking: call it in a thread. Raises what SCIM's errors tell."""
    if not asked.id:
        return _all(groups, asked)
    name, match, whole = asked.provider.name, version_of(asked.match), Wanted(asked.query).has("members")
    if asked.method == "GET":
        return _told(asked, groups.group(name, asked.id, members=whole))
    if asked.method == "DELETE":
        groups.remove(name, asked.id, match)
        return Told(None, 204)
    if asked.method == "PUT":
        replaced = _fields(asked.body), MemberChange(members(asked.body.get("members")), cleared=True)
        return _told(asked, groups.change(name, asked.id, lambda _: replaced, match, members=whole))
    if asked.method == "PATCH":
        changed = patched_group(operations(asked.body))
        return _told(asked, groups.change(name, asked.id, changed, match, members=whole))
    return misplaced(asked.method, "GET", "PUT", "PATCH", "DELETE")


def _all(groups: Groups, asked: Asked) -> Told:
    wanted = Wanted(asked.query)
    if asked.method == "GET":
        start, most = asked.page()
        name, search = asked.provider.name, asked.search
        total, found = groups.search(name, search, start, most, members=wanted.has("members"))
        return Told(listed((wanted.cut(group(each)) for each in found), total, start + 1))
    if asked.method == "POST":
        made = groups.add(asked.provider.name, _fields(asked.body), members(asked.body.get("members")))
        return _told(asked, made, status=201)
    return misplaced(asked.method, "GET", "POST")


def _told(asked: Asked, found: Group, *, status: int = 200) -> Told:
    return resource(asked, Wanted(asked.query).cut(group(found)), found.version, status=status)


def _fields(body: dict[str, Any]) -> GroupFields:
    return GroupFields(
        name=text("displayName", body.get("displayname")), external_id=text("externalId", body.get("externalid"))
    )
