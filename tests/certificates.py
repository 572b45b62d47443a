"""Certificates for tests: an authority that lives as long as its test, and what it issues."""

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


class Authority:
    """Its own certificate lies at `path`."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        self._folder = folder
        self._name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.path = folder / f"{name.replace(' ', '-')}.pem"
        about = self._about(name, self._key.public_key(), days=365)
        signed = about.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.path.write_bytes(signed.sign(self._key, hashes.SHA256()).public_bytes(_PEM))

    @property
    def key_text(self) -> str:
        """Its private key as PEM."""
        plain = serialization.NoEncryption()
        return self._key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, plain).decode()

    @property
    def bundle(self) -> str:
        """Its certificate and its key, as a workspace names them together."""
        return self.path.read_text() + self.key_text

    def issue(self, name: str, *hosts: str, days: float = 30) -> tuple[Path, Path]:
        """A certificate for hosts (names or addresses), and its key. The same name replaces what was issued before."""
        key = ec.generate_private_key(ec.SECP256R1())
        about = self._about(name, key.public_key(), days)
        if hosts:
            about = about.add_extension(x509.SubjectAlternativeName([_named(host) for host in hosts]), critical=False)
        certificate, secret = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        certificate.write_bytes(about.sign(self._key, hashes.SHA256()).public_bytes(_PEM))
        secret.touch(mode=0o600)
        secret.write_bytes(key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return certificate, secret

    def _about(self, name: str, key: ec.EllipticCurvePublicKey, days: float) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(_common_name(name))
            .issuer_name(_common_name(self._name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=60))
            .not_valid_after(now + dt.timedelta(days=days))
        )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
