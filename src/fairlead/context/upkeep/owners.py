"""Who owns pages, as far as is known: whether an owner is still there, and who is above them. Pure."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal

from msgspec import Struct

from fairlead.context.catalogue import Catalogue, Entry

Presence = Literal["here", "left", "unknown"]
Pushed = Callable[[str], bool | None]


class Owners(Struct, frozen=True, kw_only=True):
    """`names` are all who are known. `pushed` says of a name whether its identity provider calls the person active,
    None where none knows it. Only where the workspace says who there is (`telling`) does it mean anything that a name
    is not known. `managers` gives who is above somebody."""

    names: frozenset[str]
    managers: Mapping[str, str]
    telling: bool
    pushed: Pushed

    def presence(self, owner: str) -> Presence:
        """As the owner's provider says; else a known name is here, and so is any where the workspace does not say
        who there is."""
        active = self.pushed(owner)
        if active is not None:
            return "here" if active else "left"
        return "here" if owner in self.names or not self.telling else "unknown"

    def above(self, owner: str, lead: str) -> str:
        """Who is told when an owner misses a deadline: their manager, or `lead`; "" for nobody."""
        manager = self.managers.get(owner, "")
        return manager if manager and manager != owner else lead if lead != owner else ""


def known_owners(
    catalogue: Catalogue,
    names: Iterable[str],
    managers: Mapping[str, str],
    pushed: Pushed,
) -> Owners:
    """From the pages about units and roles, from other names that are known, and from what settings say of managers,
    which counts first."""
    known, above = set(names) | set(managers), dict[str, str]()
    organised = [entry for kind in ("unit", "role") for entry in catalogue.by_kind.get(kind, ())]
    heads = {name: head for entry in organised if (head := _one(entry, "head")) for name in _called(entry)}
    for entry in organised:
        people = {*_all(entry, "members"), *_all(entry, "holders")}
        head = _one(entry, "head") or _one(entry, "manager")
        known.update(_called(entry), people, {head} - {""})
        higher = heads.get(_one(entry, "parent"), "")
        for name in (*_called(entry), *sorted(people)):
            above.setdefault(name, head)
        if higher and head:
            above.setdefault(head, higher)
    above.update({owner: manager for owner, manager in managers.items() if manager})
    telling = bool(organised) or bool(managers)
    return Owners(names=frozenset(known), managers=above, telling=telling, pushed=pushed)


def vacant(catalogue: Catalogue, owners: Owners) -> dict[str, list[Entry]]:
    """The pages of owners who are not there (any more), by owner; of those without one by ""."""
    found: dict[str, list[Entry]] = {}
    presence: dict[str, Presence] = {}
    for entry in catalogue.entries:
        if not entry.owner:
            found.setdefault("", []).append(entry)
        elif presence.setdefault(entry.owner, owners.presence(entry.owner)) != "here":
            found.setdefault(entry.owner, []).append(entry)
    return found


def _called(entry: Entry) -> Collection[str]:
    """By which names pages may call a unit or role."""
    return dict.fromkeys((entry.id, entry.id.rpartition("/")[2], entry.title))


def _one(entry: Entry, field: str) -> str:
    return next(iter(entry.fields.get(field, ())), "")


def _all(entry: Entry, field: str) -> tuple[str, ...]:
    return entry.fields.get(field, ())
