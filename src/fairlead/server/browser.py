"""Who looks at a page: the person whose browser is signed in, and the proof that a form is of their own page.

The cookie opens pages and nothing else: the doors of programs never look at it.
"""

import hmac
from hashlib import sha256
from html import escape
from typing import Any, Final
from urllib.parse import quote

from fairlead.errors import BadInput, Refused, Stopped
from fairlead.execution import Fairlead
from fairlead.identity import Caller
from fairlead.identity.browser import BrowserSessions
from fairlead.identity.register import NotActive
from fairlead.server.http import Headers, Scope, header, host_name
from fairlead.server.mcp.resource import base_url
from fairlead.server.page import Form, Page, moved, read_form

SESSION: Final = "fairlead-session"
ATTEMPT: Final = "fairlead-login"
_OWN: Final = b"fairlead/form/1"
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class ForeignForm(Refused):
    """A form was sent that is not of a page which this browser was shown.

    Open the page again and use its buttons. It happens too where somebody signed in again meanwhile.
    """

    code = "foreign_form"
    status = 403


class Browser:
    """For all pages of one worker."""

    def __init__(self, fairlead: Fairlead, sessions: BrowserSessions) -> None:
        self._fairlead = fairlead
        self._sessions = sessions

    async def person(self, scope: Scope) -> Caller | None:
        """Who looks, None for nobody who is signed in. Raises `Stopped` and `NotActive`, which end the session, and
        `Overloaded` while nobody can tell."""
        secret = self.secret(scope)
        caller = await self._sessions.person(secret) if secret else None
        if caller is None:
            return None
        try:
            return self.admitted(caller)
        except Stopped:
            await self._sessions.end(secret, "the person is stopped")
            raise
        except NotActive:
            await self._sessions.end(secret, "the person is not active at the provider")
            raise

    def admitted(self, caller: Caller) -> Caller:
        """Somebody who signed in, with the groups that their provider pushes. Raises `Stopped`, `NotActive`."""
        return self._fairlead.current_for(caller).authenticator.admitted(caller)

    def sign_in(self, path: str) -> Page:
        """To be sent where `person` was None: signing in leads back to this path."""
        return moved(f"/login?next={quote(path, safe='/')}")

    async def sent(self, scope: Scope, receive: Any) -> tuple[Caller | None, Form]:
        """Who has sent a form, None for nobody who is signed in, and what it says. Raises `ForeignForm`, and as
        `person`."""
        form = await read_form(receive)
        caller = await self.person(scope)
        if caller is not None:
            self.require_own(scope, form)
        return caller, form

    def sign_in_first(self, path: str) -> Page:
        """To be shown where a form came from nobody who is signed in: what it said is lost, and browsers follow a form
        to no other server. Signing in leads to this path."""
        body = f'<h1>You are not signed in any more</h1><p><a href="{escape(self.sign_in(path).location)}">Sign in</a>'
        return Page("Sign in", f"{body}; what you sent was not used.</p>", 401)

    def token(self, scope: Scope) -> str:
        """What forms of this browser's pages carry, as the field `csrf`."""
        return hmac.digest(self.secret(scope).encode(), _OWN, sha256).hex()

    def field(self, scope: Scope) -> str:
        """The hidden field itself."""
        return f'<input type="hidden" name="csrf" value="{escape(self.token(scope))}">'

    def require_own(self, scope: Scope, form: Form) -> None:
        """Raises `ForeignForm` unless the form is of a page that this very session was shown."""
        sent, site = form.get("csrf", ""), header(scope, b"sec-fetch-site")
        same = hmac.compare_digest(sent.encode(), self.token(scope).encode())
        if not self.secret(scope) or not same or site not in (None, "same-origin", "none"):
            raise ForeignForm(
                "the form is not of a page that you were shown",
                why="what it says may be somebody else's doing",
                mend="open the page again and use its buttons",
            )

    def secret(self, scope: Scope) -> str:
        """The session's cookie, "" for none."""
        return self.cookie(scope, SESSION)

    def cookie(self, scope: Scope, name: str) -> str:
        """The value of one of our cookies. One that came twice was not set by us alone, and counts for nothing."""
        wanted = self._name(scope, name)
        lines = [value.decode("latin-1") for key, value in scope["headers"] if key == b"cookie"]
        pairs = [pair.strip().partition("=") for line in lines for pair in line.split(";")]
        found = [value for key, _, value in pairs if key == wanted]
        return found[0] if len(found) == 1 else ""

    def set_cookie(self, scope: Scope, name: str, value: str, seconds: int) -> tuple[bytes, bytes]:
        """The header that sets it, or with 0 seconds takes it away."""
        secure = "; Secure" if self._is_secure(scope) else ""
        text = f"{self._name(scope, name)}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
        return b"set-cookie", text.encode("ascii")

    def signed_out(self, scope: Scope) -> Headers:
        """The headers that take the session's cookie away. The session itself is ended elsewhere."""
        return [self.set_cookie(scope, SESSION, "", 0)]

    def base(self, scope: Scope) -> str:
        """Where this browser found the server. Raises `BadInput` where its cookies could be read on the way."""
        if self._sessions.address:
            return self._sessions.address
        base = base_url(scope) or ""
        if base.startswith("https://") or host_name(base) in _LOCAL:
            return base
        raise BadInput(
            "people cannot sign in over plain HTTP",
            why="whoever can read what passes could take their place",
            mend="open the page by https; behind a proxy, set `identity.browser.url` to the address that people use",
        )

    def approval_page(self, scope: Scope, id_: str) -> str:
        """Where a question is shown to who is signed in, "" where nobody can sign in."""
        try:
            return f"{self.base(scope)}/approvals/{id_}" if self._sessions.providers else ""
        except BadInput:
            return ""

    def _is_secure(self, scope: Scope) -> bool:
        return self.base(scope).startswith("https://")

    def _name(self, scope: Scope, name: str) -> str:
        return f"__Host-{name}" if self._is_secure(scope) else name
