"""`/v1/memory`: what is remembered of and for this caller's person, and forgetting it. Runs and agents get at it by the
tools of the system `memory`, on the path of every tool's call."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from fairlead.errors import NotFound
from fairlead.execution import Fairlead
from fairlead.execution.memories import Entry, plain
from fairlead.identity import Caller
from fairlead.server.door import answered
from fairlead.server.http import Scope, read_query
from fairlead.server.openai.errors import encode_error
from fairlead.server.paging import part
from fairlead.storage.paging import one_page

PATH: Final = "/v1/memory"
_DOOR: Final = "fairlead.memory"
_encode = msgspec.json.Encoder().encode


class Memory:
    """The entries of the caller's person, all or those of `?scope=`, `?key=` or an id in the path: told, a page at a
    time, or deleted."""

    def __init__(self, fairlead: Fairlead, *, forgets: bool) -> None:
        self._fairlead = fairlead
        self._forgets = forgets

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        async def answer(caller: Caller) -> bytes:
            return _encode(await asyncio.to_thread(self._answer, caller, scope))

        await answered(self._fairlead, scope, send, _DOOR, encode_error, answer)

    def _answer(self, caller: Caller, scope: Scope) -> Any:
        id_ = scope["raw_path"].decode("latin-1").removeprefix(PATH).removeprefix("/")
        query, memories = read_query(scope), self._fairlead.memories
        asked = part({} if id_ or self._forgets else query)
        found = _wanted(memories.about(caller.person, caller.tenant, asked.after), query, id_)
        if not self._forgets and not id_:
            page, more = one_page(found, asked.limit)
            return {"object": "list", "data": [plain(each) for each in page], "has_more": more}
        whole = list(found)
        if id_ and not whole:
            raise NotFound(
                f"there is no memory {id_[:80]!r} of yours",
                why="it is over, was forgotten, or belongs to somebody else",
                mend=f"GET {PATH}",
            )
        if not self._forgets:
            return plain(whole[0])
        return {"object": "memory", "deleted": memories.delete(whole, by=caller.credential)}


def _wanted(every: Iterator[Entry], query: Mapping[str, list[str]], id_: str) -> Iterator[Entry]:
    said = {name: values[-1] for name, values in query.items()}
    return (
        each
        for each in every
        if id_ in ("", each.id)
        and said.get("scope", each.noted.scope) == each.noted.scope
        and said.get("key", each.noted.key) == each.noted.key
    )


def shown_memory(fairlead: Fairlead) -> Memory:
    """`GET /v1/memory` and `GET /v1/memory/ID`."""
    return Memory(fairlead, forgets=False)


def forgotten_memory(fairlead: Fairlead) -> Memory:
    """`DELETE /v1/memory` and `DELETE /v1/memory/ID`."""
    return Memory(fairlead, forgets=True)
