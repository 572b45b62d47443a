"""`POST /v1/responses`: OpenAI's protocol of items, in which a conversation may be kept between calls."""

from fairlead.clock import Clock
from fairlead.execution import Answer
from fairlead.models.types import Model
from fairlead.server.openai.errors import encode_error
from fairlead.server.openai.responses_reply import complete, encode
from fairlead.server.openai.responses_request import AskedResponse, read_request
from fairlead.server.openai.responses_stream import ResponseEvents


class Responses:
    """See `chat_door.ChatWire`."""

    door = "openai.responses"
    encode_error = staticmethod(encode_error)
    read = staticmethod(read_request)

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def reply(self, asked: AskedResponse, answer: Answer, created: int) -> bytes:
        return encode(complete(asked, answer, created, self._clock.now() // 1000))

    def events(self, asked: AskedResponse, run: str, model: Model, created: int) -> ResponseEvents:
        return ResponseEvents(asked, run, model, created, lambda: self._clock.now() // 1000)
