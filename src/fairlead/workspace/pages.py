"""What pages for people need of a process: who is signed in with a browser."""

from typing import TYPE_CHECKING

from fairlead.clock import Clock
from fairlead.costs.record import deed
from fairlead.identity.browser import BrowserSessions
from fairlead.identity.discovery import Discovery
from fairlead.identity.fetch import fetcher
from fairlead.identity.issuer_keys import IssuerKeyRings
from fairlead.identity.proof import Proofs
from fairlead.identity.provider_tokens import ProviderTokens
from fairlead.models.declared import Secrets
from fairlead.net.http import Http
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault

if TYPE_CHECKING:
    from sqlalchemy import Connection


def signing_in(
    store: Store, vault: Vault, clock: Clock, http: Http, rings: IssuerKeyRings, secrets: Secrets
) -> BrowserSessions:
    """The sessions of browsers, whose beginning and end stand in the log."""

    def note(connection: "Connection", kind: str, by: str, person: str, about: str) -> None:
        store.database.append(connection, [deed(clock, kind, by=by, person=person, about=about)])

    tokens = ProviderTokens(http, Discovery(fetcher(http, clock), clock), rings, clock, secrets)
    return BrowserSessions(store, vault, clock, Proofs(tokens, clock), note)
