"""A clock that is told the time, and a real identity provider: HTTP, discovery, rotating keys, signed tokens."""

import asyncio
import os
from base64 import b64encode
from typing import Any

from aiohttp import web
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import json_b64encode, urlsafe_b64encode
from msgspec import json

from fairlead.clock import Clock

NOW = 1_790_000_000_000


class ToldClock:
    """Both times move together, and only when told."""

    def __init__(self) -> None:
        self.ms = NOW
        self.seconds = 1_000.0

    def now(self) -> int:
        return self.ms

    def monotonic(self) -> float:
        return self.seconds

    def era(self) -> str:
        return "test"

    def random_bytes(self, count: int) -> bytes:
        return os.urandom(count)

    def passes(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)
        self.seconds += seconds


class Issuer:
    """An OpenID Connect issuer with its own web server."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.url = ""
        self.claimed_issuer: str | None = None
        self.key: Any = OKPKey.generate_key("Ed25519", {"kid": "first"})
        self.published: list[Any] = [self.key]
        self.raw_keys: list[dict[str, Any]] | None = None
        self.down = False
        self.barred: set[str] = set()  # who gets no token any more
        self.life = 300
        self.issued: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.introspected: dict[str, Any] = {}
        self.introspecting: asyncio.Event | None = None

    async def serve(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        app.router.add_post("/exchange", self._exchange)
        app.router.add_post("/introspect", self._introspect)
        self.routes(app)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    def routes(self, app: web.Application) -> None:
        """For more than this one can do."""

    def document(self) -> dict[str, Any]:
        return {"issuer": self.claimed_issuer or self.url, "jwks_uri": self.url + "/keys"}

    async def _discovery(self, request: web.Request) -> web.Response:
        self.asked.append("discovery")
        if self.down:
            return web.Response(status=503)
        return web.json_response(self.document())

    async def _keys(self, request: web.Request) -> web.Response:
        self.asked.append("keys")
        keys = KeySet(self.published).as_dict(private=False) if self.raw_keys is None else {"keys": self.raw_keys}
        return web.json_response(keys)

    async def _exchange(self, request: web.Request) -> web.Response:
        """RFC 8693, for the client `fairlead`: a token of the same subject for the audience that is asked for."""
        self.asked.append("exchange")
        if self.down:
            return web.Response(status=503)
        if request.headers.get("authorization") != "Basic " + b64encode(b"fairlead:s3%26cret").decode():
            return web.json_response({"error": "invalid_client"}, status=401)
        form = await request.post()
        subject = self.issued.get(str(form.get("subject_token")))
        if subject is None or subject["exp"] * 1000 < self.clock.now():
            return web.json_response({"error": "invalid_request"}, status=400)
        if subject["sub"] in self.barred:
            said = f"no longer, {form['subject_token']}"
            return web.json_response({"error": "invalid_grant", "error_description": said}, status=400)
        token = self.token(aud=form["audience"], sub=subject["sub"], act={"sub": "fairlead"}, scope=form["scope"])
        return web.json_response({"access_token": token, "token_type": "Bearer", "expires_in": self.life})

    async def _introspect(self, request: web.Request) -> web.Response:
        """RFC 7662, for the client `fairlead`. `introspected` are answers by token; others are as they were issued."""
        self.asked.append("introspect")
        if self.introspecting is not None:
            await self.introspecting.wait()
        if self.down:
            return web.Response(status=503)
        if request.headers.get("authorization") != "Basic " + b64encode(b"fairlead:s3%26cret").decode():
            return web.json_response({"error": "invalid_client"}, status=401)
        token = str((await request.post())["token"])
        claims = self.issued.get(token)
        alive = claims is not None and claims["sub"] not in self.barred
        return web.json_response(
            self.introspected.get(token, {"active": True, **claims} if alive else {"active": False})
        )

    def rotate(self, kid: str, kind: str = "OKP") -> None:
        """Sign with a new key; the old one stays published until `withdraw`."""
        made = {
            "OKP": lambda: OKPKey.generate_key("Ed25519", {"kid": kid}),
            "EC": lambda: ECKey.generate_key("P-256", {"kid": kid}),
            "RSA": lambda: RSAKey.generate_key(2048, {"kid": kid}),
        }
        self.key = made[kind]()
        self.published.append(self.key)

    def claims(self, **changes: Any) -> dict[str, Any]:
        seconds = self.clock.now() // 1000
        claims = {"iss": self.url, "sub": "ada", "aud": "fairlead", "iat": seconds, "exp": seconds + 600}
        return {name: value for name, value in (claims | changes).items() if value is not ...}

    def token(self, *, header: dict[str, Any] | None = None, key: Any = None, **changes: Any) -> str:
        """A signed token; a claim or header set to `...` is left out."""
        protected = {"alg": "EdDSA", "typ": "at+jwt", "kid": self.key.kid} | (header or {})
        protected = {name: value for name, value in protected.items() if value is not ...}
        claims = self.claims(**changes)
        made = sign(protected, json.encode(claims), key or self.key)
        self.issued[made] = claims
        return made


def sign(protected: dict[str, Any], payload: bytes, key: Any) -> str:
    """Any header over any payload, as a hostile or careless issuer might sign it."""
    signed = json_b64encode(protected) + b"." + urlsafe_b64encode(payload)
    model = JWSRegistry.algorithms[protected["alg"]]
    return (signed + b"." + urlsafe_b64encode(model.sign(signed, key))).decode()
