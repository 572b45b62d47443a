"""A complete reply in the form of chat completions."""

import msgspec
from msgspec import Struct

from fairlead.execution import Answer, Reply, ReplyChoice, merged_logprobs
from fairlead.models.types import ToolCall, Usage
from fairlead.server.about import About, about

_encode = msgspec.json.Encoder().encode


class TokenDetails(Struct, frozen=True, omit_defaults=True):
    cached_tokens: int = 0


class OutputDetails(Struct, frozen=True, omit_defaults=True):
    reasoning_tokens: int = 0


class UsageBody(Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: TokenDetails
    completion_tokens_details: OutputDetails


class ReplyMessage(Struct, frozen=True, omit_defaults=True):
    role: str
    content: str | None
    refusal: str | None
    reasoning_content: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None


class ChoiceBody(Struct, frozen=True):
    index: int
    message: ReplyMessage
    finish_reason: str
    logprobs: msgspec.Raw | None


class Completion(Struct, frozen=True):
    id: str
    object: str
    created: int
    model: str
    choices: list[ChoiceBody]
    usage: UsageBody
    fairlead: About


def encode_reply(answer: Answer, created: int) -> bytes:
    """The body of a complete (not streamed) reply. `created` is in seconds since 1970."""
    reply: Reply = answer.reply
    return _encode(
        Completion(
            id=f"chatcmpl-{answer.run}",
            object="chat.completion",
            created=created,
            model=answer.model.name,
            choices=[_choice(choice) for choice in reply.choices],
            usage=usage_body(reply.usage),
            fairlead=about(answer),
        )
    )


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


def usage_body(usage: Usage) -> UsageBody:
    """Tokens as billed."""
    return UsageBody(
        prompt_tokens=usage.input,
        completion_tokens=usage.output,
        total_tokens=usage.input + usage.output,
        prompt_tokens_details=TokenDetails(usage.cached_input),
        completion_tokens_details=OutputDetails(usage.reasoning),
    )
