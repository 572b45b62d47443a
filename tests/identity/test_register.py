"""What was pushed decides who is let in with a token, and with which groups; on this worker and on another."""

import msgspec
import pytest
from tests.erased import erase
from tests.identity.issuer import Issuer
from tests.server.scim.pushing import Pushing, patch, provider, scim

from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.identity import Authenticator, IdentitySettings, Key, KeySettings, compile_identity
from fairlead.identity.issuer_keys import Fetch, IssuerKeyRings
from fairlead.identity.keys import digest_of
from fairlead.identity.register import NotActive
from fairlead.storage.fleet import Fleet, Lease
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault

SECRET = "a-key-of-twenty-letters-and-more"
ACME = provider()


def opened(issuer: Issuer, fetch: Fetch, pushing: Pushing, *, elsewhere: bool = False, **more: str) -> Authenticator:
    whole = {"issuer": issuer.url, "audience": "fairlead", "name": "acme", "scim": scim(**more), "namespace": "a/"}
    identity = compile_identity(msgspec.convert({"providers": [whole]}, IdentitySettings), {}, str)
    key = Key(
        name="robot",
        digest=digest_of(SECRET),
        person="acme|x-ada",
        groups=frozenset({"a/staff", "own"}),
        bound_to="acme",
    )
    people = pushing.elsewhere if elsewhere else pushing.people
    rings = IssuerKeyRings(fetch, issuer.clock)
    return Authenticator(identity, stored=(key,), rings=rings, clock=issuer.clock, people=people)


async def test_a_token_counts_as_far_as_its_person_was_pushed(issuer: Issuer, fetch: Fetch, store: Store) -> None:
    pushing = Pushing(store, SystemClock())
    here, there = (opened(issuer, fetch, pushing, elsewhere=each) for each in (False, True))
    token = f"Bearer {issuer.token(sub='x-ada', groups=['leads'])}"
    with pytest.raises(NotActive, match="not active at acme"):
        await here.authenticate(token, loopback=False)
    ada = pushing.add(ACME, "ada")
    staff = pushing.gather(ACME, "staff", ada)
    assert (await here.authenticate(token, loopback=False)).groups == {"a/staff"}
    assert (await here.authenticate(f"Bearer {SECRET}", loopback=False)).groups == {"a/staff"}
    assert here.known("acme|x-ada").groups == {"a/staff"}
    pushing.elsewhere.follow()
    caller = await there.authenticate(token, loopback=False)
    assert caller == await here.authenticate(token, loopback=False) == here.standing(caller)
    pushing.ask(ACME, "PATCH", f"Groups/{staff}", patch({"op": "replace", "path": "members", "value": []}))
    assert here.standing(caller) != caller
    assert (await there.authenticate(token, loopback=False)).groups == {"a/staff"}  # it has not looked yet
    lease = Lease(SystemClock())
    Fleet(store, SystemClock()).renew(lease, "w", host="h", pid=1, seen=0, follow=pushing.elsewhere.follow)
    assert lease.valid()
    assert (await there.authenticate(token, loopback=False)).groups == frozenset()
    pushing.ask(ACME, "PATCH", f"Users/{ada}", patch({"op": "Replace", "path": "active", "value": "False"}))
    for credential in (token, f"Bearer {SECRET}"):
        with pytest.raises(NotActive):
            await here.authenticate(credential, loopback=False)
    with pytest.raises(NotActive):
        here.standing(caller)
    with pytest.raises(NotActive):
        here.known("acme|x-ada")


async def test_a_lease_is_not_extended_by_who_cannot_follow(store: Store) -> None:
    clock, lease = SystemClock(), None

    def away() -> None:
        raise BadInput("the database is away")

    lease = Lease(clock)
    with pytest.raises(BadInput):
        Fleet(store, clock).renew(lease, "w", host="h", pid=1, seen=0, follow=away)
    assert not lease.valid()


async def test_groups_stay_those_of_the_token_where_only_people_are_pushed(
    issuer: Issuer, fetch: Fetch, store: Store
) -> None:
    pushing = Pushing(store, SystemClock())
    door = opened(issuer, fetch, pushing, groups="token")
    pushing.add(ACME, "ada")
    token = f"Bearer {issuer.token(sub='x-ada', groups=['leads'])}"
    assert (await door.authenticate(token, loopback=False)).groups == {"a/leads"}
    assert (await door.authenticate(f"Bearer {SECRET}", loopback=False)).groups == {"a/staff", "own"}


async def test_who_is_known_by_user_name_is_found_in_any_case(issuer: Issuer, fetch: Fetch, store: Store) -> None:
    pushing = Pushing(store, SystemClock())
    door = opened(issuer, fetch, pushing, person="userName")
    pushing.add(ACME, "Ada@acme.test")
    assert await door.authenticate(f"Bearer {issuer.token(sub='ada@ACME.test')}", loopback=False)


@pytest.mark.parametrize(("pushed", "other"), [("strasse", "straße"), ("kim", "\N{KELVIN SIGN}im"), ("é", "É")])
async def test_another_letter_is_another_person_whatever_unicode_makes_of_it(
    issuer: Issuer, fetch: Fetch, store: Store, pushed: str, other: str
) -> None:
    pushing = Pushing(store, SystemClock())
    door = opened(issuer, fetch, pushing, person="userName")
    pushing.gather(ACME, "staff", pushing.add(ACME, pushed))
    assert await door.authenticate(f"Bearer {issuer.token(sub=pushed)}", loopback=False)
    with pytest.raises(NotActive):
        await door.authenticate(f"Bearer {issuer.token(sub=other)}", loopback=False)


async def test_an_erased_person_is_nobody_until_pushed_anew(issuer: Issuer, fetch: Fetch, store: Store) -> None:
    pushing = Pushing(store, SystemClock())
    door = opened(issuer, fetch, pushing)
    pushing.add(ACME, "ada")
    token = f"Bearer {issuer.token(sub='x-ada')}"
    await door.authenticate(token, loopback=False)
    vault: Vault = pushing.directory._vault
    erase(store, vault, "acme|x-ada")
    pushing.people.follow()
    with pytest.raises(NotActive):
        await door.authenticate(token, loopback=False)
    pushing.add(ACME, "ada")
    await door.authenticate(token, loopback=False)


@pytest.mark.parametrize(
    ("key", "says"), [({"person": "kim"}, "none of acme"), ({"bound_to": "other"}, "no provider that pushes")]
)
def test_a_key_is_bound_to_a_person_of_a_provider_that_pushes(key: dict[str, str], says: str) -> None:
    whole = {"issuer": "https://a.test", "audience": "fairlead", "name": "acme", "scim": scim()}
    settings = msgspec.convert({"providers": [whole]}, IdentitySettings)
    secret = f"sha256:{digest_of(SECRET).hex()}"
    declared = KeySettings(**({"secret": secret, "person": "acme|x", "bound_to": "acme"} | key))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=says) as refused:
        compile_identity(settings, {"robot": declared}, str)
    assert refused.value.message.startswith("keys.robot.bound_to")
    assert refused.value.mend
