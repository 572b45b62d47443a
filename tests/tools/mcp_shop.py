"""A shop as a server of the Model Context Protocol, by the SDK. Run as a program it speaks over stdio; with `--older`
it knows the revision 2025-11-25 and none after it."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import anyio
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp_types import (
    CallToolResult,
    Completion,
    EmbeddedResource,
    ErrorData,
    JSONRPCError,
    JSONRPCRequest,
    ResourceLink,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from pydantic import BaseModel, Field


class Order(BaseModel):
    number: str
    amount: float


def shop(seen: list[str] | None = None) -> MCPServer:
    """`seen` gets what the tools noticed: who called, and that they were cancelled."""
    server = MCPServer("shop")
    noticed = [] if seen is None else seen

    @server.tool(annotations=ToolAnnotations(title="An order", read_only_hint=True))
    def get_order(order: Annotated[str, Field(description="Its number.")]) -> Order:
        """Gives an order."""
        if order == "none":
            raise ValueError("no such order")
        return Order(number=order, amount=12.5)

    @server.tool(annotations=ToolAnnotations(idempotent_hint=True))
    def set_note(order: str, note: str) -> str:
        """Writes a note."""
        return f"{order}: {note}"

    @server.tool(structured_output=False)
    def everything() -> CallToolResult:
        """Gives a piece of every kind."""
        return CallToolResult(
            content=[
                TextContent(text="one"),
                Image(data=b"\x89PNG", format="png").to_image_content(),
                ResourceLink(uri="https://example.com/a.pdf", name="a.pdf", mime_type="application/pdf"),
                EmbeddedResource(resource=TextResourceContents(uri="note://1", text="two")),
            ]
        )

    @server.tool()
    def many(count: int) -> str:
        """Gives so many letters."""
        return "x" * count

    @server.tool()
    async def wait(context: Context[Any, Any]) -> str:
        """Waits until it is cancelled."""
        noticed.append("waits")
        try:
            await asyncio.Event().wait()
        finally:
            noticed.append("cancelled")
        return ""

    @server.tool()
    def environment() -> list[str]:
        """Gives the names of the environment's variables."""
        return sorted(os.environ)

    _offers(server)
    return server


def _offers(server: MCPServer) -> None:
    """What there is beside the tools."""

    @server.resource("note://daily", mime_type="text/plain")
    def daily() -> str:
        """What happened today."""
        return "card 4111 1111 1111 1111"

    @server.resource("note://logo", mime_type="image/png")
    def logo() -> bytes:
        return b"\x89PNG"

    @server.resource("note://program", mime_type="application/x-executable")
    def run() -> bytes:
        return b"\x7fELF"

    @server.resource("note://{day}/notes")
    def of_day(day: str) -> str:
        return f"notes of {day}"

    @server.prompt()
    def greet(name: str) -> list[UserMessage]:
        """Greets somebody."""
        return [UserMessage(f"Greet {name}.")]

    @server.completion()
    async def complete(reference: Any, argument: Any, context: Any) -> Completion:
        return Completion(values=[f"{argument.value}im"])


async def _over_stdio(server: MCPServer, older: bool) -> None:
    low = server._lowlevel_server
    async with stdio_server() as (heard, say):
        send, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        async with anyio.create_task_group() as group:
            group.start_soon(_pass_on, heard, send, say.send, older)
            await low.run(received, say, low.create_initialization_options())


async def _pass_on(heard: Any, send: Any, say: Callable[[SessionMessage], Awaitable[None]], older: bool) -> None:
    async with send:
        async for item in heard:
            message = item.message
            if older and isinstance(message, JSONRPCRequest) and message.method == "server/discover":
                error = ErrorData(code=-32601, message="Method not found")
                await say(SessionMessage(JSONRPCError(jsonrpc="2.0", id=message.id, error=error)))
            else:
                await send.send(item)


if __name__ == "__main__":
    anyio.run(_over_stdio, shop(), "--older" in sys.argv)
