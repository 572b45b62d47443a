"""`/connections`: what whoever is signed in has connected, what else they could, and a button to disconnect."""

import asyncio
from html import escape
from typing import Any, Final

from fairlead.execution import Fairlead
from fairlead.identity.grant_tokens import GrantTokens
from fairlead.identity.grants import EVERY_AGENT, Grant
from fairlead.server.browser import Browser
from fairlead.server.connect_page import CONNECT, CONNECTIONS
from fairlead.server.grants import grant_settings, own_grant
from fairlead.server.http import Scope
from fairlead.server.page import Page, at, table, told, visible

_DOOR: Final = "fairlead.grants"


class ConnectionsPage:
    """`GET /connections`."""

    def __init__(self, fairlead: Fairlead, browser: Browser, grants: GrantTokens) -> None:
        self._fairlead = fairlead
        self._browser = browser
        self._grants = grants

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> Page:
            caller = await self._browser.person(scope)
            if caller is None:
                return self._browser.sign_in(CONNECTIONS)
            found = await asyncio.to_thread(self._grants.grants.of, caller.person, caller.tenant)
            field = self._browser.field(scope)
            shown = "".join(_connection(each, field) for each in found)
            body = f"<h1>Connected with your own accounts</h1>{shown or '<p>Nothing is connected.</p>'}"
            return Page("Connections", body + self._others(found))

        await told(self._fairlead, send, _DOOR, page)

    def _others(self, found: list[Grant]) -> str:
        active = {each.system for each in found if each.state == "active"}
        systems = self._fairlead.current().systems.systems
        names = [name for name, each in systems.items() if each.settings.credential.grant is not None]
        links = "".join(
            f'<li><a href="{CONNECT}{escape(name)}">{escape(name)}</a></li>' for name in names if name not in active
        )
        return f"<h2>What you can connect</h2><ul>{links}</ul>" if links else ""


class Disconnect:
    """`POST /connections/ID` with the form of the page."""

    def __init__(self, fairlead: Fairlead, browser: Browser, grants: GrantTokens) -> None:
        self._fairlead = fairlead
        self._browser = browser
        self._grants = grants

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> Page:
            caller, _ = await self._browser.sent(scope, receive)
            if caller is None:
                return self._browser.sign_in_first(CONNECTIONS)
            id_ = scope["raw_path"].decode("latin-1").removeprefix(f"{CONNECTIONS}/")
            grant = await own_grant(self._grants, caller, id_)
            settings = grant_settings(self._fairlead, grant.system)
            left = await self._grants.disconnect(grant, "person", caller.credential, settings)
            name = escape(grant.system)
            body = f"<h1>{name} is disconnected</h1><p>Nobody uses it in your name any more.</p>"
            if left:
                why = escape(visible(left))
                body += f"<p>Its provider was not told ({why}): take the right away in your account there too.</p>"
            return Page("Disconnected", f'{body}<p><a href="{CONNECTIONS}">All connections</a></p>')

        await told(self._fairlead, send, _DOOR, page)


def _connection(grant: Grant, field: str) -> str:
    agents = "every agent that acts for you"
    if EVERY_AGENT not in grant.agents:
        agents = ", ".join(["you yourself", *filter(None, grant.agents)])
    rows = {
        "connected": at(grant.made_at),
        "may be used by": agents,
        "lets be done": ", ".join(grant.scopes) or "what the provider gives",
    }
    name = escape(grant.system)
    if grant.state != "active":
        rows = {"ended": at(grant.ended_at), "because": grant.reason}
        return f'<h2>{name}</h2>{table(rows)}<p><a href="{CONNECT}{name}">Connect anew</a></p>'
    return (
        f'<h2>{name}</h2>{table(rows)}<p><a href="{CONNECT}{name}">Change</a></p>'
        f'<form method="post" action="{CONNECTIONS}/{escape(grant.id)}">{field}<button>Disconnect</button></form>'
    )
