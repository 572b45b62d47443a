"""`/v1/grants`: what this caller's person has connected with accounts of their own, and disconnecting it."""

import asyncio
from typing import Any, Final

import msgspec

from fairlead.execution import Fairlead
from fairlead.identity import Caller
from fairlead.identity.grant_tokens import GrantTokens
from fairlead.identity.grants import Grant, plain, unknown
from fairlead.server.door import answered
from fairlead.server.http import Scope
from fairlead.server.openai.errors import encode_error
from fairlead.tools.grant_settings import GrantSettings

PATH: Final = "/v1/grants"
_DOOR: Final = "fairlead.grants"
_encode = msgspec.json.Encoder().encode


class ShownGrants:
    """`GET /v1/grants` and `GET /v1/grants/ID`."""

    def __init__(self, fairlead: Fairlead, grants: GrantTokens) -> None:
        self._fairlead = fairlead
        self._grants = grants

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def shown(caller: Caller) -> bytes:
            id_ = _id(scope)
            if id_:
                return _encode(plain(await own_grant(self._grants, caller, id_)))
            found = await asyncio.to_thread(self._grants.grants.of, caller.person, caller.tenant)
            return _encode({"object": "list", "data": [plain(each) for each in found]})

        await answered(self._fairlead, scope, send, _DOOR, encode_error, shown)


class EndGrant:
    """`DELETE /v1/grants/ID`: ended here at once, and then at the provider, as far as that lets us."""

    def __init__(self, fairlead: Fairlead, grants: GrantTokens) -> None:
        self._fairlead = fairlead
        self._grants = grants

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def ended(caller: Caller) -> bytes:
            grant = await own_grant(self._grants, caller, _id(scope))
            settings = grant_settings(self._fairlead, grant.system)
            left = await self._grants.disconnect(grant, "person", caller.credential, settings)
            if left is None:
                raise unknown(grant.id)
            return _encode({"id": grant.id, "object": "grant", "deleted": True, "provider": left or "ended"})

        await answered(self._fairlead, scope, send, _DOOR, encode_error, ended)


async def own_grant(grants: GrantTokens, caller: Caller, id_: str) -> Grant:
    """One of the caller's own. For everybody else it is as if it never was: `NotFound`."""
    mine = await asyncio.to_thread(grants.grants.of, caller.person, caller.tenant)
    found = next((each for each in mine if each.id == id_), None)
    if found is None:
        raise unknown(id_[:80])
    return found


def grant_settings(fairlead: Fairlead, system: str) -> GrantSettings | None:
    """What the workspace in force says of connecting a system; None where nobody can."""
    found = fairlead.current().systems.systems.get(system)
    return None if found is None else found.settings.credential.grant


def _id(scope: Scope) -> str:
    path: str = scope["raw_path"].decode("latin-1")
    return path.removeprefix(PATH).removeprefix("/")
