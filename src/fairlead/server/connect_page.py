"""Connecting a system with an account of one's own: `/connect/SYSTEM`, and `/connect/callback`, where the browser comes
back with the provider's answer."""

import asyncio
from html import escape
from typing import Any, Final
from urllib.parse import urlsplit

from fairlead.errors import NotFound
from fairlead.execution import Fairlead
from fairlead.identity import Caller
from fairlead.identity.consents import Consents
from fairlead.identity.grant_tokens import GrantTokens
from fairlead.identity.grants import EVERY_AGENT, Grant
from fairlead.policy.stops import stopped
from fairlead.server.browser import Browser
from fairlead.server.grants import grant_settings
from fairlead.server.http import Scope, read_query
from fairlead.server.page import Form, Page, at, moved, told, visible
from fairlead.tools.grant_settings import GrantSettings

CONNECT: Final = "/connect/"
CONNECTED: Final = "/connect/callback"
CONNECTIONS: Final = "/connections"
_DOOR: Final = "fairlead.grants"
_AGENT: Final = "agent."  # before the agent's name, in fields of the form


class ConnectPage:
    """`GET /connect/SYSTEM`: what would be connected, what for, and for which agents. Looking connects nothing."""

    def __init__(self, fairlead: Fairlead, browser: Browser, grants: GrantTokens) -> None:
        self._fairlead = fairlead
        self._browser = browser
        self._grants = grants

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> Page:
            path = scope["raw_path"].decode("latin-1")
            caller = await self._browser.person(scope)
            if caller is None:
                return self._browser.sign_in(path)
            system = path.removeprefix(CONNECT)
            settings = connectable(self._fairlead, system)
            authority = await self._grants.server.authority(settings)
            found = await asyncio.to_thread(self._grants.grants.of, caller.person, caller.tenant)
            known = next((each for each in found if each.system == system and each.state == "active"), None)
            body = self._asked(caller, system, settings, urlsplit(authority.authorize_url).netloc, known)
            return Page(f"Connect {system}", f'{body}<form method="post">{self._fields(scope, caller, known)}</form>')

        await told(self._fairlead, send, _DOOR, page)

    def _asked(self, caller: Caller, system: str, settings: GrantSettings, server: str, known: Grant | None) -> str:
        deployment = self._fairlead.current()
        about = deployment.systems.systems[system].card.about
        scopes = "".join(
            f"<li>{_text(meaning or name)}" + (f" ({_text(name)})" if meaning else "") + "</li>"
            for name, meaning in settings.scopes.items()
        )
        lines = [f"<h1>Connect {_text(system)} with your own account?</h1>"]
        if about:
            lines.append(f"<p>{_text(about)}</p>")
        lines.append(
            f"<p>You are {_text(caller.person)}. Fairlead of {_text(deployment.organisation)} will act in your name at "
            f"{_text(system)}, as the account with which you sign in at {_text(server)}.</p>"
        )
        lines.append(f"<p>It asks to be let:</p><ul>{scopes}</ul>" if scopes else "")
        if known is not None:
            lines.append(f"<p>It is connected since {at(known.made_at)}.</p>")
        return "".join(lines)

    def _fields(self, scope: Scope, caller: Caller, known: Grant | None) -> str:
        before = known.agents if known is not None else ()
        mine = self._fairlead.current().authenticator.agents_of(caller.person)
        wanted = read_query(scope).get("agent", [])
        names = sorted({*mine, *wanted, *before} - {"", EVERY_AGENT})
        every = EVERY_AGENT in before if known is not None else not mine
        ticked = set(before) if known is not None else set(mine)  # one that a link names is for the person to tick
        boxes = "".join(
            f'<br><label><input type="checkbox" name="{_AGENT}{escape(each)}"{_checked(each in ticked)}> '
            f"{_text(each)}</label>"
            for each in names
        )
        choice = (
            "<p>Who may use it? Policies still decide about each call.</p>"
            f'<p><label><input type="radio" name="who" value="all"{_checked(every)}> Every agent that acts for you'
            f'</label><br><label><input type="radio" name="who" value="named"{_checked(not every)}> '
            f"You yourself, and only these agents:</label>{boxes or '<br>none is known'}</p>"
        )
        only = '<button name="do" value="agents">Only change who may use it</button> ' if known is not None else ""
        connect = f'<button name="do" value="connect">{"Connect anew" if known is not None else "Connect"}</button>'
        return f'{self._browser.field(scope)}{choice}<p>{only}{connect} <a href="{CONNECTIONS}">Leave it</a></p>'


class Connect:
    """`POST /connect/SYSTEM` with the form of the page: on to the provider, which asks the person itself."""

    def __init__(self, fairlead: Fairlead, browser: Browser, grants: GrantTokens, consents: Consents) -> None:
        self._fairlead = fairlead
        self._browser = browser
        self._grants = grants
        self._consents = consents

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> Page:
            path = scope["raw_path"].decode("latin-1")
            caller, form = await self._browser.sent(scope, receive)
            if caller is None:
                return self._browser.sign_in_first(path)
            system = path.removeprefix(CONNECT)
            settings, agents = connectable(self._fairlead, system), _agents(form)
            if form.get("do") == "agents":
                await self._let(caller, system, agents)
                return moved(CONNECTIONS)
            redirect = self._browser.base(scope) + CONNECTED
            secret = self._browser.secret(scope)
            where = await self._consents.begin(caller, secret, system, settings, agents, redirect)
            return _onward(where)

        await told(self._fairlead, send, _DOOR, page)

    async def _let(self, caller: Caller, system: str, agents: tuple[str, ...]) -> None:
        found = await asyncio.to_thread(self._grants.grants.of, caller.person, caller.tenant)
        for each in found:
            if each.system == system and each.state == "active":
                await asyncio.to_thread(self._grants.grants.let, each, agents, caller.credential)


class Connected:
    """`GET /connect/callback`."""

    def __init__(self, fairlead: Fairlead, browser: Browser, consents: Consents) -> None:
        self._fairlead = fairlead
        self._browser = browser
        self._consents = consents

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> Page:
            caller = await self._browser.person(scope)
            if caller is None:
                return self._browser.sign_in(CONNECTIONS)
            answer = read_query(scope)
            secret = self._browser.secret(scope)
            await self._consents.finish(caller, secret, answer, lambda name: connectable(self._fairlead, name))
            return moved(CONNECTIONS)

        await told(self._fairlead, send, _DOOR, page)


def connectable(fairlead: Fairlead, system: str) -> GrantSettings:
    """What the workspace in force says of connecting a system. Raises `NotFound`, `Stopped`."""
    settings = grant_settings(fairlead, system)
    if settings is None:
        raise NotFound(
            f"there is no system {visible(system[:80])!r} to be connected",
            why="no system of this name takes accounts of people's own",
            mend=f"{CONNECTIONS} lists those that do",
        )
    stops = fairlead.current().stops
    stop = None if stops is None else stops.of_system(system, fairlead.clock.now())
    if stop is not None:
        raise stopped(stop)
    return settings


def _agents(form: Form) -> tuple[str, ...]:
    """Who may use it. Nothing that is said counts as nobody but the person."""
    if form.get("who") == "all":
        return (EVERY_AGENT,)
    named = {name.removeprefix(_AGENT) for name in form if name.startswith(_AGENT)}
    return ("", *sorted(named - {"", EVERY_AGENT}))


def _onward(where: str) -> Page:
    """To another server. Not by a redirect of the form: the page's own policy lets forms lead nowhere else."""
    link = f'<p><a href="{escape(where)}" rel="noreferrer">Go on to {_text(urlsplit(where).netloc)}</a></p>'
    return Page("Connect", link, headers=((b"refresh", f"0; url={where}".encode("ascii")),))


def _checked(is_so: bool) -> str:
    return " checked" if is_so else ""


def _text(text: str) -> str:
    return escape(visible(text))
