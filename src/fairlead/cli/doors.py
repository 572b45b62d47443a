"""What `fairlead doctor` finds out about the way from callers to Fairlead: the address, the certificate, its key."""

import asyncio
import os
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fairlead.cli.checks import BAD, OK, WARN, Finding, Looked
from fairlead.cli.place import secrets
from fairlead.cli.probing import PATIENCE
from fairlead.cli.signing_in import asked
from fairlead.cli.when import age
from fairlead.clock import SystemClock
from fairlead.errors import FairleadError
from fairlead.identity.addresses import is_loopback
from fairlead.server.tls import Tls, tls_context

if TYPE_CHECKING:
    from fairlead.identity.provider_tokens import ProviderTokens
    from fairlead.workspace.settings import ServerSettings

_SOON: Final = 14 * 86_400_000  # milliseconds


def listening(looked: Looked) -> list[Finding]:
    """Is what callers send protected on its way, and for how long yet?"""
    server = looked.compiled.settings.server
    where = f"{server.host}:{server.port}"
    if server.tls is None:
        return [_without_tls(server, where)]
    whole = server.tls.below(looked.place.workspace)
    tls_context(Tls(whole.certificate, whole.key, whole.client_ca))
    return [_certificate(where, Path(whole.certificate)), *_key(Path(whole.key))]


def signing_in(looked: Looked) -> list[Finding]:
    """Can people sign in?"""
    identity, reveal = looked.compiled.identity, secrets(looked.place.workspace)
    url, behind = identity.browser.url, looked.compiled.settings.server.proxy is not None
    findings = []
    for each in identity.providers:
        if each.login is None and each.cli is None:
            continue
        subject, secret = f"sign-in at {each.name}", each.login.secret if each.login is not None else None
        failure = _undiscovered(each.issuer) if looked.online else ""
        if secret and not reveal(secret):
            findings.append(Finding(subject, BAD, f"there is nothing in {secret}", "set it before starting"))
        elif each.login is not None and behind and not url:
            mend = "set identity.browser.url to the address that people use"
            findings.append(Finding(subject, BAD, "browsers are not told a safe address behind the proxy", mend))
        elif failure:
            findings.append(Finding(subject, BAD, failure, "correct `issuer`, or the way there"))
        else:
            ways = "browsers" if each.cli is None else "programs" if each.login is None else "browsers and programs"
            findings.append(Finding(subject, OK, f"for {ways}" + ("" if looked.online else " (not asked: --online)")))
    return findings


def _undiscovered(issuer: str) -> str:
    """Why an issuer does not say where people sign in, "" where it does."""

    async def discovered(tokens: "ProviderTokens") -> None:
        async with asyncio.timeout(PATIENCE):
            await tokens.discovery.of(issuer)

    try:
        asked(discovered)
    except TimeoutError:
        return f"no answer within {PATIENCE:g} s"
    except FairleadError as error:
        return error.why or error.message
    return ""


def _without_tls(server: "ServerSettings", where: str) -> Finding:
    if is_loopback(server.host):
        return Finding("listening", OK, f"{where}, for this machine only")
    if server.proxy is None:
        mend = "declare server.tls, or the proxies in front as server.proxy"
        return Finding("listening", BAD, f"{where} is for other machines, and nothing protects the way", mend)
    return Finding("listening", OK, f"{where}, plain HTTP, for {', '.join(server.proxy.trusted)} and this machine only")


def _certificate(where: str, path: Path) -> Finding:
    from cryptography.x509 import load_pem_x509_certificates

    ends = min(each.not_valid_after_utc for each in load_pem_x509_certificates(path.read_bytes()))
    left = round(ends.timestamp() * 1000) - SystemClock().now()
    said = f"{where}, TLS, the certificate ends on {ends.astimezone(UTC):%Y-%m-%d}"
    if left <= 0:
        return Finding(
            "listening", BAD, f"{said}: it is no longer valid", f"put a new one at {path}; it counts at once"
        )
    if left <= _SOON:
        return Finding("listening", WARN, f"{said}: in {age(left)}", f"put a new one at {path}; it counts at once")
    return Finding("listening", OK, said)


def _key(path: Path) -> list[Finding]:
    mode = os.stat(path).st_mode & 0o777
    if not mode & 0o077:
        return []
    return [Finding("TLS key", WARN, f"others may read or change {path} (mode {mode:o})", f"chmod 600 {path}")]
