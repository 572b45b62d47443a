"""Resources of systems, for pages of the context: each is listed and read by a call on the governed path, under the
rights of whoever runs the command, billed and recorded like every call."""

import asyncio
import base64
import binascii
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Final

from fairlead.cli.acting import caller_of
from fairlead.cli.compiled import require_published
from fairlead.cli.opening import open_store
from fairlead.cli.place import Place
from fairlead.cli.surroundings import surroundings
from fairlead.context.sources.types import Failure
from fairlead.costs.told import Arrival
from fairlead.errors import BadInput, Upstream
from fairlead.tools.offers import LIST_RESOURCES, READ_RESOURCE
from fairlead.tools.types import Resource, ToolResult

if TYPE_CHECKING:
    from fairlead.workspace.assemble import Running

_MOST_FAILURES: Final = 3  # one after the other: then the system as a whole does not answer


class AskedResources:
    """Opens the deployment when it is first asked. `close` when nothing more will be."""

    def __init__(self, place: Place, key: str) -> None:
        self._place = place
        self._key = key
        self._runner = asyncio.Runner()
        self._stack = ExitStack()
        self._running: Running | None = None
        self._failed = 0

    def list(self, system: str) -> Iterable[Mapping[str, object]]:
        """By a call of the system's own listing. What is no object in it is left out."""
        structured = self._call(f"{system}.{LIST_RESOURCES}", {}).structured
        found = structured.get("resources", []) if isinstance(structured, dict) else []
        return [each for each in found if isinstance(each, dict)]

    def read(self, system: str, uri: str) -> bytes | Failure:
        """By a call of the system. A `Failure` where this one cannot be read; the third in a row that went unanswered
        is raised, for then the system as a whole does not answer."""
        try:
            result = self._call(f"{system}.{READ_RESOURCE}", {"uri": uri})
        except BadInput as error:
            return Failure(why=error.message, mend=error.mend, lasting=False)
        except Upstream as error:
            self._failed += 1
            if self._failed >= _MOST_FAILURES:
                raise
            return Failure(why=f"{error.message}: {error.why}".removesuffix(": "), mend=error.mend, lasting=False)
        self._failed = 0
        return _content(result)

    def close(self) -> None:
        if self._running is not None:
            self._runner.run(self._running.stop())
        self._runner.close()
        self._stack.close()

    def _call(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        return self._runner.run(self._called(name, arguments))

    async def _called(self, name: str, arguments: dict[str, Any]) -> ToolResult:
        from fairlead.execution.tool_asking import ToolRequest
        from fairlead.execution.tool_call import call_tool

        running = await self._opened()
        caller = await caller_of(running.fairlead, self._key)
        request = ToolRequest(name=name, arguments=arguments, sources=dict.fromkeys(arguments, frozenset({"user"})))
        answer = await call_tool(running.fairlead, caller, request, Arrival(door="cli"))
        return answer.result

    async def _opened(self) -> "Running":
        from fairlead.workspace.assemble import assemble

        if self._running is None:
            store = self._stack.enter_context(closing(open_store(self._place)))
            require_published(store)
            self._running = await assemble(surroundings(self._place, store))
        return self._running


def _content(result: ToolResult) -> bytes | Failure:
    """The content of a resource: its text, else its bytes. Of several pieces, the texts one after the other."""
    if result.failed:
        return Failure(why=result.text[:400] or "the system says that it failed", lasting=False)
    pieces = [each for each in result.pieces if isinstance(each, Resource)]
    texts = [each.text for each in pieces if each.text is not None]
    if texts:
        return "\n".join(texts).encode("utf-8", "replace")
    try:
        return base64.b64decode(pieces[0].data, validate=True) if pieces else Failure(why="it is empty")
    except binascii.Error:
        return Failure(why="its content is not base64", mend="tell whoever runs the system", lasting=False)
