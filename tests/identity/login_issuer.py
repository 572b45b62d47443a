"""An identity provider at which people sign in, and that lies on demand."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from tests.identity.issuer import Issuer, ToldClock


class LoginIssuer(Issuer):
    """Each code is good once, each refresh token too. `changes` are told in place of the truth in identity tokens."""

    def __init__(self, clock: ToldClock) -> None:
        super().__init__(clock)
        self.person = "ada"
        self.groups = ["finance"]
        self.changes: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.told: dict[str, Any] = {}  # what userinfo says otherwise
        self.refreshes = True
        self.names_itself = True
        self.silent = False  # gives no identity token when it is asked again
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh_tokens: dict[str, tuple[str, str]] = {}
        self.life = 300
        self.pending: list[str] = []  # what is said to a device before it gets its tokens
        self.forms: list[dict[str, str]] = []
        self._count = 0

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/token", self._token)
        app.router.add_get("/userinfo", self._userinfo)
        app.router.add_post("/revoke", self._revoke)
        app.router.add_post("/device", self._device)

    def document(self) -> dict[str, Any]:
        return {
            **super().document(),
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "revocation_endpoint": f"{self.url}/revoke",
            "device_authorization_endpoint": f"{self.url}/device",
            "authorization_response_iss_parameter_supported": self.names_itself,
        }

    def answers(self, address: str, **changes: str) -> dict[str, list[str]]:
        """What the browser brings back from an address that it was sent to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self._count += 1
        code = f"code-{self._count}"
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], "iss": self.url if self.names_itself else "", **changes}
        return {name: [value] for name, value in answer.items() if value}

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.forms.append(form)
        if self.down:
            return web.Response(status=503)
        if form["grant_type"] == "refresh_token":
            person, client = self.refresh_tokens.pop(form["refresh_token"], ("", ""))
            if not person or person in self.barred:
                return web.json_response({"error": "invalid_grant"}, status=400)
            return web.json_response(self._tokens(person, client, None))
        if "device_code" in form:
            if self.pending:
                return web.json_response({"error": self.pending.pop(0)}, status=400)
            return web.json_response(self._tokens(self.person, form["client_id"], None))
        asked = self.codes.pop(form["code"], None)
        proof = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if asked is None or proof != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response(self._tokens(self.person, asked["client_id"], asked["nonce"]))

    def _tokens(self, person: str, client: str, nonce: str | None) -> dict[str, Any]:
        self._count += 1
        said: dict[str, Any] = {"access_token": f"access-{person}", "token_type": "Bearer", "expires_in": self.life}
        claims = {"sub": person, "aud": client, "groups": self.groups, "nonce": nonce or ..., **self.changes}
        if nonce or not self.silent:
            said["id_token"] = self.token(header={"typ": "JWT"} | self.header, **claims)
        if self.refreshes:
            said["refresh_token"] = f"refresh-{self._count}"
            self.refresh_tokens[said["refresh_token"]] = (person, client)
        return said

    async def _userinfo(self, request: web.Request) -> web.Response:
        person = request.headers["authorization"].removeprefix("Bearer access-")
        return web.json_response({"sub": person, "department": "sales", "groups": self.groups, **self.told})

    async def _device(self, request: web.Request) -> web.Response:
        said = {"device_code": "d", "user_code": "WDJB-MJHT", "verification_uri": f"{self.url}/device", "interval": 1}
        return web.json_response({**said, "expires_in": 60})

    async def _revoke(self, request: web.Request) -> web.Response:
        self.refresh_tokens.pop(str((await request.post())["token"]), None)
        return web.Response()
