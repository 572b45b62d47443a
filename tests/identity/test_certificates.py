"""Certificates for people: whom they name, how long they count, and what is refused."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from tests.certificates import Authority
from tests.identity.issuer import ToldClock

from fairlead.errors import BadInput
from fairlead.identity.certificates import Certificates, check_certificates, filled
from fairlead.identity.no_credential import NoCredential
from fairlead.identity.types import Caller
from fairlead.tools.settings import CertificateSettings
from fairlead.tools.types import Credential

USUAL = CertificateSettings(ca="env:CA")


def named(credential: Credential) -> x509.Certificate:
    return x509.load_pem_x509_certificate(credential.secret.encode())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_a_certificate_names_one_person_and_ends_soon(authority: Authority, clock: ToldClock) -> None:
    issuing = Certificates(clock, {"env:CA": authority.bundle}.__getitem__)
    ada = issuing.of(Caller(person="ada"), "shop", USUAL)
    made = named(ada)
    assert made.subject.rdns == x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ada")]).rdns
    assert (ada.kind, ada.user, ada.expires) == ("certificate", "ada", clock.now() + 600_000)
    assert made.not_valid_after_utc - dt.datetime.fromtimestamp(clock.now() / 1000, dt.UTC) == dt.timedelta(minutes=10)
    assert not made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert ada.secret not in repr(ada)
    assert authority.key_text not in ada.secret  # the key in it is the person's


def test_it_is_kept_for_one_person_and_system_and_renewed_before_its_end(
    authority: Authority, clock: ToldClock
) -> None:
    issuing = Certificates(clock, {"env:CA": authority.bundle}.__getitem__)
    ada = issuing.of(Caller(person="ada"), "shop", USUAL)
    assert issuing.of(Caller(person="ada", agent="helper"), "shop", USUAL) is ada
    others = [
        issuing.of(Caller(person="ben"), "shop", USUAL),
        issuing.of(Caller(person="Ada"), "shop", USUAL),
        issuing.of(Caller(person="ada"), "erp", USUAL),
    ]
    assert len({each.secret for each in (ada, *others)}) == 4
    clock.passes(569)
    assert issuing.of(Caller(person="ada"), "shop", USUAL) is ada
    clock.passes(2)
    later = issuing.of(Caller(person="ada"), "shop", USUAL)
    assert later.expires > ada.expires
    assert named(later).serial_number != named(ada).serial_number


def test_a_clock_that_is_put_back_leaves_nobody_with_one_that_does_not_count_yet(
    authority: Authority, clock: ToldClock
) -> None:
    issuing = Certificates(clock, {"env:CA": authority.bundle}.__getitem__)
    ahead = issuing.of(Caller(person="ada"), "shop", USUAL)
    clock.passes(-300)
    now = issuing.of(Caller(person="ada"), "shop", USUAL)
    assert now.expires == ahead.expires - 300_000
    assert named(now).not_valid_before_utc < dt.datetime.fromtimestamp(clock.now() / 1000, dt.UTC)


def test_another_authority_counts_from_the_next_certificate_on(
    authority: Authority, clock: ToldClock, tmp_path: Path
) -> None:
    known = {"env:CA": authority.bundle}
    issuing = Certificates(clock, known.__getitem__)
    first = issuing.of(Caller(person="ada"), "shop", USUAL)
    known["env:CA"] = Authority(tmp_path, "the next").bundle
    assert issuing.of(Caller(person="ada"), "shop", USUAL) is first
    assert "the next" in str(named(issuing.of(Caller(person="ben"), "shop", USUAL)).issuer)


@given(person=st.text(st.characters(codec=None), max_size=70), template=st.sampled_from(["{person}", "fl_{subject}"]))
def test_whoever_gets_a_certificate_has_exactly_their_name_in_it(
    authority: Authority, person: str, template: str
) -> None:
    clock = ToldClock()
    issuing = Certificates(clock, {"env:CA": authority.bundle}.__getitem__)
    settings = CertificateSettings(ca="env:CA", role=template)
    try:
        made = issuing.of(Caller(person=person), "shop", settings)
    except NoCredential:
        return
    (only,) = named(made).subject
    assert (only.oid, only.value) == (NameOID.COMMON_NAME, person)
    assert made.user == filled(template, person)
    assert 0 < len(made.user.encode()) <= 63
    assert made.user.isprintable()


@pytest.mark.parametrize("person", ["", "a\0b", "ada\n", "a" * 64, "é" * 32, "\ud800", "ada\u200b", "ada\u2028"])
def test_a_name_that_a_database_could_read_otherwise_gets_none(
    authority: Authority, clock: ToldClock, person: str
) -> None:
    with pytest.raises(NoCredential, match="can name you"):
        Certificates(clock, {"env:CA": authority.bundle}.__getitem__).of(Caller(person=person), "shop", USUAL)


def test_names_are_filled_in_in_one_pass() -> None:
    assert filled("{person}-{subject}", "idp|{person}") == "idp|{person}-{person}"
    assert filled("{subject}", "idp|a|b") == "a|b"
    assert filled("{subject}", "ada") == "ada"


def test_an_authority_that_cannot_vouch_is_told_without_its_key(
    authority: Authority, clock: ToldClock, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger")
    leaf, key = (path.read_text() for path in authority.issue("leaf"))
    certificate = authority.path.read_text()
    for text, why in (
        ("nothing", "both as PEM"),
        (certificate, "both as PEM"),
        (certificate + stranger.key_text, "not the certificate's"),
        (leaf + key, "both as PEM"),
    ):
        with pytest.raises(BadInput) as refused:
            Certificates(clock, lambda _, text=text: text).of(Caller(person="ada"), "shop", USUAL)  # type: ignore[misc]
        assert why in refused.value.why
        assert "PRIVATE" not in f"{refused.value} {refused.value.why}"
    clock.passes(20_000 * 86_400)  # whenever this is run
    with pytest.raises(BadInput, match="env:CA") as ended:
        Certificates(clock, {"env:CA": authority.bundle}.__getitem__).of(Caller(person="ada"), "shop", USUAL)
    assert "ended" in ended.value.why


@pytest.mark.parametrize(
    ("said", "named_"),
    [({"valid": "25h"}, "valid"), ({"common_name": "{subject}"}, "common_name"), ({"role": "reader"}, "role")],
)
def test_settings_that_would_let_people_share_an_account_are_refused(said: dict[str, Any], named_: str) -> None:
    with pytest.raises(BadInput, match=f"certificate.{named_}"):
        check_certificates("systems.shop.credential.certificate", CertificateSettings(ca="env:CA", **said))
