"""`GET /v1/models` and `GET /v1/models/{name}`: what this caller may ask for by name, in the form of its protocol.

Several protocols have their list at this path. Who sends `anthropic-version` speaks that one.
"""

from typing import Any, Final, Protocol

from fairlead.errors import FairleadError, NotFound
from fairlead.execution import Fairlead, visible_models
from fairlead.server.anthropic.models import MessagesList
from fairlead.server.door import authenticate, refuse
from fairlead.server.http import Scope, header, respond
from fairlead.server.openai.models import CompletionsList


class ListForm(Protocol):
    """How a protocol lists models. `door` is its name in policies and records."""

    door: str

    def encode_error(self, error: FairleadError) -> bytes:
        """An error as the clients of this protocol know it."""

    def models(self, names: list[tuple[str, str]]) -> bytes:
        """The body of the list: names with what each is."""

    def model(self, name: str, kind: str) -> bytes:
        """The body of one model."""


_MESSAGES: Final[ListForm] = MessagesList()
_COMPLETIONS: Final[ListForm] = CompletionsList()


def speaks_messages(scope: Scope) -> bool:
    """Whether the client speaks the Messages protocol, at a path that it shares with others."""
    return header(scope, b"anthropic-version") is not None


def _form(scope: Scope) -> ListForm:
    return _MESSAGES if speaks_messages(scope) else _COMPLETIONS


class ModelList:
    """The list."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        form = _form(scope)
        try:
            caller = await authenticate(self._fairlead, scope)
            names = visible_models(self._fairlead.current_for(caller), caller, form.door)
        except FairleadError as error:
            await self._fairlead.refusals.record(form.door, error)
            await refuse(send, error, form.encode_error)
            return
        await respond(send, 200, form.models(names))


class OneModel:
    """`GET /v1/models/{name}`."""

    def __init__(self, fairlead: Fairlead) -> None:
        self._fairlead = fairlead

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        form, wanted = _form(scope), scope["path"].removeprefix("/v1/models/")
        try:
            caller = await authenticate(self._fairlead, scope)
            names = dict(visible_models(self._fairlead.current_for(caller), caller, form.door))
            if wanted not in names:
                raise NotFound(
                    f"there is no model {wanted!r} for you here",
                    why="it does not exist, or policies keep it from you: the two are not told apart",
                    mend="GET /v1/models lists what there is",
                )
        except FairleadError as error:
            await self._fairlead.refusals.record(form.door, error)
            await refuse(send, error, form.encode_error)
            return
        await respond(send, 200, form.model(wanted, names[wanted]))
