"""What `fairlead doctor` finds out about identity providers: how soon it counts that somebody was taken out of a group,
and what keeps it from counting."""

import asyncio

from fairlead.cli.checks import BAD, OK, WARN, Finding, Looked
from fairlead.cli.pushed import counted, standing_of
from fairlead.clock import SystemClock
from fairlead.errors import FairleadError, Unauthenticated
from fairlead.identity.addresses import is_loopback
from fairlead.identity.settings import Provider
from fairlead.storage.fleet import LEASE
from fairlead.workspace.published import load_keys

_NO_TOKEN = "fairlead-doctor-asks-whether-this-is-answered"  # noqa: S105


def providers(looked: Looked) -> list[Finding]:
    """How soon a removal counts, for each provider, and whether it does."""
    return [finding for each in looked.compiled.identity.providers for finding in _one(looked, each)]


def _one(looked: Looked, provider: Provider) -> list[Finding]:
    subject, findings, soon = f"provider {provider.name}", [], []
    if provider.scim is not None:
        findings += _pushed(looked, provider, subject)
        what = "being made inactive" if provider.scim.groups == "token" else "being made inactive or leaving a group"
        soon.append(f"{what} counts within {LEASE:g} s (SCIM)")
    if provider.introspection is not None:
        findings += _asked(looked, provider, subject)
        soon.append(f"a revoked token counts within {provider.introspection.every} s (introspection)")
    if provider.scim is None or provider.scim.groups == "token":
        other = "what introspection tells of groups at once, else " if provider.introspection else ""
        soon.append(f"leaving a group counts with {other}the next token, at the latest when the old one ends")
    said = "; ".join(soon)
    if any(each.state == BAD for each in findings):
        return findings
    if provider.login is not None:
        minutes = looked.compiled.identity.browser.refresh_minutes
        said += f"; for who signed in with a browser after {minutes:g} min where there is a refresh token"
    return [Finding(subject, OK, said), *findings]


def _pushed(looked: Looked, provider: Provider, subject: str) -> list[Finding]:
    assert provider.scim is not None
    found, groups = counted(looked.store, provider.name)
    path = f"/scim/v2/{provider.name}"
    findings = []
    if not provider.scim.digests:
        mend = "set the variable that scim.token names, for the workers too"
        findings.append(Finding(subject, WARN, "nobody can push: its token is not set on this machine", mend))
    if not found:
        mend = f"start provisioning at the provider, to {path}"
        findings.append(Finding(subject, WARN, "nobody was pushed yet, so everybody of it is refused", mend))
    elif provider.scim.groups == "pushed" and not groups:
        mend = "push groups too, or set scim.groups: token"
        findings.append(Finding(subject, WARN, f"{found} people were pushed, and no group, so nobody is in one", mend))
    else:
        findings.append(Finding(subject, OK, f"{found} people and {groups} groups were pushed"))
    return findings + _bound(looked, provider, subject)


def _bound(looked: Looked, provider: Provider, subject: str) -> list[Finding]:
    """Keys that are bound to somebody who is not active there."""
    keys = [each for each in (*looked.compiled.identity.keys, *load_keys(looked.store)) if not each.revoked_at]
    mine = [each for each in keys if each.bound_to == provider.name]
    if not mine:
        return []
    stand = standing_of(looked.place, looked.store, looked.compiled.identity)
    return [
        Finding(
            subject, WARN, f"the key {each.name} opens nothing: its person is not active there", "fairlead key list"
        )
        for each in mine
        if not stand(each)
    ]


def _asked(looked: Looked, provider: Provider, subject: str) -> list[Finding]:
    """Ask about a token that nobody has: the right answer is that it is not active."""
    assert provider.introspection is not None
    if not looked.online and not is_loopback(provider.issuer.partition("://")[2].partition("/")[0].partition(":")[0]):
        return [Finding(subject, OK, "introspection was not asked (--online)")]
    try:
        asyncio.run(_ask(looked, provider))
    except Unauthenticated:
        return [Finding(subject, OK, "introspection answers")]
    except FairleadError as error:
        return [Finding(subject, BAD, f"all of its tokens are refused: {error.why or error.message}", error.mend)]
    return [Finding(subject, BAD, "introspection calls any token active", "correct `introspection.url`")]


async def _ask(looked: Looked, provider: Provider) -> None:
    from fairlead.cli.place import secrets
    from fairlead.identity.discovery import Discovery
    from fairlead.identity.fetch import fetcher
    from fairlead.identity.introspection import Introspections
    from fairlead.net.http import Http

    clock = SystemClock()
    async with Http(clock) as http:
        asking = Introspections(http, Discovery(fetcher(http, clock), clock), clock, secrets(looked.place.workspace))
        await asking.ask(provider, _NO_TOKEN)
