"""What pages for people need of a process: who is signed in with a browser, what they connect, and where they are."""

from typing import TYPE_CHECKING

from fairlead.clock import Clock
from fairlead.costs.record import deed
from fairlead.identity.browser import BrowserSessions
from fairlead.identity.grant_server import GrantServer
from fairlead.identity.grant_tokens import GrantTokens
from fairlead.identity.grants import Grants
from fairlead.identity.proof import Proofs
from fairlead.identity.provider_tokens import ProviderTokens
from fairlead.models.declared import Secrets
from fairlead.net.http import Http
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault
from fairlead.workspace.settings import WorkspaceSettings

if TYPE_CHECKING:
    from sqlalchemy import Connection


def signing_in(store: Store, vault: Vault, clock: Clock, tokens: ProviderTokens) -> BrowserSessions:
    """The sessions of browsers, whose beginning and end stand in the log."""

    def note(connection: "Connection", kind: str, by: str, person: str, about: str) -> None:
        store.database.append(connection, [deed(clock, kind, by=by, person=person, about=about)])

    return BrowserSessions(store, vault, clock, Proofs(tokens, clock), note)


def connecting(store: Store, vault: Vault, clock: Clock, http: Http, secrets: Secrets) -> GrantTokens:
    """What people have connected with accounts of their own."""
    return GrantTokens(Grants(store, vault, clock, deed), GrantServer(http, clock, secrets), clock)


def address_of(settings: WorkspaceSettings) -> str:
    """Where people reach this Fairlead in a browser, "" where the workspace does not say."""
    if settings.identity.browser.url:
        return settings.identity.browser.url.rstrip("/")
    server = settings.server
    if server.proxy is not None or not server.port or server.host in ("0.0.0.0", "::"):  # noqa: S104 everywhere
        return ""
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{'https' if server.tls else 'http'}://{host}:{server.port}"
