"""What a person owns, shown to them and deleted. For everybody else it is as if it never was."""

import asyncio
from collections.abc import Callable
from typing import Any

from fairlead.execution import Fairlead
from fairlead.identity import Caller
from fairlead.server.door import answered
from fairlead.server.http import Scope, read_query
from fairlead.server.openai.errors import encode_error
from fairlead.storage.sessions import Owner

Answering = Callable[[Owner, str, dict[str, str]], bytes]


def owner_of(caller: Caller) -> Owner:
    """Whose conversations and responses a caller reaches: the person's, whatever agent acts for them."""
    return Owner(caller.person, caller.tenant)


class Owned:
    """A request about what somebody owns. `answer` works in a thread, with the path's rest and the query."""

    def __init__(self, fairlead: Fairlead, door: str, below: str, answer: Answering) -> None:
        self._fairlead = fairlead
        self._door = door
        self._below = below
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def answer(caller: Caller) -> bytes:
            rest = scope["raw_path"].decode("latin-1").removeprefix(self._below)
            query = {name: values[-1] for name, values in read_query(scope).items()}
            return await asyncio.to_thread(self._answer, owner_of(caller), rest, query)

        await answered(self._fairlead, scope, send, self._door, encode_error, answer)
