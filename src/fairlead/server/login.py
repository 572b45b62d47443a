"""Signing in and out with a browser: `/login`, `/login/callback`, `/logout`, `/me`."""

from html import escape
from typing import Any, Final
from urllib.parse import quote

from fairlead.errors import FairleadError, NotFound
from fairlead.execution import Fairlead
from fairlead.identity.browser import BrowserSessions
from fairlead.identity.settings import Provider
from fairlead.identity.sign_in import LASTS, local_path
from fairlead.server.browser import ATTEMPT, SESSION, Browser
from fairlead.server.http import Scope, read_query
from fairlead.server.page import Page, at, failed, moved, read_form, table, told

LOGIN: Final = "/login"
CALLBACK: Final = "/login/callback"
_DOOR: Final = "fairlead.pages"


class SignIn:
    """`GET /login?next=PATH`, with `provider=NAME` once there is a choice."""

    def __init__(self, fairlead: Fairlead, sessions: BrowserSessions, browser: Browser) -> None:
        self._fairlead = fairlead
        self._sessions = sessions
        self._browser = browser

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> Page:
            query = read_query(scope)
            path, named = local_path(_last(query, "next")), _last(query, "provider")
            await self._fairlead.caught_up()
            offered = self._sessions.providers
            if not named and len(offered) > 1:
                return _choice(offered, path)
            provider = next((each for each in offered if named in ("", each.name)), None)
            if provider is None:
                raise NotFound(
                    "nobody can sign in here" if not offered else "there is no such identity provider",
                    why="no provider of the workspace has `login:`" if not offered else f"none is named {named[:80]!r}",
                    mend="ask whoever runs this Fairlead; `identity.providers` of its workspace says where people "
                    "sign in",
                )
            redirect = self._browser.base(scope) + CALLBACK
            where, cookie = await self._sessions.begin(provider, redirect, path)
            return moved(where, [self._browser.set_cookie(scope, ATTEMPT, cookie, LASTS)])

        await told(self._fairlead, send, _DOOR, page)


class Callback:
    """`GET /login/callback`: the browser comes back with the provider's answer."""

    def __init__(self, fairlead: Fairlead, sessions: BrowserSessions, browser: Browser) -> None:
        self._fairlead = fairlead
        self._sessions = sessions
        self._browser = browser

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> Page:
            browser = self._browser
            await self._fairlead.caught_up()
            cookie = browser.cookie(scope, ATTEMPT)
            try:
                started = await self._sessions.finish(cookie, read_query(scope), browser.admitted)
            except FairleadError as error:
                await self._fairlead.refusals.record(_DOOR, error)
                shown = failed(error)
                again = f'{shown.body}<p><a href="{LOGIN}">Sign in</a></p>'
                return Page("Sign in", again, shown.status)  # the attempt stays: another tab may have begun it
            before = browser.secret(scope)
            if before:
                await self._sessions.end(before, "signed in again")
            used, made = browser.set_cookie(scope, ATTEMPT, "", 0), (SESSION, started.secret, started.lasts)
            return moved(started.next, [used, browser.set_cookie(scope, *made)])

        await told(self._fairlead, send, _DOOR, page)


class SignOut:
    """`POST /logout` with the form of `/me`."""

    def __init__(self, fairlead: Fairlead, sessions: BrowserSessions, browser: Browser) -> None:
        self._fairlead = fairlead
        self._sessions = sessions
        self._browser = browser

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> Page:
            self._browser.require_own(scope, await read_form(receive))
            await self._sessions.end(self._browser.secret(scope), "signed out")
            body = f'<h1>You are signed out</h1><p><a href="{LOGIN}">Sign in</a></p>'
            return Page("Signed out", body, headers=tuple(self._browser.signed_out(scope)))

        await told(self._fairlead, send, _DOOR, page)


class Me:
    """`GET /me`: who is signed in, as policies see them."""

    def __init__(self, fairlead: Fairlead, browser: Browser) -> None:
        self._fairlead = fairlead
        self._browser = browser

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def page() -> Page:
            caller = await self._browser.person(scope)
            if caller is None:
                return self._browser.sign_in("/me")
            about = {
                "you are": caller.person,
                "department": caller.department,
                "groups": ", ".join(sorted(caller.groups)),
                "roles": ", ".join(sorted(caller.roles)),
                "signed in until": at(caller.expires),
            }
            body = f"<h1>Signed in</h1>{table({name: value for name, value in about.items() if value})}"
            body += '<p><a href="/approvals">Approvals</a> <a href="/connections">Connections</a></p>'
            body += '<form method="post" action="/logout">'
            return Page("Fairlead", f"{body}{self._browser.field(scope)}<button>Sign out</button></form>")

        await told(self._fairlead, send, _DOOR, page)


def _choice(offered: tuple[Provider, ...], path: str) -> Page:
    links = "".join(
        f'<li><a href="{LOGIN}?next={quote(path, safe="/")}&amp;provider={quote(each.name, safe="")}">'
        f"{escape(each.login.label)}</a></li>"
        for each in offered
        if each.login is not None
    )
    return Page("Sign in", f"<h1>Where do you sign in?</h1><ul>{links}</ul>")


def _last(query: dict[str, list[str]], name: str) -> str:
    return query.get(name, [""])[-1]
