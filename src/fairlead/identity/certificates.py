"""Certificates by which people log in to their own accounts: issued here, one for each person and system, ending soon.

Keys of people are made here, stand in memory only, and are renewed before they end. The name in a certificate is the
person's, whole and exact: what a database could read otherwise is refused.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.errors import BadInput
from fairlead.identity.no_credential import NoCredential
from fairlead.identity.types import Caller
from fairlead.tools.settings import CertificateSettings
from fairlead.tools.types import Credential

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

_MOST_KEPT: Final = 10_000
_SKEW_MS: Final = 60_000  # by which a database's clock may be behind
_EARLY_MS: Final = 30_000  # before its end, from which on one is not used any more
_UNITS: Final = {"m": 60_000, "h": 3_600_000}
_LONGEST_MS: Final = 24 * _UNITS["h"]
_LONGEST_ROLE: Final = 63  # bytes: PostgreSQL cuts off what is longer, and so may mean somebody else
_LONGEST_NAME: Final = 64  # characters of a common name (RFC 5280)
_P256: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # the order of the curve
_PLACE: Final = re.compile(r"\{(person|subject)\}")


class _Authority(Struct, frozen=True):
    """Who vouches for people. `text` is its certificate as PEM, `ends` in milliseconds since 1970."""

    certificate: "x509.Certificate"
    key: "CertificateIssuerPrivateKeyTypes"
    text: str
    ends: int


class Certificates:
    """Issues and keeps them. One per process; `reveal` gives what a reference like `env:NAME` stands for, or raises."""

    def __init__(self, clock: Clock, reveal: Callable[[str], str]) -> None:
        self._clock = clock
        self._reveal = reveal
        self._kept: dict[tuple[str, bytes], Credential] = {}
        self._authorities: dict[bytes, _Authority] = {}

    def of(self, caller: Caller, system: str, settings: CertificateSettings) -> Credential:
        """A certificate of the caller's that still counts for a while. Raises `NoCredential` where nobody could have
        such a name, `BadInput` where the authority is not sound."""
        key = (caller.person, hashlib.sha256(msgspec.json.encode((system, settings))).digest())
        known, now, life = self._kept.get(key), self._clock.now(), milliseconds(settings.valid)
        # One from a time that is still to come was issued before the clock was put back: a database would not take it.
        if known is not None and known.expires - life <= now < known.expires - min(_EARLY_MS, life // 4):
            return known
        made = self._issued(caller, system, settings, now, life)
        self._kept.pop(key, None)
        if len(self._kept) >= _MOST_KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = made
        return made

    def _issued(self, caller: Caller, system: str, settings: CertificateSettings, now: int, life: int) -> Credential:
        role, name = filled(settings.role, caller.person), filled(settings.common_name, caller.person)
        if not _is_fit(role, _LONGEST_ROLE) or not _is_fit(name, 4 * _LONGEST_NAME) or len(name) > _LONGEST_NAME:
            raise NoCredential(
                f"no certificate for {system} can name you",
                why=f"an account has 1 to {_LONGEST_ROLE} bytes and a certificate up to {_LONGEST_NAME} characters, "
                "all printable",
                mend="give the identity provider a shorter `name:`, or use `{subject}` for the role",
                subject=system,
            )
        authority = self._authority(settings.ca)
        ends = min(now + life, authority.ends) // 1000 * 1000
        if ends <= now:
            raise _unsound(settings.ca, "it has ended")
        return Credential(
            kind="certificate", user=role, secret=_signed(authority, name, now, ends, self._clock), expires=ends
        )

    def _authority(self, reference: str) -> _Authority:
        """Read once for each text that the reference stands for, so that a new one counts from the next certificate."""
        text = self._reveal(reference)
        mark = hashlib.sha256(text.encode()).digest()
        known = self._authorities.get(mark)
        if known is None:
            self._authorities.clear() if len(self._authorities) >= 100 else None
            known = self._authorities[mark] = read_authority(text, reference)
        return known


def milliseconds(valid: str) -> int:
    """`10m`, `2h`. What the setting's pattern lets through can be read."""
    return int(valid[:-1]) * _UNITS[valid[-1]]


def filled(template: str, person: str) -> str:
    """A name for a person, in one pass: a name that looks like a place in the template stays what it is."""
    given: Mapping[str, str] = {"person": person, "subject": person.partition("|")[2] if "|" in person else person}
    return _PLACE.sub(lambda found: given[found.group(1)], template)


def _is_fit(name: str, most: int) -> bool:
    """Printable (no control character, no lone surrogate, no blank that is none) and not longer than a system keeps."""
    return name.isprintable() and 0 < len(name.encode("utf-8", "surrogatepass")) <= most


def check_certificates(key: str, settings: CertificateSettings) -> None:
    """Raises `BadInput` naming the key of the workspace."""
    if milliseconds(settings.valid) > _LONGEST_MS:
        raise BadInput(
            f"{key}.valid: {settings.valid} is long for a certificate that nobody can revoke", mend="at most 24h"
        )
    if "{person}" not in settings.common_name:
        raise BadInput(
            f"{key}.common_name must hold {{person}}",
            why="two people could share a certificate's name, for instance of two identity providers",
            mend='write `common_name: "{person}"`, and map it to accounts in the database\'s pg_ident.conf',
        )
    if not _PLACE.search(settings.role):
        raise BadInput(
            f"{key}.role must hold {{person}} or {{subject}}",
            why="everybody would log in to one account",
            mend='write `role: "{person}"`, or use `service:` with `shared: true`',
        )


def read_authority(text: str, reference: str) -> _Authority:
    """The authority in a PEM text. Raises `BadInput` naming the reference, never with a part of the text."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
        key = load_pem_private_key(text.encode(), None)
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound):
        raise _unsound(reference, "it is a certificate of an authority and its private key, both as PEM") from None

    def public(of: "x509.Certificate | CertificateIssuerPrivateKeyTypes") -> bytes:
        return of.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    if not constraints.ca:
        raise _unsound(reference, "the certificate is not an authority's")
    if public(certificate) != public(key):  # type: ignore[arg-type]  # what cannot sign is told by its signature
        raise _unsound(reference, "the private key is not the certificate's")
    ends = int(certificate.not_valid_after_utc.timestamp() * 1000)
    return _Authority(certificate, key, certificate.public_bytes(Encoding.PEM).decode(), ends)  # type: ignore[arg-type]


def _signed(authority: _Authority, name: str, now: int, ends: int, clock: Clock) -> str:
    """A new key with its certificate and the authority's, all as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    # 16 bytes more than the order of the curve, so that no number is likelier than another.
    key = ec.derive_private_key(1 + int.from_bytes(clock.random_bytes(48)) % (_P256 - 1), ec.SECP256R1())
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
         "encipher_only", "decipher_only"), False,
    )  # fmt: skip
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(clock.random_bytes(20)) >> 1 | 1)
        .not_valid_before(_moment(now - _SKEW_MS))
        .not_valid_after(_moment(ends))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=True, **usage), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=True)
    )
    by_itself = isinstance(authority.key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    signed = made.sign(authority.key, None if by_itself else hashes.SHA256())
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return signed.public_bytes(pem).decode() + authority.text + secret.decode()


def _moment(ms: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms // 1000, dt.UTC)


def _unsound(reference: str, why: str) -> BadInput:
    return BadInput(
        f"{reference} holds no authority that could vouch for people",
        why=why,
        mend="put its certificate and its unencrypted private key there, one after the other",
    )
