"""Where each field of a reply stands, in every protocol that Fairlead speaks; places as in `fields`, NONE where a
protocol has none."""

from typing import Final

from fairlead.models.fields import NONE, Field

_CHOICE: Final = "choices[].message"
_SAID: Final = "candidates[].content.parts[]"
_BLOCK: Final = "output.message.content[]"

REPLY: Final = (
    Field(
        "text", f"{_CHOICE}.content", "output[].content[].text", "content[].text", f"{_SAID}.text", f"{_BLOCK}.text",
        "message.content",
    ),
    Field(
        "reasoning", f"{_CHOICE}.reasoning_content", "output[].summary[].text", "content[].thinking",
        f"{_SAID}.text", f"{_BLOCK}.reasoningContent.reasoningText.text", "message.thinking", "`reasoning` is read too",
    ),
    Field(
        "thought.signature", NONE, "output[].encrypted_content", "content[].signature", f"{_SAID}.thoughtSignature",
        f"{_BLOCK}.reasoningContent.reasoningText.signature", NONE,
    ),
    Field(
        "thought.sealed", NONE, "output[].encrypted_content", "content[].data", NONE,
        f"{_BLOCK}.reasoningContent.redactedContent", NONE,
    ),
    Field("refusal", f"{_CHOICE}.refusal", "output[].content[].refusal", NONE, NONE, NONE, NONE),
    Field(
        "tool_calls", f"{_CHOICE}.tool_calls[]", "output[].arguments", "content[].input", f"{_SAID}.functionCall",
        f"{_BLOCK}.toolUse", "message.tool_calls[]", "ids are made where a vendor makes none",
    ),
    Field("tool_calls.signature", NONE, NONE, NONE, f"{_SAID}.thoughtSignature", NONE, NONE),
    Field(
        "logprobs", "choices[].logprobs", "output[].content[].logprobs", NONE, "candidates[].logprobsResult", NONE,
        NONE, "in the form of chat completions",
    ),
    Field(
        "finish", "choices[].finish_reason", "status", "stop_reason", "candidates[].finishReason", "stopReason",
        "done_reason", "`stop`, `length`, `tool_calls` or `content_filter`",
    ),
    Field(
        "stop", "choices[].stop_reason", NONE, "stop_sequence", NONE, NONE, NONE,
        "the sequence that was met: vLLM tells it too, Bedrock only that one was; the Messages door says it",
    ),
    Field(
        "usage.input", "usage.prompt_tokens", "usage.input_tokens", "usage.input_tokens",
        "usageMetadata.promptTokenCount", "usage.inputTokens", "prompt_eval_count",
        "with what was cached, which Messages and Bedrock count apart",
    ),
    Field(
        "usage.output", "usage.completion_tokens", "usage.output_tokens", "usage.output_tokens",
        "usageMetadata.candidatesTokenCount", "usage.outputTokens", "eval_count",
        "with reasoning, which Gemini counts apart",
    ),
    Field(
        "usage.cached_input", "usage.prompt_tokens_details.cached_tokens", "usage.input_tokens_details.cached_tokens",
        "usage.cache_read_input_tokens", "usageMetadata.cachedContentTokenCount", "usage.cacheReadInputTokens", NONE,
    ),
    Field(
        "usage.cache_write", "usage.prompt_tokens_details.cache_write_tokens", NONE,
        "usage.cache_creation_input_tokens", NONE, "usage.cacheWriteInputTokens", NONE,
    ),
    Field(
        "usage.cache_write_1h", NONE, NONE, "usage.cache_creation.ephemeral_1h_input_tokens", NONE,
        "usage.cacheDetails[]", NONE,
    ),
    Field(
        "usage.reasoning", "usage.completion_tokens_details.reasoning_tokens",
        "usage.output_tokens_details.reasoning_tokens", "usage.output_tokens_details.thinking_tokens",
        "usageMetadata.thoughtsTokenCount", NONE, NONE,
    ),
    Field(
        "usage.audio_input", "usage.prompt_tokens_details.audio_tokens", NONE, NONE,
        "usageMetadata.promptTokensDetails[]", NONE, NONE,
    ),
    Field(
        "usage.audio_output", "usage.completion_tokens_details.audio_tokens", NONE, NONE,
        "usageMetadata.candidatesTokensDetails[]", NONE, NONE,
    ),
    Field("usage.tier", "service_tier", "service_tier", "usage.service_tier", NONE, "serviceTier.type", NONE),
)  # fmt: skip
