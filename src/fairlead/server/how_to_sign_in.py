"""What programs ask before and after they sign in: where that is done, and who they are taken for."""

from typing import Any, Final

import msgspec

from fairlead.execution import Fairlead
from fairlead.identity import Caller
from fairlead.identity.browser import BrowserSessions
from fairlead.server.door import answered
from fairlead.server.http import Scope, respond
from fairlead.server.openai.errors import encode_error

PATH: Final = "/.well-known/fairlead-login"
_DOOR: Final = "fairlead.pages"


class HowToSignIn:
    """`GET /.well-known/fairlead-login`: for everybody, as a program that has no token yet must be able to read it."""

    def __init__(self, fairlead: Fairlead, sessions: BrowserSessions) -> None:
        self._fairlead = fairlead
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        clients = [
            {
                "name": each.name,
                "label": each.login.label if each.login is not None else each.name,
                "issuer": each.issuer,
                "client_id": each.cli.client_id,
                "scope": " ".join(each.cli.scopes),
                "resource": each.cli.resource,
            }
            for each in self._sessions.programs
            if each.cli is not None
        ]
        about = {"organisation": self._fairlead.deployment.organisation, "clients": clients}
        await respond(send, 200, msgspec.json.encode(about), [(b"cache-control", b"max-age=60")])


class WhoAmI:
    """`GET /v1/whoami`: the caller, as policies see them."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def shown(caller: Caller) -> bytes:
            about = msgspec.structs.asdict(caller) | {"groups": sorted(caller.groups), "roles": sorted(caller.roles)}
            return msgspec.json.encode({"object": "fairlead.caller", **about})

        await answered(self._fairlead, scope, send, _DOOR, encode_error, shown)
