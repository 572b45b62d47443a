"""A desk that asks back, as a server of the Model Context Protocol at an address: in the midst of a call where the
revision has that, else in place of a result."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import (
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequiredResult,
    SamplingMessage,
    TextContent,
)
from pydantic import BaseModel, Field


class Room(BaseModel):
    room: str


ROOM = {"type": "object", "properties": {"room": {"type": "string"}}, "required": ["room"]}


def desk() -> MCPServer:
    server = MCPServer("desk")

    @server.tool()
    async def book(context: Context[Any, Any], card: str = "") -> str | InputRequiredResult:
        """Books a room, and asks which."""
        if context.request_context.protocol_version < "2026":
            answer = await context.elicit(message=f"Which room? {card}", schema=Room)
            return f"booked {answer.data.room}" if answer.action == "accept" else answer.action
        given = (context.input_responses or {}).get("room")
        if given is None:
            about = ElicitRequestFormParams(message=f"Which room? {card}", requested_schema=ROOM)
            return InputRequiredResult(input_requests={"room": ElicitRequest(params=about)}, request_state="booking")
        return f"booked {given.content['room']}" if given.action == "accept" else given.action

    @server.tool()
    async def think(context: Context[Any, Any]) -> str:
        """Lets the caller's model answer."""
        told = [SamplingMessage(role="user", content=TextContent(text="Two and two?"))]
        result = await context.session.create_message(
            messages=told, max_tokens=9, related_request_id=context.request_id
        )
        return result.content.text

    @server.tool()
    def visit(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})] = "") -> str:
        """Visits a region, which stands in a header too."""
        return f"visited {region}"

    @server.tool()
    async def work(context: Context[Any, Any]) -> str:
        """Works, and says how far it is."""
        await context.info("card 4111 1111 1111 1111")
        await context.report_progress(1, 2, "half of 4111 1111 1111 1111")
        return "done"

    return server


@contextmanager
def running() -> Iterator[str]:
    """Its URL."""
    made = uvicorn.Server(uvicorn.Config(desk().streamable_http_app(), port=0, log_level="critical", ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(made.serve()), daemon=True)
    thread.start()
    ready = threading.Event()
    while not made.started:
        ready.wait(0.005)
    try:
        yield f"http://127.0.0.1:{made.servers[0].sockets[0].getsockname()[1]}/mcp"
    finally:
        made.should_exit = made.force_exit = True
        thread.join()
