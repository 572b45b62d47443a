"""`POST /v1/messages`: Anthropic's protocol, which its clients and coding tools speak."""

from fairlead.execution import Answer
from fairlead.models.tally import likely_tokens
from fairlead.models.types import Model
from fairlead.server.anthropic.errors import encode_error
from fairlead.server.anthropic.message_reply import encode_reply
from fairlead.server.anthropic.message_request import AskedMessage, read_request
from fairlead.server.anthropic.message_stream import MessageEvents


class Messages:
    """See `chat_door.ChatWire`."""

    door = "anthropic.messages"
    encode_error = staticmethod(encode_error)
    read = staticmethod(read_request)

    def reply(self, asked: AskedMessage, answer: Answer, created: int) -> bytes:
        return encode_reply(answer)

    def events(self, asked: AskedMessage, run: str, model: Model, created: int) -> MessageEvents:
        return MessageEvents(run, model, likely_tokens(asked.request.size))
