"""`GET /v1/models`: what this caller may ask for by name."""

from typing import Any

import msgspec
from msgspec import Struct

from fairlead.errors import FairleadError, NotFound
from fairlead.execution import Fairlead, visible_models
from fairlead.server.door import authenticate, refuse
from fairlead.server.http import Scope, respond
from fairlead.server.openai.errors import encode_error

DOOR = "openai.models"
_encode = msgspec.json.Encoder().encode


class ModelList:
    """The list."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        try:
            caller = await authenticate(self._fairlead, scope)
            names = visible_models(self._fairlead.current(), caller, DOOR)
        except FairleadError as error:
            await self._fairlead.refusals.record(DOOR, error)
            await refuse(send, error, encode_error)
            return
        await respond(send, 200, encode_models(names))


class OneModel:
    """`GET /v1/models/{name}`."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        wanted = scope["path"].removeprefix("/v1/models/")
        try:
            caller = await authenticate(self._fairlead, scope)
            names = dict(visible_models(self._fairlead.current(), caller, DOOR))
            if wanted not in names:
                raise NotFound(f"there is no model {wanted!r} for you here", mend="GET /v1/models lists what there is")
        except FairleadError as error:
            await self._fairlead.refusals.record(DOOR, error)
            await refuse(send, error, encode_error)
            return
        await respond(send, 200, encode_model(wanted, names[wanted]))


class ModelEntry(Struct, frozen=True):
    id: str
    object: str
    created: int
    owned_by: str


def encode_models(names: list[tuple[str, str]]) -> bytes:
    """The body of `GET /v1/models`: names with who owns them."""
    entries = [ModelEntry(name, "model", 0, owner) for name, owner in names]
    return _encode({"object": "list", "data": entries})


def encode_model(name: str, owner: str) -> bytes:
    """The body of `GET /v1/models/{name}`."""
    return _encode(ModelEntry(name, "model", 0, owner))
