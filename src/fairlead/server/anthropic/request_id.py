"""The name under which this protocol's clients know a request, for their logs: the run's id."""

from typing import Any

from fairlead.server.http import Endpoint, Scope


def with_request_id(endpoint: Endpoint) -> Endpoint:
    """The endpoint, with the header `request-id` on what has `x-fairlead-run`."""

    async def answer(scope: Scope, receive: Any, send: Any) -> None:
        async def say(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                named = [(b"request-id", value) for name, value in message["headers"] if name == b"x-fairlead-run"]
                message = {**message, "headers": [*message["headers"], *named]}
            await send(message)

        await endpoint(scope, receive, say)

    return answer
