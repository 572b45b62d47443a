"""Who leads and manages whom, as pages of the organisation say it, and what approvals make of that. Pure.

What `approvals:` says wins. A page adds persons to what the settings leave open, and a flow only ever asks for more
agreement than a policy does, never for less.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.errors import BadInput, closest
from fairlead.policy.approval_settings import ApprovalSettings, ApproverSettings

_MANAGER: Final = "manager"


class Unit(Struct, frozen=True, kw_only=True):
    """A department or team. `page` is the item that says so, in this and the next."""

    page: str
    name: str
    parent: str = ""
    head: str = ""
    members: tuple[str, ...] = ()


class Role(Struct, frozen=True, kw_only=True):
    """Who has a role, and whom they report to."""

    page: str
    name: str
    holders: tuple[str, ...] = ()
    manager: str = ""


class Flow(Struct, frozen=True, kw_only=True):
    """Who must agree to calls of what it `covers`: patterns of `system.tool`, and topics, which bind no call."""

    page: str
    name: str
    covers: tuple[str, ...]
    approvers: tuple[str, ...]
    quorum: int = 1

    def about(self, tool: str) -> bool:
        """Whether a tool (`system.tool`) is among those that the flow covers."""
        return any("." in each and fnmatchcase(tool, each) for each in self.covers)


class Organisation(Struct, frozen=True, kw_only=True):
    """What published pages say of the organisation."""

    units: tuple[Unit, ...] = ()
    roles: tuple[Role, ...] = ()
    flows: tuple[Flow, ...] = ()


NOBODY: Final = Organisation()


def faults(organisation: Organisation, settings: ApprovalSettings) -> list[tuple[str, BadInput]]:
    """What cannot be true of it, each with the page that is to be mended: two pages of one name, circles, two
    managers of one person. What `settings` say of a person is not asked of the pages."""
    found: list[tuple[str, BadInput]] = []
    for kind in (organisation.units, organisation.roles, organisation.flows):
        found += _twins(kind)
    units = {unit.name: unit for unit in organisation.units}
    for unit in organisation.units:
        if unit.parent and unit.parent not in units:
            mend = closest(unit.parent, units) or "write a page of kind unit for it"
            found.append((unit.page, BadInput(f"there is no unit {unit.parent!r} above it", mend=mend)))
    found += _circles(units)
    for role in organisation.roles:
        if role.name == _MANAGER:
            why = "`manager` is always the manager of whoever asks"
            found.append((role.page, BadInput("no role is called `manager`", why=why, mend="rename the page")))
        if role.manager and role.manager in role.holders:
            said = f"{role.manager} would be their own manager"
            found.append((role.page, BadInput(said, mend="name somebody else, or leave `manager` out")))
    if not found:
        found += _two_managers(organisation, settings)
    return found or _managed_in_a_circle(organisation, settings)


def resolved(organisation: Organisation, settings: ApprovalSettings) -> ApprovalSettings:
    """The settings, with what they leave open taken from the pages."""
    units = {unit.name: unit for unit in organisation.units}
    heads = {name: head for name in units if (head := _head_above(units, name, ""))}
    managers: dict[str, str] = {}
    for person, manager, _ in _reports(organisation):
        managers.setdefault(person, manager)
    roles = dict(settings.roles)
    for role in organisation.roles:
        declared = roles.get(role.name, ApproverSettings())
        if not declared.persons:
            roles[role.name] = msgspec.structs.replace(declared, persons=role.holders)
    return msgspec.structs.replace(
        settings,
        managers={**managers, **settings.managers},
        heads={**heads, **settings.heads},
        roles=roles,
    )


def overruled(organisation: Organisation, settings: ApprovalSettings) -> Iterator[str]:
    """Where a page says otherwise than the settings, which win: both are named."""
    for person, manager, page in _reports(organisation):
        told = settings.managers.get(person, manager)
        if told != manager:
            yield _overruled(f"approvals.managers.{person}", told, page, manager)
    for role in organisation.roles:
        persons = settings.roles.get(role.name, ApproverSettings()).persons
        if persons and role.holders and set(persons) != set(role.holders):
            yield _overruled(f"approvals.roles.{role.name}", ", ".join(persons), role.page, ", ".join(role.holders))
    for unit in organisation.units:
        told = settings.heads.get(unit.name, unit.head)
        if unit.head and told != unit.head:
            yield _overruled(f"approvals.heads.{unit.name}", told, unit.page, unit.head)


def _overruled(key: str, told: str, page: str, otherwise: str) -> str:
    return f"{key} says {told}, and context/{page}.md says {otherwise}: the setting counts"


def _head_above(units: Mapping[str, Unit], name: str, person: str) -> str:
    """The head of the nearest unit from this one upwards that is not led by this person."""
    seen = set[str]()
    while name in units and name not in seen:
        seen.add(name)
        if units[name].head not in ("", person):
            return units[name].head
        name = units[name].parent
    return ""


def _reports(organisation: Organisation) -> Iterator[tuple[str, str, str]]:
    """Who reports to whom, and the page that says so. What a role says of its holders comes before their units."""
    units = {unit.name: unit for unit in organisation.units}
    told = set[str]()
    for role in organisation.roles:
        for person in role.holders if role.manager else ():
            told.add(person)
            yield person, role.manager, role.page
    for unit in organisation.units:
        for person in dict.fromkeys((*unit.members, *([unit.head] if unit.head else []))):
            manager = _head_above(units, unit.name, person)
            if manager and person not in told:
                yield person, manager, unit.page


def _twins(pages: Sequence[Unit] | Sequence[Role] | Sequence[Flow]) -> Iterator[tuple[str, BadInput]]:
    seen: dict[str, str] = {}
    for each in pages:
        if each.name in seen:
            why = "it is called after its file, and approvals must know which of them is meant"
            said = f"context/{seen[each.name]}.md is called {each.name!r} as well"
            yield each.page, BadInput(said, why=why, mend="rename one of the two files")
        seen.setdefault(each.name, each.page)


def _circles(units: Mapping[str, Unit]) -> Iterator[tuple[str, BadInput]]:
    for circle in _rings({name: unit.parent for name, unit in units.items()}):
        said = f"the units stand in a circle: {' -> '.join((*circle, circle[0]))}"
        yield units[circle[0]].page, BadInput(said, mend="take `parent` out of the one on top")


def _two_managers(organisation: Organisation, settings: ApprovalSettings) -> Iterator[tuple[str, BadInput]]:
    first: dict[str, tuple[str, str]] = {}
    for person, manager, page in _reports(organisation):
        one, where = first.setdefault(person, (manager, page))
        if one != manager and person not in settings.managers:
            said = f"{person} would report to {manager}, and to {one} by context/{where}.md"
            yield page, BadInput(said, mend=f"mend one of the pages, or say it by approvals.managers.{person}")


def _managed_in_a_circle(organisation: Organisation, settings: ApprovalSettings) -> list[tuple[str, BadInput]]:
    pages = {person: page for person, _, page in _reports(organisation)}
    managers = resolved(organisation, settings).managers
    found = []
    for circle in _rings(managers):
        page = next((pages[person] for person in circle if person in pages), "")
        said = f"managers stand in a circle: {' -> '.join((*circle, circle[0]))}"
        if page:
            found.append((page, BadInput(said, mend="nobody manages those who manage them: mend one of the pages")))
    return found


def _rings(above: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """The circles in who stands above whom, each once, from its first name on."""
    done = set[str]()
    for start in above:
        trail: dict[str, None] = {}
        name = start
        while name in above and name not in done and name not in trail:
            trail[name] = None
            name = above[name]
        if name in trail:
            ring = list(trail)[list(trail).index(name) :]
            least = ring.index(min(ring))
            yield tuple(ring[least:] + ring[:least])
        done.update(trail)


def organisation_of(pages: Iterable[tuple[str, str, Mapping[str, tuple[str, ...]]]]) -> Organisation:
    """From (item, kind, fields) of pages. Each is called after its file: `context/org/sales.md` is `sales`."""
    made: dict[str, list[Unit | Role | Flow]] = {"unit": [], "role": [], "flow": []}
    for page, kind, fields in pages:
        if kind in made:
            made[kind].append(_MAKERS[kind](page, page.rpartition("/")[2], fields))
    units = tuple(each for each in made["unit"] if isinstance(each, Unit))
    roles = tuple(each for each in made["role"] if isinstance(each, Role))
    return Organisation(units=units, roles=roles, flows=tuple(each for each in made["flow"] if isinstance(each, Flow)))


_Fields = Mapping[str, tuple[str, ...]]


def _one(fields: _Fields, name: str) -> str:
    return next(iter(fields.get(name, ())), "")


def _unit(page: str, name: str, fields: _Fields) -> Unit:
    return Unit(
        page=page,
        name=name,
        parent=_one(fields, "parent"),
        head=_one(fields, "head"),
        members=fields.get("members", ()),
    )


def _role(page: str, name: str, fields: _Fields) -> Role:
    return Role(page=page, name=name, holders=fields.get("holders", ()), manager=_one(fields, "manager"))


def _flow(page: str, name: str, fields: _Fields) -> Flow:
    quorum = int(_one(fields, "quorum") or 1)
    return Flow(
        page=page, name=name, covers=fields.get("covers", ()), approvers=fields.get("approvers", ()), quorum=quorum
    )


_MAKERS: Final[Mapping[str, Callable[[str, str, _Fields], Unit | Role | Flow]]] = {
    "unit": _unit,
    "role": _role,
    "flow": _flow,
}
