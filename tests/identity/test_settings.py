"""`identity:` and `keys:`: what is refused before it can let anybody in."""

import msgspec
import pytest

from fairlead.errors import BadInput
from fairlead.identity import Identity, IdentitySettings, KeySettings, compile_identity
from fairlead.identity.addresses import is_loopback
from fairlead.identity.keys import digest_of

SECRET = "fl_a-secret-of-the-environment"


def reveal(reference: str) -> str:
    return {"env:APP_KEY": SECRET, "env:SAME": SECRET, "env:SHORT": "secret", "env:BROKEN": SECRET + "\n"}[reference]


def compiled(identity: object = None, keys: object = None) -> Identity:
    return compile_identity(
        msgspec.convert(identity or {}, IdentitySettings), msgspec.convert(keys or {}, dict[str, KeySettings]), reveal
    )


def provider(**changes: object) -> dict[str, object]:
    return {"issuer": "https://login.acme.test/t1", "audience": "fairlead"} | changes


def test_nothing_is_open_by_default() -> None:
    assert compiled() == Identity()


def test_a_key_is_declared_by_reference_or_by_digest() -> None:
    digest = digest_of("another")
    identity = compiled(
        keys={
            "app": {"secret": "env:APP_KEY", "person": "app@acme", "groups": ["a"]},
            "job": {"secret": f"sha256: {digest.hex()}", "person": "job@acme"},
        }
    )
    assert [key.digest for key in identity.keys] == [digest_of(SECRET), digest]
    assert identity.keys[0].groups == {"a"}


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("fl_plain-text-in-the-workspace", "env:NAME"),
        ("env:", "env:NAME"),
        ("sha256:12ab", "64 hexadecimal|no SHA-256"),
        ("env:SHORT", "no fit secret"),
        ("env:BROKEN", "no fit secret"),
    ],
)
def test_an_unfit_secret_is_refused_without_being_shown(secret: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as raised:
        compiled(keys={"app": {"secret": secret, "person": "p"}})
    assert raised.value.message.startswith("keys.app.secret")
    assert SECRET not in f"{raised.value.message}{raised.value.why}{raised.value.mend}"
    assert "fl_plain" not in f"{raised.value.message}{raised.value.why}{raised.value.mend}"


def test_two_names_for_one_key_are_refused() -> None:
    with pytest.raises(BadInput, match=r"keys\.b\.secret is the same key as keys\.a\.secret"):
        compiled(keys={"a": {"secret": "env:APP_KEY", "person": "p"}, "b": {"secret": "env:SAME", "person": "q"}})


def test_a_provider_is_named_after_its_issuer() -> None:
    (made,) = compiled({"providers": [provider(audience=["a", "b"])]}).providers
    assert (made.name, made.audience) == ("login.acme.test/t1", {"a", "b"})


@pytest.mark.parametrize(
    "second",
    [
        provider(),
        provider(issuer="https://login.acme.test/t1/"),
        provider(issuer="https://other.test", name="login.acme.test/t1"),
    ],
)
def test_two_issuers_whose_people_could_be_confused_are_refused(second: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="occurs twice"):
        compiled({"providers": [provider(), second]})


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.acme.test",
        "login.acme.test",
        "https://",
        "https://u:p@a.test",
        "https://a.test?x=1",
        "ftp://a.test",
    ],
)
def test_an_issuer_without_a_protected_address_is_refused(issuer: str) -> None:
    with pytest.raises(BadInput, match=r"identity\.providers\[0\]\.issuer"):
        compiled({"providers": [provider(issuer=issuer)]})


def test_an_issuer_on_this_machine_needs_no_tls() -> None:
    assert compiled({"providers": [provider(issuer="http://127.0.0.1:9000")]}).providers
    assert [is_loopback(host) for host in ("localhost", "::1", "127.8.0.1", "10.0.0.1", "localhost.evil.test")] == [
        True,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("audience", ["", [], ["a", ""]])
def test_an_empty_audience_is_refused(audience: object) -> None:
    with pytest.raises(BadInput, match="audience is empty"):
        compiled({"providers": [provider(audience=audience)]})


def test_a_name_that_could_end_early_is_refused() -> None:
    with pytest.raises(BadInput, match="no fit name"):
        compiled({"providers": [provider(name="acme|ada")]})


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256K"])
def test_symmetric_and_no_signatures_cannot_even_be_written(algorithm: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        compiled({"providers": [provider(algorithms=[algorithm])]})


def test_anonymous_callers_have_the_groups_that_the_workspace_gives_them() -> None:
    anonymous = compiled({"anonymous": {"allow": True, "groups": ["demo"]}}).anonymous
    assert anonymous is not None
    assert (anonymous.person, anonymous.groups) == ("anonymous", {"demo"})
