"""An authorization server and what it guards: it keeps the books of every token, and misbehaves on demand."""

import asyncio
import hashlib
from base64 import b64decode, urlsafe_b64encode
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from fairlead.clock import Clock


class AuthorizationServer:
    """Codes, refresh tokens that may rotate, revocation, and one service, `/orders`.

    Every token that it has ever made stands in `made`. `grants` says of each grant which refresh token is good, and
    which access tokens; a refresh token that is shown twice ends its grant where `rotates`.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.url = ""
        self.secret = "cl&ent-s3cret-0123456789"
        self.rotates = True
        self.forgives = False  # a refresh token that was used up may be shown again
        self.life: Any = 300
        self.says = ""  # garbage, nothing (the answer never comes), down, refused, pause
        self.tells_issuer = True
        self.asked: list[dict[str, str]] = []
        self.made: list[str] = []
        self.codes: dict[str, dict[str, str]] = {}
        self.grants: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.lingers = 0.0  # seconds between the books and the answer
        self.gate: asyncio.Event | None = None  # renewals wait for it, once the books are changed
        self.renewals = 0
        self.most_at_once = 0
        self._at_once = 0

    async def serve(self, port: int = 0) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/.well-known/oauth-authorization-server", self._metadata)
        app.router.add_post("/token", self._token)
        app.router.add_post("/revoke", self._revoke)
        app.router.add_get("/authorize", self._authorize)
        app.router.add_get("/orders", self._orders)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    def new(self, kind: str) -> str:
        token = f"MARKER-{kind}-{len(self.made)}-" + hashlib.sha256(f"{self.url}{len(self.made)}".encode()).hexdigest()
        self.made.append(token)
        return token

    def tokens(self, grant: str) -> dict[str, Any]:
        """More tokens of a grant; the books say which are good."""
        book = self.grants[grant]
        access = self.new("access")
        book["access"][access] = self.clock.now() + (int(self.life) if self.life else 300) * 1000
        said = {"access_token": access, "token_type": "bearer"}
        if self.life is not None:
            said["expires_in"] = self.life
        if self.rotates or not book["refresh"]:
            book["used"] += [book["refresh"]]
            book["refresh"] = said["refresh_token"] = self.new("refresh")
        return said

    def grant(self, person: str) -> tuple[str, dict[str, Any]]:
        """What somebody has after a consent."""
        id_ = f"g{len(self.grants)}"
        self.grants[id_] = {"person": person, "refresh": "", "used": [], "access": {}, "over": False}
        return id_, self.tokens(id_)

    def end(self, grant: str) -> None:
        self.grants[grant]["over"] = True

    async def _metadata(self, request: web.Request) -> web.Response:
        about = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "revocation_endpoint": f"{self.url}/revoke",
            "authorization_response_iss_parameter_supported": self.tells_issuer,
        }
        return web.json_response(about)

    async def _authorize(self, request: web.Request) -> web.Response:
        """Everybody consents, as whom `login_hint` says; the browser is sent back with a code."""
        asked = dict(request.query)
        code = self.new("code")
        self.codes[code] = asked
        back = f"{asked['redirect_uri']}?code={code}&state={asked['state']}"
        raise web.HTTPFound(back + (f"&iss={self.url}" if self.tells_issuer else ""))

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(form)
        if not self._knows(request):
            return web.json_response({"error": "invalid_client"}, status=401)
        if self.says == "down":
            return web.Response(status=503)
        if self.says == "pause":
            return web.Response(status=429)
        if self.says == "refused":
            return web.json_response({"error": "invalid_request", "error_description": str(form)}, status=400)
        kind = form["grant_type"]
        said = self._for_code(form) if kind == "authorization_code" else await self._for_refresh(form)
        if said is None:
            return web.json_response({"error": "invalid_grant", "error_description": f"no {form}"}, status=400)
        if self.says == "garbage":
            return web.Response(text=f"<html>{said}</html>")
        if self.says == "nothing":
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(said)

    def _knows(self, request: web.Request) -> bool:
        kind, _, said = request.headers.get("authorization", "").partition(" ")
        if kind != "Basic":
            return False
        name, _, secret = b64decode(said).decode().partition(":")
        return (unquote(name), unquote(secret)) == ("fairlead", self.secret)

    def _for_code(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form["redirect_uri"]:
            return None
        return self.grant(asked.get("login_hint", "somebody"))[1]

    async def _for_refresh(self, form: dict[str, str]) -> dict[str, Any] | None:
        shown = form["refresh_token"]
        self.renewals += 1
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            for id_, book in self.grants.items():
                if shown == book["refresh"] and not book["over"]:
                    said = self.tokens(id_)
                    if self.gate is not None:
                        await self.gate.wait()
                    await asyncio.sleep(self.lingers)
                    return said
                if shown in book["used"] and shown:
                    if self.forgives and not book["over"]:
                        return self.tokens(id_)
                    book["over"] = True  # shown twice: somebody has stolen it
            return None
        finally:
            self._at_once -= 1

    async def _revoke(self, request: web.Request) -> web.Response:
        form = await request.post()
        if not self._knows(request):
            return web.json_response({"error": "invalid_client"}, status=401)
        for id_, book in self.grants.items():
            if form["token"] in (book["refresh"], *book["access"]):
                self.end(id_)
        return web.Response()

    def whose(self, token: str) -> str | None:
        """Whose access token it is, if it is good now."""
        for book in self.grants.values():
            if not book["over"] and book["access"].get(token, 0) > self.clock.now():
                return str(book["person"])
        return None

    async def _orders(self, request: web.Request) -> web.Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.calls.append(token)
        person = self.whose(token)
        if person is None:
            return web.json_response({"error": "invalid_token"}, status=401)
        return web.json_response({"of": person, "repeated": token})
