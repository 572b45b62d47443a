"""`POST /v1/chat/completions`: OpenAI's chat protocol, which most clients and servers speak."""

from fairlead.execution import Answer
from fairlead.models.types import Model
from fairlead.server.openai.chat_reply import encode_reply
from fairlead.server.openai.chat_request import AskedChat, read_request
from fairlead.server.openai.chat_stream import ChatEvents
from fairlead.server.openai.errors import encode_error


class ChatCompletions:
    """See `chat_door.ChatWire`."""

    door = "openai.chat"
    encode_error = staticmethod(encode_error)
    read = staticmethod(read_request)

    def reply(self, asked: AskedChat, answer: Answer, created: int) -> bytes:
        return encode_reply(answer, created)

    def events(self, asked: AskedChat, run: str, model: Model, created: int) -> ChatEvents:
        return ChatEvents(run, model, created, with_usage=asked.with_usage)
