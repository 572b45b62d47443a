"""Authentication from end to end: real tokens of a real issuer, real keys, and every way to be refused."""

import asyncio
import contextlib
import hmac
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import RSAKey
from joserfc.util import json_b64encode, urlsafe_b64encode
from tests.identity.issuer import NOW, Issuer, ToldClock, sign

from fairlead.errors import Overloaded, Unauthenticated
from fairlead.identity import Authenticator, Caller, IdentitySettings, Key, compile_identity, new_key
from fairlead.identity import authenticate as module
from fairlead.identity.issuer_keys import Fetch, IssuerKeyRings
from fairlead.identity.keys import digest_of


class Door:
    """An authenticator with an issuer behind it, as a door uses it."""

    def __init__(self, issuer: Issuer, fetch: Fetch, clock: ToldClock) -> None:
        self.issuer, self.clock = issuer, clock
        self.rings = IssuerKeyRings(fetch, clock)
        self.authenticator = self.open()

    def open(self, *, anonymous: bool = False, stored: tuple[Key, ...] = (), **provider: Any) -> Authenticator:
        settings = {
            "providers": [{"issuer": self.issuer.url, "audience": "fairlead", "name": "acme"} | provider],
            "anonymous": {"allow": anonymous, "groups": ["demo"]},
        }
        identity = compile_identity(msgspec.convert(settings, IdentitySettings), {}, str)
        self.authenticator = Authenticator(identity, stored=stored, rings=self.rings, clock=self.clock)
        return self.authenticator

    async def __call__(self, credential: str | None, *, loopback: bool = False) -> Caller:
        return await self.authenticator.authenticate(credential, loopback=loopback)

    async def refuses(self, credential: str | None, says: str) -> Unauthenticated:
        with pytest.raises(Unauthenticated, match=says) as raised:
            await self(credential)
        return raised.value


@pytest.fixture
def door(issuer: Issuer, fetch: Fetch, clock: ToldClock) -> Door:
    return Door(issuer, fetch, clock)


async def test_a_genuine_token_names_its_caller(door: Door, issuer: Issuer) -> None:
    door.open(claims={"department": "department", "roles": ["realm", "roles"]})
    token = issuer.token(
        groups=["support", "eu"], department="service", realm={"roles": ["lead"]}, azp="desk", nbf=NOW // 1000
    )
    caller = await door(f"Bearer {token}")
    assert caller == Caller(
        person="acme|ada",
        agent="desk",
        department="service",
        groups=frozenset({"support", "eu"}),
        roles=frozenset({"lead"}),
        credential=f"oidc:{issuer.url}",
        expires=NOW + 630_000,
    )


@pytest.mark.parametrize(
    ("kind", "algorithm"), [("OKP", "Ed25519"), ("EC", "ES256"), ("RSA", "RS256"), ("RSA", "PS512")]
)
async def test_every_kind_of_asymmetric_signature_is_checked(
    door: Door, issuer: Issuer, kind: str, algorithm: str
) -> None:
    issuer.rotate("other", kind)
    token = issuer.token(header={"alg": algorithm})
    assert (await door(f"bearer {token}")).person == "acme|ada"
    head, body, signature = token.split(".")
    forged = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
    await door.refuses(f"Bearer {head}.{body}.{forged}", "signature is wrong")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"exp": NOW // 1000 - 31}, "has expired"),
        ({"exp": ...}, "never expires"),
        ({"exp": "soon"}, "claim 'exp'"),
        ({"exp": True}, "claim 'exp'"),
        ({"nbf": NOW // 1000 + 60}, "not valid yet"),
        ({"iat": NOW // 1000 + 60}, "issued in the future"),
        ({"aud": "another"}, "another audience"),
        ({"aud": ["another", 7]}, "another audience"),
        ({"aud": ...}, "another audience"),
        ({"aud": {"fairlead": 1}}, "another audience"),
        ({"iss": "https://evil.test"}, "issuer is none"),
        ({"iss": ["x"]}, "issuer is none"),
        ({"sub": ...}, "claim 'sub'"),
        ({"sub": ""}, "claim 'sub'"),
        ({"sub": 7}, "claim 'sub'"),
        ({"sub": "a\nb"}, "claim 'sub'"),
        ({"groups": "admin"}, "claim 'groups'"),
        ({"groups": ["a", 1]}, "claim 'groups'"),
        ({"roles": {"a": 1}}, "claim 'roles'"),
        ({"azp": ["a"]}, "claim 'azp'"),
        ({"act": {"iss": "x"}}, "claim 'act'"),
        ({"cnf": {"jkt": "x"}}, "bound to its holder"),
    ],
)
async def test_a_signed_token_that_is_not_for_us_is_refused(
    door: Door, issuer: Issuer, changes: dict[str, Any], says: str
) -> None:
    token = issuer.token(**changes)
    error = await door.refuses(f"Bearer {token}", says)
    shown = f"{error.message} {error.why} {error.mend}"
    assert not any(part in shown for part in token.split("."))
    assert error.step == "authenticate"


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({"typ": "logout+jwt"}, "another kind"),
        ({"typ": "dpop+jwt"}, "another kind"),
        ({"crit": ["b64"], "b64": False}, "demands an extension"),
        ({"kid": "stranger"}, "does not publish"),
        ({"kid": 7}, "malformed"),
        ({"kid": ..., "typ": 3}, "malformed"),
    ],
)
async def test_a_strange_header_is_refused(door: Door, issuer: Issuer, header: dict[str, Any], says: str) -> None:
    await door.refuses(f"Bearer {issuer.token(header=header)}", says)


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+JWT", "JWT", ...])
async def test_the_usual_kinds_of_tokens_are_accepted(door: Door, issuer: Issuer, typ: object) -> None:
    assert await door(issuer.token(header={"typ": typ, "kid": ...}))


async def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused(door: Door, issuer: Issuer) -> None:
    issuer.rotate("rsa", "RSA")
    head = json_b64encode({"alg": "HS256", "kid": "rsa"})
    signed = head + b"." + urlsafe_b64encode(msgspec.json.encode(issuer.claims()))
    mac = hmac.digest(issuer.key.as_pem(private=False), signed, "sha256")
    token = (signed + b"." + urlsafe_b64encode(mac)).decode()
    await door.refuses(token, r"algorithm \(HS256\) is not allowed")


async def test_an_unsigned_token_is_refused(door: Door, issuer: Issuer) -> None:
    head, body, _ = issuer.token().split(".")
    unsigned = sign({"alg": "none"}, msgspec.json.encode(issuer.claims()), None)
    await door.refuses(unsigned, r"algorithm \(none\) is not allowed")
    await door.refuses(f"{head}.{body}.", "signature is wrong")


async def test_an_algorithm_that_the_workspace_does_not_list_is_refused(door: Door, issuer: Issuer) -> None:
    door.open(algorithms=["RS256"])
    error = await door.refuses(issuer.token(), r"\(EdDSA\) is not allowed")
    assert error.why == "allowed here: RS256"


async def test_a_key_of_one_kind_cannot_check_an_algorithm_of_another(door: Door, issuer: Issuer) -> None:
    foreign = RSAKey.generate_key(2048, {"kid": "first"})
    await door.refuses(issuer.token(header={"alg": "RS256"}, key=foreign), "does not publish")


async def test_the_actor_is_the_agent_and_a_namespace_keeps_issuers_apart(door: Door, issuer: Issuer) -> None:
    door.open(namespace="partner/", claims={"tenant": "tid"})
    caller = await door(issuer.token(act={"sub": "bot"}, azp="desk", groups=["admins"], tid="t1"))
    assert (caller.agent, caller.groups, caller.tenant) == ("partner/bot", {"partner/admins"}, "t1")


async def test_an_unverified_email_names_nobody(door: Door, issuer: Issuer) -> None:
    door.open(claims={"person": "email"})
    for name in ("email", ["email"]):
        door.open(claims={"person": name})
        for unverified in (False, "false", None, 0, "no"):
            token = issuer.token(email="ada@acme.test", email_verified=unverified)
            await door.refuses(token, "email address was not verified")
    assert await door(issuer.token(email="ada@acme.test", email_verified="true"))
    assert (await door(issuer.token(email="ada@acme.test"))).person == "acme|ada@acme.test"


async def test_a_token_is_remembered_to_its_end_and_not_longer(door: Door, issuer: Issuer, clock: ToldClock) -> None:
    token = issuer.token(exp=NOW // 1000 + 60)
    first = await door(token)
    assert await door(token) is first
    clock.passes(89)
    assert (await door(token)).person == "acme|ada"
    clock.passes(1)
    await door.refuses(token, "has expired")


async def test_a_rotated_key_is_found_at_once(door: Door, issuer: Issuer, clock: ToldClock) -> None:
    await door(issuer.token())
    clock.passes(31)
    issuer.rotate("second")
    assert await door(issuer.token())
    assert issuer.asked == ["discovery", "keys"] * 2


async def test_unknown_keys_make_us_ask_only_every_half_minute(door: Door, issuer: Issuer, clock: ToldClock) -> None:
    await door(issuer.token())
    for number in range(20):
        await door.refuses(issuer.token(header={"kid": f"forged{number}"}), "does not publish")
    assert len(issuer.asked) == 2
    clock.passes(61)
    for number in range(20):
        await door.refuses(issuer.token(header={"kid": f"again{number}"}), "does not publish")
    assert len(issuer.asked) == 4


async def test_a_key_that_was_withdrawn_stops_counting(door: Door, issuer: Issuer, clock: ToldClock) -> None:
    token = issuer.token(exp=NOW // 1000 + 86_400)
    await door(token)
    issuer.rotate("second")
    issuer.published.remove(issuer.published[0])
    clock.passes(601)
    await door(token)  # checked with the keys in hand, while they are fetched anew
    await until(lambda: len(issuer.asked) == 4)
    clock.passes(301)
    await door.refuses(token, "does not publish")


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not holds():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.02)  # the answer is read and taken


async def test_keys_in_hand_outlive_their_issuer_for_a_day(door: Door, issuer: Issuer, clock: ToldClock) -> None:
    await door(issuer.token())
    issuer.down = True
    for _ in range(3):
        clock.passes(3_600)
        assert await door(issuer.token())
    clock.passes(86_400)
    with pytest.raises(Overloaded, match="cannot be reached") as raised:
        await door(issuer.token())
    assert "503" in raised.value.why
    issuer.down = False
    clock.passes(5)
    assert await door(issuer.token())


async def test_an_issuer_that_is_down_from_the_start_is_asked_again_soon(
    door: Door, issuer: Issuer, clock: ToldClock
) -> None:
    issuer.down = True
    for _ in range(3):
        with pytest.raises(Overloaded):
            await door(issuer.token())
    assert len(issuer.asked) == 1
    issuer.down = False
    clock.passes(5)
    assert await door(issuer.token())


async def test_an_issuer_without_a_server_is_unreachable(clock: ToldClock, fetch: Fetch, issuer: Issuer) -> None:
    token = issuer.token(iss="http://127.0.0.1:9")
    settings = msgspec.convert({"providers": [{"issuer": "http://127.0.0.1:9", "audience": "a"}]}, IdentitySettings)
    rings = IssuerKeyRings(fetch, clock)
    authenticator = Authenticator(compile_identity(settings, {}, str), stored=(), rings=rings, clock=clock)
    with pytest.raises(Overloaded, match="cannot be reached"):
        await authenticator.authenticate(token, loopback=False)


async def test_a_discovery_document_of_another_issuer_is_not_believed(door: Door, issuer: Issuer) -> None:
    issuer.claimed_issuer = "https://evil.test"
    with pytest.raises(Overloaded) as raised:
        await door(issuer.token())
    assert "names another issuer" in raised.value.why


async def test_keys_that_cannot_be_used_are_left_out(door: Door, issuer: Issuer) -> None:
    good = issuer.key.as_dict(private=False)
    strange: list[Any] = [
        {"kty": "oct", "k": "AAAA", "kid": "shared"},
        {"kty": "PQ", "kid": "later"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "weak"},
        {"kty": "OKP", "crv": "Ed25519", "x": "!", "kid": "broken"},
        {"kty": "OKP", "kid": "empty"},
        {**good, "use": "enc", "kid": "sealing"},
        "no key at all",
    ]
    issuer.raw_keys = [*strange, good]
    assert await door(issuer.token())
    await door.refuses(issuer.token(header={"kid": "sealing"}), "does not publish")


async def test_a_token_without_a_key_id_is_not_guessed_among_several(door: Door, issuer: Issuer) -> None:
    issuer.rotate("second")
    await door.refuses(issuer.token(header={"kid": ...}), "does not publish")


async def test_many_first_callers_fetch_the_keys_once(door: Door, issuer: Issuer) -> None:
    tokens = [issuer.token(sub=f"person{number}") for number in range(10)]
    leaver = asyncio.create_task(door(tokens[0]))
    await asyncio.sleep(0)
    leaver.cancel()
    callers = await asyncio.gather(*map(door, tokens[1:]))
    assert len({caller.person for caller in callers}) == 9
    assert issuer.asked == ["discovery", "keys"]


async def test_a_new_revision_keeps_the_keys_of_issuers(door: Door, issuer: Issuer) -> None:
    await door(issuer.token())
    door.open()
    await door(issuer.token())
    assert issuer.asked == ["discovery", "keys"]


def stored(secret: str, **changes: Any) -> Key:
    return Key(**({"name": "app", "digest": digest_of(secret), "person": "ada"} | changes))


async def test_a_key_is_accepted_as_bearer_and_bare(door: Door, clock: ToldClock) -> None:
    secret, _ = new_key(clock)
    door.open(stored=(stored(secret),))
    assert (await door(f"Bearer {secret}")).credential == "key:app"
    assert (await door(secret)).person == "ada"


async def test_a_mistyped_key_is_told_from_an_unknown_one(door: Door, clock: ToldClock) -> None:
    secret, _ = new_key(clock)
    await door.refuses(f"Bearer {secret}", "not known here")
    await door.refuses(f"Bearer {secret[:-1]}", "mistyped")


async def test_a_revoked_key_stops_at_the_next_epoch(door: Door, clock: ToldClock) -> None:
    secret, _ = new_key(clock)
    authenticator = door.open(stored=(stored(secret),))
    await door(secret)
    authenticator.renew((stored(secret, revoked_at=clock.now()),))
    await door.refuses(secret, "was revoked")


async def test_a_new_key_is_accepted_at_once_although_it_was_refused_before(door: Door, clock: ToldClock) -> None:
    secret, _ = new_key(clock)
    await door.refuses(secret, "not known")
    door.authenticator.renew((stored(secret),))
    assert await door(secret)


async def test_a_key_expires_while_it_is_remembered(door: Door, clock: ToldClock) -> None:
    secret, _ = new_key(clock)
    door.open(stored=(stored(secret, expires_at=NOW + 1_000),))
    assert await door(secret)
    clock.passes(1)
    await door.refuses(secret, "has expired")


async def test_an_answer_that_was_under_way_at_a_revocation_is_not_remembered(
    issuer: Issuer, fetch: Fetch, clock: ToldClock
) -> None:
    entered, released = asyncio.Event(), asyncio.Event()

    async def slow(url: str) -> bytes:
        entered.set()
        await released.wait()
        return await fetch(url)

    door = Door(issuer, slow, clock)
    token = issuer.token()
    under_way = asyncio.create_task(door(token))
    await entered.wait()
    door.authenticator.clear()
    released.set()
    await under_way
    assert not door.authenticator._known


@pytest.mark.parametrize(
    ("credential", "says"),
    [
        ("", "malformed"),
        ("Bearer", "malformed"),
        ("Bearer ", "malformed"),
        ("Basic YWRhOng=", "malformed"),
        ("Bearer a, Bearer b", "malformed"),
        ("Bearer guess", "neither a known key nor"),
        ("Bearer a.b.c", "token is malformed"),
        ("Bearer " + "x" * 20_000, "longer than"),
    ],
)
async def test_a_malformed_credential_is_refused(door: Door, credential: str, says: str) -> None:
    await door.refuses(credential, says)


async def test_nobody_is_anonymous_unless_the_workspace_says_so_and_never_from_afar(door: Door) -> None:
    await door.refuses(None, "no credential was sent")
    door.open(anonymous=True)
    assert (await door(None, loopback=True)).groups == {"demo"}
    assert (await door("Bearer anonymous", loopback=True)).person == "anonymous"
    await door.refuses(None, "no credential was sent")
    await door.refuses("Bearer anonymous", "no credential was sent")
    with pytest.raises(Unauthenticated, match="neither a known key"):
        await door("Bearer wrong", loopback=True)


async def test_a_refusal_is_repeated_briefly_and_then_looked_at_again(
    door: Door, issuer: Issuer, clock: ToldClock
) -> None:
    early = issuer.token(nbf=NOW // 1000 + 34)
    first = await door.refuses(early, "not valid yet")
    clock.passes(4)
    again = await door.refuses(early, "not valid yet")
    assert again is not first
    clock.passes(1)
    assert await door(early)


async def test_what_is_remembered_is_bounded(door: Door, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 5)
    monkeypatch.setattr(module, "MOST_REFUSED", 5)
    for number in range(20):
        await door(issuer.token(sub=f"person{number}"))
        await door.refuses(f"Bearer guess{number}", "neither")
    assert len(door.authenticator._known) == 5
    assert len(door.authenticator._refused) == 5


async def test_without_providers_no_token_is_accepted(issuer: Issuer, fetch: Fetch, clock: ToldClock) -> None:
    authenticator = Authenticator(
        compile_identity(IdentitySettings(), {}, str), stored=(), rings=IssuerKeyRings(fetch, clock), clock=clock
    )
    with pytest.raises(Unauthenticated, match="no access token is accepted here"):
        await authenticator.authenticate(issuer.token(), loopback=True)


def offline(clock: ToldClock, issuer: Issuer) -> Authenticator:
    """An authenticator whose issuer needs no network, for many examples in one loop."""

    async def fetch(url: str) -> bytes:
        return msgspec.json.encode({"keys": [issuer.key.as_dict(private=False)]})

    settings = {"providers": [{"issuer": issuer.url, "audience": "fairlead", "jwks_url": "https://a.test/keys"}]}
    identity = compile_identity(msgspec.convert(settings, IdentitySettings), {}, str)
    return Authenticator(identity, stored=(), rings=IssuerKeyRings(fetch, clock), clock=clock)


def run(attempt: Callable[[Authenticator, Issuer], Awaitable[None]]) -> None:
    clock = ToldClock()
    issuer = Issuer(clock)
    issuer.url = "https://issuer.test"
    asyncio.run(attempt(offline(clock, issuer), issuer))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=40)  # of up to twenty credentials each, with an identity provider of its own
@given(st.lists(st.text() | st.text().map("Bearer {}".format) | st.text().map("Bearer a.{}.b".format), max_size=20))
def test_any_garbage_is_unauthenticated_and_nothing_else(garbage: list[str]) -> None:
    async def attempt(authenticator: Authenticator, issuer: Issuer) -> None:
        for credential in garbage:
            with pytest.raises(Unauthenticated):
                await authenticator.authenticate(credential, loopback=False)

    run(attempt)


@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "jku", "x5c"]), JSON),
    st.dictionaries(st.sampled_from(["iss", "sub", "aud", "exp", "nbf", "iat", "groups", "azp", "act", "cnf"]), JSON),
)
def test_well_signed_nonsense_is_unauthenticated_and_nothing_else(
    header: dict[str, Any], claims: dict[str, Any]
) -> None:
    async def attempt(authenticator: Authenticator, issuer: Issuer) -> None:
        genuine_header = issuer.token(header=header | {"alg": "EdDSA"}, **claims)
        genuine = issuer.token(**claims)
        for token in (genuine_header, genuine):
            with contextlib.suppress(Unauthenticated):
                caller = await authenticator.authenticate(token, loopback=False)
                assert caller.person.startswith("issuer.test|")

    run(attempt)


@given(st.integers(0, 400), st.binary(min_size=1, max_size=1))
def test_a_token_with_any_one_byte_changed_names_nobody(position: int, byte: bytes) -> None:
    async def attempt(authenticator: Authenticator, issuer: Issuer) -> None:
        token = issuer.token()
        at = position % len(token)
        changed = token[:at] + byte.decode("latin-1") + token[at + 1 :]
        if changed != token:
            with pytest.raises(Unauthenticated):
                await authenticator.authenticate(changed, loopback=False)

    run(attempt)
