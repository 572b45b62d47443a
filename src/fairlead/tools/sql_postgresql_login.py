"""How a person logs in to PostgreSQL: where, as whom, by what, and what a refusal means.

Everything that libpq would otherwise take from the environment or the home folder of whoever runs Fairlead is said
here, so that no call is made under an account, a password or a certificate that is not the caller's.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from fairlead.errors import BadInput
from fairlead.tools.failures import NotAuthorised, SystemFailed
from fairlead.tools.sql_address import Address
from fairlead.tools.types import Credential

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.adapt import AdaptersMap

_OLDEST: Final = 160000  # as libpq numbers itself: it then knows `require_auth` and `sslcertmode`
_PEM: Final = "-----BEGIN"
_CERTIFICATE: Final = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_KEY: Final = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----.*?-----END (?:[A-Z]+ )*PRIVATE KEY-----", re.DOTALL)
_REFUSED: Final = re.compile(
    r"authentication failed|not permitted to log in|pg_hba\.conf|role .* does not exist|permission denied"
    r"|no password supplied|certificate|authentication method requirement"
)
_UNCHECKED: Final = "did not complete authentication"
# What every session is told, whatever its role says: a statement that was checked must mean here what it meant there.
_SESSION: Final = (
    "-c datestyle=ISO -c intervalstyle=iso_8601 -c standard_conforming_strings=on -c row_security=on"
    " -c idle_in_transaction_session_timeout=60000"
)
_OURS: Final[Mapping[str, Any]] = {
    "hostaddr": "", "sslcrl": "", "sslcrldir": "", "gssencmode": "disable", "client_encoding": "UTF8",
    "application_name": "fairlead", "options": _SESSION, "connect_timeout": 10, "keepalives_idle": 10,
    "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000,
}  # fmt: skip


class _Reading:
    """How a connection reads values, in the form in which psycopg asks for it."""

    def __init__(self, adapters: "AdaptersMap") -> None:
        self.adapters = adapters
        self.connection = None


async def log_in(
    address: Address, credential: Credential, subject: str, adapters: "AdaptersMap"
) -> "AsyncConnection[Any]":
    """A connection as the account of this credential. Raises `NotAuthorised` or `SystemFailed`."""
    import psycopg

    if credential.kind not in ("login", "certificate", "service") or not credential.user or not credential.secret:
        raise NotAuthorised(
            f"{subject} has no login for this caller",
            why=f"a credential of the kind {credential.kind!r} opens no database",
            mend=f"say under systems.{subject}.credential by what it knows people, and have an account made there",
            subject=subject,
            retryable=False,
        )
    if psycopg.pq.version() < _OLDEST:
        raise BadInput("libpq is too old for logins of persons", mend="pip install 'fairlead[sql]', with its own libpq")
    with _proof(address, credential.secret, subject) as proof:
        try:
            connection = await psycopg.AsyncConnection.connect(
                host=address.host,
                port=address.port,
                dbname=address.database,
                user=credential.user,
                autocommit=True,
                prepare_threshold=None,
                context=_Reading(adapters),
                **{**_OURS, **proof},
            )
        except psycopg.OperationalError as error:
            raise _why(error, address, credential, subject) from None
    if credential.kind == "certificate":
        _refuse_another(connection, credential, subject)
    return connection


def _refuse_another(connection: "AsyncConnection[Any]", credential: Credential, subject: str) -> None:
    """A certificate is issued for whoever calls, so that a person called like the server's owner gets one too. Raises
    `NotAuthorised` where it opened an account that passes row policies, or another than was meant. The server tells
    both by itself."""
    server = connection.pgconn
    wide = server.parameter_status(b"is_superuser") != b"off"
    if wide or server.parameter_status(b"session_authorization") != credential.user.encode():
        server.finish()
        raise NotAuthorised(
            f"{subject} has no account for people under the name {credential.user!r}",
            why="it is a superuser's" if wide else "the server opened another",
            mend="let certificates open accounts of people only: hostssl DATABASE +GROUP … cert in pg_hba.conf",
            subject=subject,
            retryable=False,
        )


@contextlib.contextmanager
def _proof(address: Address, secret: str, subject: str) -> Iterator[dict[str, Any]]:
    """By what an account is proven. A certificate lies in files of our own, in memory where the
    system has such, for as long as logging in takes."""
    mode = address.options.get("sslmode") or ("prefer" if address.is_loopback else "verify-full")
    tls: dict[str, Any] = {"sslmode": mode, "sslrootcert": address.options.get("sslrootcert", "")}
    if mode.startswith("verify") and not tls["sslrootcert"]:
        tls["sslrootcert"] = "system"
    for name in ("channel_binding", "target_session_attrs"):
        if name in address.options:
            tls[name] = address.options[name]
    with TemporaryDirectory(prefix="fairlead-login-") as folder, contextlib.ExitStack() as held:
        # An empty name would make libpq look into the home folder.
        proof: dict[str, Any] = {**tls, "passfile": str(Path(folder) / "none")}
        if secret.lstrip().startswith(_PEM):
            proof |= _certificate(Path(folder), secret, subject, held)
            if mode in ("prefer", "allow", "disable"):
                proof["sslmode"] = "require"
            proof |= {"sslcertmode": "require", "require_auth": address.options.get("require_auth", "none")}
        else:
            # A server that takes anybody for anybody is no guard, nor is a password that went over the net in the open.
            usual = "!none" if mode.startswith("verify") else "scram-sha-256,md5"
            proof |= {"password": secret, "sslcertmode": "disable", "sslcert": "", "sslkey": ""}
            proof["require_auth"] = address.options.get("require_auth", usual)
        yield proof


def _certificate(folder: Path, bundle: str, subject: str, held: contextlib.ExitStack) -> dict[str, Any]:
    certificates, key = _CERTIFICATE.findall(bundle), _KEY.search(bundle)
    if not certificates or key is None:
        raise NotAuthorised(
            f"the login for {subject} holds no certificate with its key",
            mend="a bundle is the certificate, those that vouch for it, and the private key, all as PEM",
            subject=subject,
            retryable=False,
        )
    found = {"sslcert": "\n".join(certificates) + "\n", "sslkey": key.group() + "\n"}
    return {**{name: held.enter_context(_file(folder / name, text)) for name, text in found.items()}, "password": ""}


@contextlib.contextmanager
def _file(path: Path, text: str) -> Iterator[str]:
    """The name of a file with this text, which only we may read: in memory where the system can, else on the disk."""
    try:
        made = os.memfd_create(path.name)
    except (AttributeError, OSError):
        path.touch(mode=0o600)
        path.write_text(text)
        yield str(path)
        return
    with os.fdopen(made, "w") as file:
        os.fchmod(made, 0o600)
        file.write(text)
        file.flush()
        yield f"/proc/self/fd/{made}"


def _why(error: Exception, address: Address, credential: Credential, subject: str) -> NotAuthorised | SystemFailed:
    said = str(error).strip().replace(credential.secret, "…")
    if _UNCHECKED in said:
        return NotAuthorised(
            f"{subject} would let anybody in as {credential.user!r}",
            why="the server did not ask for a proof of who logs in",
            mend="have it ask (scram-sha-256 or cert in pg_hba.conf); for a server that is to trust everybody, add "
            f"`?require_auth=none` to systems.{subject}.url",
            subject=subject,
            retryable=False,
        )
    if _REFUSED.search(said):
        return NotAuthorised(
            f"{subject} does not let {credential.user!r} in",
            why=said.rpartition("failed: ")[2],
            mend="ask the owner of the database for the account, or renew the login",
            subject=subject,
            retryable=False,
        )
    return SystemFailed(
        f"{subject} cannot be reached at {address.host}:{address.port}",
        why=said.rpartition("failed: ")[2].partition("\n")[0],
        mend="see whether the database runs and answers from this machine",
        subject=subject,
    )
