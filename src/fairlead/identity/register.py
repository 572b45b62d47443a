"""What the people whom providers push mean for who asks: nobody who is not active there, and no group that they have
been taken out of.

Of a provider with `scim`, pushed groups take the place of those in tokens. A union would keep a right that was taken
away until the token's end, and what was taken away is what matters.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from fairlead.errors import Unauthenticated
from fairlead.identity.keys import Key
from fairlead.identity.people import People, Standing
from fairlead.identity.settings import Provider
from fairlead.identity.types import Caller


class NotActive(Unauthenticated):
    """The identity provider pushes its people here, and this person is not active there.

    They were made inactive or taken out of the application at the provider, or were never pushed. Assign them to
    Fairlead at the provider and have it push them; `fairlead people show NAME` tells what has arrived.
    """

    code = "not_active"


class Register:
    """The providers that push, by name, and what they have pushed. Belongs to one event loop."""

    def __init__(self, pushing: Mapping[str, Provider], people: People) -> None:
        self._pushing = pushing
        self._people = people
        self._seen = people.generation

    def has_news(self) -> bool:
        """Whether anything was pushed since this was last asked."""
        seen, self._seen = self._seen, self._people.generation
        return seen != self._seen

    def admitted(self, caller: Caller) -> Caller:
        """Who came with a token, with the groups that were pushed. Raises `NotActive`."""
        provider = self._pushing.get(caller.person.partition("|")[0])
        if provider is None:
            return caller
        groups = self._groups(provider, caller.person)
        return caller if groups is None else replace(caller, groups=groups)

    def bound(self, caller: Caller, key: Key) -> Caller:
        """Who came with a key that is bound: the groups of both, the key's and the person's. Raises `NotActive`."""
        provider = self._pushing.get(key.bound_to)
        if provider is None or not caller.person.startswith(f"{provider.name}|"):
            raise unbound(key)
        groups = self._groups(provider, caller.person)
        return caller if groups is None else replace(caller, groups=caller.groups & groups)

    def known(self, caller: Caller) -> Caller:
        """Somebody who shows no credential: what their keys say and what was pushed. Raises `NotActive`."""
        provider = self._pushing.get(caller.person.partition("|")[0])
        if provider is None:
            return caller
        groups = self._groups(provider, caller.person)
        return caller if groups is None else replace(caller, groups=caller.groups | groups)

    def again(self, caller: Caller) -> Caller:
        """Somebody who was let in before. Raises `NotActive`; groups that they have lost are gone, new ones wait."""
        provider = self._pushing.get(caller.person.partition("|")[0])
        if provider is None:
            return caller
        groups = self._groups(provider, caller.person)
        return caller if groups is None else replace(caller, groups=caller.groups & groups)

    def _groups(self, provider: Provider, person: str) -> frozenset[str] | None:
        """None where groups are not pushed. Raises `NotActive`."""
        scim = provider.scim
        assert scim is not None
        found = self._people.find(provider.name, scim.person, person.partition("|")[2])
        if found is None or not found.active:
            raise _not_active(provider, found)
        if scim.groups == "token":
            return None
        return frozenset(provider.namespace + each for each in found.groups)


def unbound(key: Key) -> Unauthenticated:
    """A key that is bound to nobody who could be looked up."""
    return NotActive(
        f"the key {key.name!r} is bound to a person of {key.bound_to!r}, which pushes nobody here",
        why=f"no provider of that name has `scim`, or the key's person is not called {key.bound_to}|…",
        mend="add `scim` to the provider, or make another key",
        step="authenticate",
    )


def _not_active(provider: Provider, found: Standing | None) -> NotActive:
    return NotActive(
        f"you are not active at {provider.name}",
        why="it has made this person inactive"
        if found is not None
        else "it has not pushed this person, or deleted them",
        mend="ask whoever runs the identity provider to assign you to Fairlead",
        step="authenticate",
    )
