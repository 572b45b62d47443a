"""`/Users`: people, created, read, replaced, patched and deleted."""

from typing import Any

from fairlead.identity.directory import Directory, Person, PersonFields
from fairlead.server.scim.answer import Asked, Told, misplaced, resource
from fairlead.server.scim.attributes import flag, text
from fairlead.server.scim.patch import operations, patched_person
from fairlead.server.scim.resources import Wanted, listed, user, version_of


def answer_people(directory: Directory, asked: Asked) -> Told:
    """Blocking: call it in a thread. Raises what SCIM's errors tell."""
    if not asked.id:
        return _all(directory, asked)
    provider, match = asked.provider, version_of(asked.match)
    if asked.method == "GET":
        return _told(asked, directory.person(provider.name, asked.id))
    if asked.method == "DELETE":
        directory.remove(provider, asked.id, match)
        return Told(None, 204)
    if asked.method == "PUT":
        return _told(asked, directory.change(provider, asked.id, lambda before: _fields(asked.body, before), match))
    if asked.method == "PATCH":
        changes = operations(asked.body)
        return _told(asked, directory.change(provider, asked.id, lambda before: patched_person(before, changes), match))
    return misplaced(asked.method, "GET", "PUT", "PATCH", "DELETE")


def _all(directory: Directory, asked: Asked) -> Told:
    wanted = Wanted(asked.query)
    if asked.method == "GET":
        start, most = asked.page()
        total, found = directory.search(asked.provider.name, asked.search, start, most)
        return Told(listed((wanted.cut(user(each)) for each in found), total, start + 1))
    if asked.method == "POST":
        return _told(asked, directory.add(asked.provider, _fields(asked.body, None)), status=201)
    return misplaced(asked.method, "GET", "POST")


def _told(asked: Asked, person: Person, *, status: int = 200) -> Told:
    return resource(asked, Wanted(asked.query).cut(user(person)), person.version, status=status)


def _fields(body: dict[str, Any], before: PersonFields | None) -> PersonFields:
    """A whole person. One who was there stays as active as they were, where the provider does not say."""
    active = body.get("active")
    usual = before is None or before.active
    return PersonFields(
        user_name=text("userName", body.get("username")),
        external_id=text("externalId", body.get("externalid")),
        active=usual if active is None else flag("active", active),
    )
