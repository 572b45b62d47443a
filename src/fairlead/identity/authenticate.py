"""Who asks? From the credential that a door was shown to the caller, or a precise refusal.

The answer for a credential is remembered, so that a signature is checked once and not with every request. What is
remembered is dropped at a revocation (`renew`), at the credential's own end, and a token's after some minutes, so
that a key its issuer has withdrawn stops counting.
"""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.errors import Unauthenticated
from fairlead.identity.failures import Client, Failures
from fairlead.identity.keys import NEVER, PREFIX, Key, as_known, caller_of, digest_of, is_well_formed
from fairlead.identity.people import People
from fairlead.identity.register import Register, unbound
from fairlead.identity.settings import Identity
from fairlead.identity.types import Caller

if TYPE_CHECKING:
    from fairlead.identity.introspection import Introspections
    from fairlead.identity.issuer_keys import IssuerKeyRings
    from fairlead.identity.oidc import AccessTokens

MOST_REMEMBERED = 10_000
MOST_REFUSED = 1_000
REFUSED_FOR = 5.0  # seconds
RECHECK_TOKENS_AFTER = 300_000  # milliseconds
FOREVER = math.inf  # seconds
LONGEST_CREDENTIAL = 16_384
NO_CREDENTIAL = "anonymous"  # for client libraries that cannot send none

_HOW = "send `Authorization: Bearer KEY` with a key made by `fairlead key add`, or an access token"


class _Refusal(Struct, frozen=True):
    until: float
    message: str
    why: str
    mend: str


OPERATOR: Final = "os:"
"""What the credential begins with of what whoever runs the deployment does over its database."""


class Authenticator:
    """Authenticates under one revision. `stored` are the keys from the database; they may be renewed.

    `rings` and `people` outlive revisions; without `rings` no token opens anything. `pushing` are the providers that
    push their people, by name. Belongs to one event loop.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        stored: Iterable[Key],
        clock: Clock,
        rings: "IssuerKeyRings | None" = None,
        people: People | None = None,
        introspections: "Introspections | None" = None,
    ) -> None:
        self._clock = clock
        self.pushing = identity.pushing
        self._register = Register(self.pushing, people) if self.pushing and people is not None else None
        self._anonymous = identity.anonymous
        self._declared = {key.digest: key for key in identity.keys}
        self.issuers = tuple(each.issuer for each in identity.providers)
        self._tokens = _access_tokens(identity, rings, clock, introspections)
        self._keys: dict[bytes, Key] = {}
        self._by_name: dict[str, Key] = {}
        self._binding: frozenset[str] = frozenset()  # the credentials of keys that are bound to a person
        self._known: dict[str | None, tuple[Caller, int, float]] = {}
        self._refused: dict[str, _Refusal] = {}
        self._failures = Failures(clock.monotonic)
        self._generation = 0
        self.renew(stored)

    def renew(self, stored: Iterable[Key]) -> None:
        """Take these keys in place of the stored ones, and forget every answer. To be called with each new epoch."""
        # A declared key is the reviewed text's word, so it wins over a stored one with the same secret.
        self._keys = {key.digest: key for key in stored} | self._declared
        self._by_name = {key.name: key for key in reversed(self._keys.values())}  # the first of a name, as ever
        self._binding = frozenset(f"key:{key.name}" for key in self._keys.values() if key.bound_to)
        self.clear()

    def clear(self) -> None:
        """Forget every answer. Also those that are being worked out now are not remembered."""
        self._generation += 1
        self._known.clear()
        self._refused.clear()

    async def authenticate(self, authorization: str | None, *, loopback: bool, client: Client = None) -> Caller:
        """The caller behind the value of an `Authorization` or `x-api-key` header, None if neither was sent.

        `loopback` says that the connection itself comes from this machine and was not forwarded; `client` is where it
        comes from. Raises `Unauthenticated`, `TooManyWrong` where that was answered too often, or `Overloaded` where an
        identity provider cannot be reached.
        """
        if self._register is not None and self._register.has_news():
            self.clear()
        known = self._known.get(authorization)
        if known is not None:
            if self._clock.now() < known[1] and (known[2] is FOREVER or self._clock.monotonic() < known[2]):
                return known[0]
            self._known.pop(authorization, None)
        credential = _credential(authorization)
        if credential is None:
            return self._without(loopback)
        self._repeat_refusal(credential, client)
        generation = self._generation
        try:
            caller, until, fresh = await self._identify(credential, client)
        except Unauthenticated as error:
            self._failures.count(client)
            if generation == self._generation:
                self._refuse_again(credential, error)
            raise
        if generation == self._generation:
            _make_room(self._known, MOST_REMEMBERED)
            self._known[authorization] = (caller, until, fresh)
        return caller

    def agents_of(self, person: str) -> tuple[str, ...]:
        """The agents that keys let act for this person. Which others tokens may name, nobody knows beforehand."""
        return tuple(sorted({each.agent for each in self._keys.values() if each.person == person and each.agent}))

    def known(self, person: str) -> Caller:
        """The person as keys know them, and what their provider pushed, for whoever has shown otherwise that they act
        for this person. Raises `NotActive`."""
        found = as_known(person, self._keys.values(), self._clock.now())
        return found if self._register is None else self._register.known(found)

    def admitted(self, caller: Caller) -> Caller:
        """Who was shown by their provider otherwise than by a token, as they stand there by now. Raises `NotActive`."""
        return caller if self._register is None else self._register.admitted(caller)

    def standing(self, caller: Caller) -> Caller:
        """The caller as they stand by now, where their provider pushes that. Raises `NotActive`."""
        if self._register is None or (caller.credential.startswith("key:") and caller.credential not in self._binding):
            return caller
        return self._register.again(caller)

    def again(self, caller: Caller) -> Caller:
        """Whoever began what goes on without their credential, as they stand by now: with what their key gives today,
        or what their provider pushes. Raises `Unauthenticated`, `NotActive`."""
        named = caller.credential.removeprefix("key:")
        if caller.credential == NO_CREDENTIAL:
            return self._without(loopback=True)
        if named == caller.credential:
            return replace(self.standing(caller), expires=0)
        key = self._by_name.get(named)
        if key is None or key.person != caller.person:
            raise _refusal(
                f"the key {named!r} is gone",
                why="what goes on without its caller goes on with the rights that their key has by then",
                mend="begin it again with a key that is in force",
            )
        found = caller_of(key, self._clock.now())
        return self._bound(found, key) if key.bound_to else found

    def still(self, caller: Caller) -> Caller:
        """Somebody who said something earlier, as they stand by now: who said it by a signed link, or through whoever
        runs the deployment, as keys know them. Raises `Unauthenticated`, `NotActive`."""
        if not caller.credential or caller.credential.startswith(OPERATOR):
            return self.known(caller.person)
        return self.again(caller)

    def is_same(self, caller: Caller, before: "Authenticator") -> bool:
        """Whether somebody whom another let in is let in here with the same rights, and by the same key where it is a
        key: not by one that has its name by now. Raises `Unauthenticated`, `NotActive`."""
        name = caller.credential.removeprefix("key:")
        same_key = self._by_name.get(name) == before._by_name.get(name)
        return same_key and replace(self.again(caller), expires=caller.expires) == caller

    def _bound(self, caller: Caller, key: Key) -> Caller:
        """The caller of a key that is bound to a person. Raises `NotActive`."""
        if self._register is None:
            raise unbound(key)
        return self._register.bound(caller, key)

    async def _identify(self, credential: str, client: Client) -> tuple[Caller, int, float]:
        """The caller, and until when that may be remembered: by the wall clock, and in monotonic seconds."""
        now = self._clock.now()
        key = self._keys.get(digest_of(credential))
        if key is not None:
            caller = caller_of(key, now)
            return self._bound(caller, key) if key.bound_to else caller, key.expires_at or NEVER, FOREVER
        self._failures.refuse(client)  # a key that is known is let through from anywhere: it was nobody's guess
        if credential.startswith(PREFIX):
            raise _unknown_key(credential)
        if credential.count(".") == 2:
            if self._tokens is None:
                raise _refusal("no access token is accepted here", why="`identity.providers` is empty", mend=_HOW)
            return self._token(*await self._tokens.verify(credential), now)
        if self._tokens is not None and self._tokens.takes_opaque:
            return self._token(*await self._tokens.verify_opaque(credential), now)
        raise _refusal("the credential is neither a known key nor an access token", mend=_HOW)

    def _token(self, named: Caller, until: float, now: int) -> tuple[Caller, int, float]:
        caller = self.admitted(named)
        fresh = FOREVER if until == FOREVER else until  # the very object that `authenticate` knows
        return caller, min(caller.expires, now + RECHECK_TOKENS_AFTER), fresh

    def _without(self, loopback: bool) -> Caller:
        if self._anonymous is None:
            raise _refusal("no credential was sent", mend=_HOW)
        if not loopback:
            raise _refusal("no credential was sent", why="only callers on the same machine need none", mend=_HOW)
        return self._anonymous

    def _repeat_refusal(self, credential: str, client: Client) -> None:
        refused = self._refused.get(credential)
        if refused is not None and self._clock.monotonic() < refused.until:
            self._failures.refuse(client)
            self._failures.count(client)
            raise _refusal(refused.message, why=refused.why, mend=refused.mend)

    def _refuse_again(self, credential: str, error: Unauthenticated) -> None:
        self._refused.pop(credential, None)
        _make_room(self._refused, MOST_REFUSED)
        until = self._clock.monotonic() + REFUSED_FOR
        self._refused[credential] = _Refusal(until, error.message, error.why, error.mend)


def _access_tokens(
    identity: Identity, rings: "IssuerKeyRings | None", clock: Clock, introspections: "Introspections | None"
) -> "AccessTokens | None":
    """The verifier, whose libraries are loaded only where a workspace names an issuer."""
    if not identity.providers or rings is None:
        return None
    from fairlead.identity.oidc import AccessTokens

    return AccessTokens(identity.providers, rings, clock, introspections)


def _credential(authorization: str | None) -> str | None:
    """The credential itself; None for none. Never more than one: a header sent twice arrives joined and is refused."""
    if authorization is None:
        return None
    if len(authorization) > LONGEST_CREDENTIAL:
        raise _refusal(f"the credential is longer than {LONGEST_CREDENTIAL} characters", mend=_HOW)
    words = authorization.split()
    if len(words) == 2 and words[0].lower() == "bearer":
        words = words[1:]
    if len(words) != 1 or words[0].lower() == "bearer":
        raise _refusal("the Authorization header is malformed", why="it is not `Bearer CREDENTIAL`", mend=_HOW)
    return None if words[0] == NO_CREDENTIAL else words[0]


def _unknown_key(credential: str) -> Unauthenticated:
    if not is_well_formed(credential):
        return _refusal(
            "the key is mistyped", why="its checksum does not match", mend="copy it again, whole and without spaces"
        )
    return _refusal(
        "the key is not known here",
        why="it belongs to another deployment, or was never stored",
        mend="see `fairlead key list`, or make one with `fairlead key add`",
    )


def _refusal(message: str, *, why: str = "", mend: str = "") -> Unauthenticated:
    return Unauthenticated(message, why=why, mend=mend, step="authenticate")


def _make_room(remembered: dict[str | None, tuple[Caller, int, float]] | dict[str, _Refusal], most: int) -> None:
    if len(remembered) >= most:
        del remembered[next(iter(remembered))]  # type: ignore[arg-type]  # the oldest; mypy cannot join the key types
