"""Texts that somebody was asked about: they come back as they are. Who may decide, and that it is this very text, was
seen to before."""

from collections.abc import Sequence

from fairlead.clock import Clock
from fairlead.net.http import Http
from fairlead.tools.systems import System
from fairlead.tools.types import Credential, Definition, SystemCall, Text, ToolResult


class DecidedTexts:
    """The system of all declared decisions. It keeps nothing and reaches nobody."""

    def __init__(self, system: System, http: Http, clock: Clock) -> None:
        self._definitions = tuple(tool.definition for tool in system.tools.values())

    async def definitions(self, credential: Credential, deadline: float) -> Sequence[Definition]:
        return self._definitions

    async def call(self, call: SystemCall) -> ToolResult:
        """The text itself. It comes here only after a person has agreed to it."""
        return ToolResult(pieces=(Text(str(call.arguments["text"])),))

    async def close(self) -> None:
        """There is nothing to close."""
