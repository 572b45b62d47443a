"""`POST /v1/completions`: OpenAI's older protocol, a prompt and what follows it, answered as a chat of one turn."""

from fairlead.execution import Answer
from fairlead.models.types import Model
from fairlead.server.openai.completion_reply import CompletionEvents, encode_reply
from fairlead.server.openai.completion_request import AskedCompletion, read_request
from fairlead.server.openai.errors import encode_error


class Completions:
    """See `chat_door.ChatWire`."""

    door = "openai.completions"
    encode_error = staticmethod(encode_error)
    read = staticmethod(read_request)

    def reply(self, asked: AskedCompletion, answer: Answer, created: int) -> bytes:
        return encode_reply(answer, created)

    def events(self, asked: AskedCompletion, run: str, model: Model, created: int) -> CompletionEvents:
        return CompletionEvents(run, model, created, with_usage=asked.with_usage)
