"""Under what a decision is remembered: every input that the policies read, and nothing else."""

from collections.abc import Callable, Hashable
from operator import attrgetter

from fairlead.identity.types import Caller
from fairlead.labels import Access
from fairlead.models.types import Model
from fairlead.policy.reads import Reads

_CALLER = ("agent", "credential", "department", "groups", "roles", "tenant")
_PLACES = 4096


class Remembered(dict[Hashable, object]):
    """A bounded memory of decisions. When it is full it forgets everything: cheaper than keeping score of use."""

    def keep(self, key: Hashable, value: object) -> None:
        """Keep a decision under all that it rests on."""
        if len(self) >= _PLACES:
            self.clear()
        self[key] = value


def caller_key(reads: Reads, *, meeting: bool = True) -> Callable[[Caller], Hashable]:
    """What the policies can tell of a caller. Where only membership in named groups is tested, callers who differ in
    other groups share their decisions. Without `meeting`, but for whether an item's audience means them."""
    names = {name for name in _CALLER if reads.of("principal", name)}
    if reads.of("principal", "known_as") or (meeting and reads.meets):
        names |= {"person", "department", "groups"}
    if reads.who("principal"):
        names.add("person")
    if "principal" in reads.whole:
        names |= {"department", "groups"}
    groups = frozenset(reads.groups) if "groups" not in names else frozenset()
    departments = frozenset(reads.departments) if "department" not in names else frozenset()
    plain = attrgetter(*sorted(names)) if names else None
    if not groups and not departments:
        return plain or (lambda caller: None)

    def key(caller: Caller) -> Hashable:
        member = groups & caller.groups
        department = caller.department if caller.department in departments else ""
        return (plain(caller) if plain else None, member, department)

    return key


def model_key(reads: Reads) -> Callable[[Model], Hashable]:
    """What the policies can tell of a model: those that are placed alike are often one and the same to them."""
    names = [
        f"placement.{name}" for name in ("kind", "region", "vendor", "retention_days") if reads.of("resource", name)
    ]
    if reads.who("resource"):
        names.append("name")
    return attrgetter(*names) if names else (lambda model: None)


def access_key(reads: Reads) -> Callable[[Access], Hashable]:
    """What the policies can tell of a context item."""
    names = [name for name in ("audience", "owner", "data_class") if reads.of("resource", name)]
    if reads.of("resource", "class") and "data_class" not in names:
        names.append("data_class")
    if reads.who("resource"):
        names.append("item")
    return attrgetter(*names) if names else (lambda access: None)
