"""A complete reply in the form of chat completions."""

import msgspec
from msgspec import Struct

from fairlead.execution import Answer, ReplyChoice, merged_logprobs
from fairlead.models.types import ToolCall
from fairlead.server.openai.envelope import encode_completion


class ReplyMessage(Struct, frozen=True, omit_defaults=True):
    """The `message` of a choice of chat completions (OpenAI API, v1); `reasoning_content` as servers of open models
    name it."""

    role: str
    content: str | None
    refusal: str | None
    reasoning_content: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None


class ChoiceBody(Struct, frozen=True):
    """A member of `choices` of chat completions (OpenAI API, v1)."""

    index: int
    message: ReplyMessage
    finish_reason: str
    logprobs: msgspec.Raw | None


def encode_reply(answer: Answer, created: int) -> bytes:
    """The body of a complete (not streamed) reply. `created` is in seconds since 1970."""
    choices = [_choice(choice) for choice in answer.reply.choices]
    return encode_completion(answer, created, f"chatcmpl-{answer.run}", "chat.completion", choices)


def _choice(choice: ReplyChoice) -> ChoiceBody:
    content = choice.text if choice.text or not (choice.tool_calls or choice.refusal) else None
    message = ReplyMessage(
        role="assistant",
        content=content,
        refusal=choice.refusal or None,
        reasoning_content=choice.reasoning or None,
        tool_calls=choice.tool_calls or None,
    )
    return ChoiceBody(choice.index, message, choice.finish, merged_logprobs(choice.logprobs))
