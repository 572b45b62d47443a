"""What is not even HTTP: answered in the form that clients of the doors understand, like every other bad request."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fairlead.errors import BadInput
from fairlead.server.openai_wire import encode_error

_BODY = encode_error(
    BadInput(
        "the request is not valid HTTP/1.1",
        why="its request line, a header or the framing of its body is malformed",
        mend="send it with an HTTP client, and look at what stands between it and Fairlead",
    )
)
_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
    % len(_BODY)
) + _BODY


class Framing(HttpToolsProtocol):
    """One client's connection."""

    def send_400_response(self, msg: str) -> None:
        """Called for what the parser refuses. Never written into the middle of another response."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_ANSWER)
        self.transport.close()
