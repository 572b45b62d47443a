"""Which field of a request goes where, in every protocol that Fairlead speaks: a table, held by tests. Those of replies
and of embeddings are beside it (`reply_fields`, `vector_fields`).

A place is a path into the protocol's JSON (`[]` stands for each element of a list). REFUSED is a 400 that names field
and model, because leaving it out would break a promise to the caller; LEFT_OUT is harmless: what is left out only leans
on the sampling, the speed or the price, or says twice what another field says.
"""

from typing import Final

from msgspec import Struct

REFUSED: Final = "refused"
LEFT_OUT: Final = "left out"
ADDRESS: Final = "in the address"
NONE: Final = "none"


class Field(Struct, frozen=True):
    """A field of Fairlead's own form, and its place in each protocol. `responses` is a door's, the rest are drivers'
    and, where there is a door, the door's too."""

    name: str
    chat: str
    responses: str
    anthropic: str
    google: str
    bedrock: str
    ollama: str
    note: str = ""


_PART: Final = "messages[].content[]"
_CALL: Final = "messages[].tool_calls[]"
_GEN: Final = "generationConfig"

REQUEST: Final = (
    Field("model", "model", "model", "model", ADDRESS, ADDRESS, "model"),
    Field("stream", "stream", "stream", "stream", ADDRESS, ADDRESS, "stream"),
    Field(
        "max_output", "max_completion_tokens", "max_output_tokens", "max_tokens", f"{_GEN}.maxOutputTokens",
        "inferenceConfig.maxTokens", "options.num_predict", "always sent; `max_tokens` by quirk",
    ),
    Field("choices", "n", REFUSED, REFUSED, f"{_GEN}.candidateCount", REFUSED, REFUSED),
    Field(
        "messages: system, developer", "messages[].role", "instructions", "system", "systemInstruction.parts[].text",
        "system[].text", "messages[].role", "wherever they stood",
    ),
    Field(
        "messages: content", "messages[].content", "input[].content[].text", "messages[].content",
        "contents[].parts[].text", f"{_PART}.text", "messages[].content",
    ),
    Field(
        "text.title", f"{_PART}.text", "input[].content[].text", f"{_PART}.title", "contents[].parts[].text",
        f"{_PART}.document.name", "messages[].content", "a document of text; its title goes before the text elsewhere",
    ),
    Field(
        "text.cache_control", LEFT_OUT, LEFT_OUT, f"{_PART}.cache_control", LEFT_OUT, f"{_PART}.cachePoint", LEFT_OUT,
        "by quirk in chat completions",
    ),
    Field(
        "image_url.url (data)", f"{_PART}.image_url.url", "input[].content[].image_url", f"{_PART}.source.data",
        "contents[].parts[].inlineData.data", f"{_PART}.image.source.bytes", "messages[].images[]",
    ),
    Field(
        "image_url.url (address)", f"{_PART}.image_url.url", "input[].content[].image_url", f"{_PART}.source.url",
        "contents[].parts[].fileData.fileUri", REFUSED, REFUSED,
        "refused by compatible endpoints unless `quirks.image_urls`; Fairlead fetches nothing",
    ),
    Field(
        "image_url.detail", f"{_PART}.image_url.detail", "input[].content[].detail", LEFT_OUT, LEFT_OUT, LEFT_OUT,
        LEFT_OUT,
    ),
    Field(
        "file.file_data", f"{_PART}.file.file_data", "input[].content[].file_data", f"{_PART}.source.data",
        "contents[].parts[].inlineData.data", f"{_PART}.document.source.bytes", REFUSED,
    ),
    Field(
        "file.file_url", REFUSED, "input[].content[].file_url", f"{_PART}.source.url",
        "contents[].parts[].fileData.fileUri", REFUSED, REFUSED,
    ),
    Field(
        "file.filename", f"{_PART}.file.filename", "input[].content[].filename", f"{_PART}.title", LEFT_OUT,
        f"{_PART}.document.name", REFUSED,
    ),
    Field(
        "input_audio", f"{_PART}.input_audio.data", REFUSED, REFUSED, "contents[].parts[].inlineData.data",
        f"{_PART}.audio.source.bytes", REFUSED,
    ),
    Field("name", "messages[].name", LEFT_OUT, LEFT_OUT, LEFT_OUT, LEFT_OUT, LEFT_OUT),
    Field(
        "tool_calls", f"{_CALL}.function.arguments", "input[].arguments", f"{_PART}.input",
        "contents[].parts[].functionCall.args", f"{_PART}.toolUse.input", f"{_CALL}.function.arguments",
    ),
    Field(
        "tool_calls.signature", LEFT_OUT, LEFT_OUT, LEFT_OUT, "contents[].parts[].thoughtSignature", LEFT_OUT, LEFT_OUT,
        "proves a call to the vendor that made it; only its own driver sends it back",
    ),
    Field(
        "tool_call_id", "messages[].tool_call_id", "input[].call_id", f"{_PART}.tool_use_id",
        "contents[].parts[].functionResponse.id", f"{_PART}.toolResult.toolUseId", "messages[].tool_name",
    ),
    Field(
        "images in a tool's result", REFUSED, "input[].output[].image_url", f"{_PART}.content[].source.data",
        "contents[].parts[].functionResponse.parts[].inlineData.data",
        f"{_PART}.toolResult.content[].image.source.bytes", "messages[].images[]",
    ),
    Field(
        "is_error", LEFT_OUT, LEFT_OUT, f"{_PART}.is_error", "contents[].parts[].functionResponse.response.error",
        f"{_PART}.toolResult.status", LEFT_OUT, "the result's text says so too",
    ),
    Field(
        "refusal", "messages[].refusal", "input[].content[].refusal", f"{_PART}.text", "contents[].parts[].text",
        f"{_PART}.text", "messages[].content",
    ),
    Field(
        "reasoning_content", LEFT_OUT, LEFT_OUT, LEFT_OUT, LEFT_OUT, LEFT_OUT, "messages[].thinking",
        "by `quirks.reasoning_field` in chat completions",
    ),
    Field(
        "thoughts.text, thoughts.signature", LEFT_OUT, "input[].encrypted_content", f"{_PART}.signature",
        "contents[].parts[].thoughtSignature", f"{_PART}.reasoningContent.reasoningText.signature",
        "messages[].thinking", "only to the vendor whose proof it is; Ollama takes the text",
    ),
    Field(
        "thoughts.sealed", LEFT_OUT, "input[].encrypted_content", f"{_PART}.data", LEFT_OUT,
        f"{_PART}.reasoningContent.redactedContent", LEFT_OUT, "as above",
    ),
    Field(
        "tools", "tools[].function.parameters", "tools[].parameters", "tools[].input_schema",
        "tools[].functionDeclarations[].parametersJsonSchema", "toolConfig.tools[].toolSpec.inputSchema.json",
        "tools[].function.parameters",
    ),
    Field(
        "tools.strict", "tools[].function.strict", "tools[].strict", "tools[].strict",
        "toolConfig.functionCallingConfig.mode", "toolConfig.tools[].toolSpec.strict", "tools[].function.strict",
    ),
    Field(
        "tools.cache_control", LEFT_OUT, LEFT_OUT, "tools[].cache_control", LEFT_OUT, "toolConfig.tools[].cachePoint",
        LEFT_OUT,
    ),
    Field(
        "tool_choice: auto", "tool_choice", "tool_choice", "tool_choice.type", "toolConfig.functionCallingConfig.mode",
        "toolConfig.toolChoice.auto", LEFT_OUT, "what every model does by itself",
    ),
    Field(
        "tool_choice: none", "tool_choice", "tool_choice", "tool_choice.type", "toolConfig.functionCallingConfig.mode",
        "the tools are left out", "the tools are left out", "refused by Bedrock where the messages hold calls",
    ),
    Field(
        "tool_choice: required", "tool_choice", "tool_choice", "tool_choice.type",
        "toolConfig.functionCallingConfig.mode", "toolConfig.toolChoice.any", REFUSED,
    ),
    Field(
        "tool_choice: named", "tool_choice.function.name", "tool_choice.name", "tool_choice.name",
        "toolConfig.functionCallingConfig.allowedFunctionNames", "toolConfig.toolChoice.tool.name", REFUSED,
    ),
    Field(
        "parallel_tool_calls: false", "parallel_tool_calls", "parallel_tool_calls",
        "tool_choice.disable_parallel_tool_use", REFUSED, REFUSED, REFUSED,
    ),
    Field(
        "response_format: json_object", "response_format.type", "text.format.type", REFUSED,
        f"{_GEN}.responseMimeType", REFUSED, "format",
    ),
    Field(
        "response_format: json_schema", "response_format.json_schema.schema", "text.format.schema",
        "output_config.format.schema", f"{_GEN}.responseJsonSchema",
        "outputConfig.textFormat.structure.jsonSchema.schema", "format",
    ),
    Field(
        "sampling.temperature", "temperature", "temperature", "temperature", f"{_GEN}.temperature",
        "inferenceConfig.temperature", "options.temperature",
    ),
    Field(
        "sampling.top_p", "top_p", "top_p", "top_p", f"{_GEN}.topP", "inferenceConfig.topP", "options.top_p",
    ),
    Field(
        "sampling.top_k", LEFT_OUT, LEFT_OUT, "top_k", f"{_GEN}.topK", "additionalModelRequestFields.top_k",
        "options.top_k", "by `quirks.top_k` in chat completions; on Bedrock for the families known to take it",
    ),
    Field(
        "sampling.frequency_penalty", "frequency_penalty", LEFT_OUT, LEFT_OUT, f"{_GEN}.frequencyPenalty", LEFT_OUT,
        "options.frequency_penalty",
    ),
    Field(
        "sampling.presence_penalty", "presence_penalty", LEFT_OUT, LEFT_OUT, f"{_GEN}.presencePenalty", LEFT_OUT,
        "options.presence_penalty",
    ),
    Field("sampling.seed", "seed", LEFT_OUT, LEFT_OUT, f"{_GEN}.seed", LEFT_OUT, "options.seed"),
    Field(
        "sampling.stop", "stop", REFUSED, "stop_sequences", f"{_GEN}.stopSequences", "inferenceConfig.stopSequences",
        "options.stop",
    ),
    Field("sampling.logit_bias", "logit_bias", REFUSED, REFUSED, REFUSED, REFUSED, REFUSED),
    Field("sampling.logprobs", "logprobs", "include[]", REFUSED, f"{_GEN}.responseLogprobs", REFUSED, REFUSED),
    Field("sampling.top_logprobs", "top_logprobs", "top_logprobs", REFUSED, f"{_GEN}.logprobs", REFUSED, REFUSED),
    Field(
        "sampling.reasoning_effort", "reasoning_effort", "reasoning.effort", "output_config.effort",
        f"{_GEN}.thinkingConfig.thinkingLevel", "outputConfig.effort", "think",
        "a budget of tokens for Gemini 2; as each family wants it on Bedrock",
    ),
    Field(
        "sampling.reasoning_budget", "reasoning_effort", "reasoning.effort", "thinking.budget_tokens",
        f"{_GEN}.thinkingConfig.thinkingBudget", "additionalModelRequestFields.thinking.budget_tokens", "think",
        "the nearest effort where a protocol knows only efforts",
    ),
    Field(
        "sampling.reasoning_summary", LEFT_OUT, "reasoning.summary", "thinking.display",
        f"{_GEN}.thinkingConfig.includeThoughts", LEFT_OUT, LEFT_OUT, "Messages: together with a budget or an effort",
    ),
    Field("sampling.verbosity", "verbosity", "text.verbosity", LEFT_OUT, LEFT_OUT, LEFT_OUT, LEFT_OUT),
    Field(
        "handling.service_tier", "service_tier", "service_tier", REFUSED, "serviceTier", "serviceTier.type", REFUSED,
        "`flex` and `priority`; `auto` and `default` are harmless everywhere",
    ),
    Field(
        "handling.prompt_cache_key", "prompt_cache_key", "prompt_cache_key", LEFT_OUT, LEFT_OUT, LEFT_OUT, LEFT_OUT,
    ),
    Field(
        "handling.prompt_cache_retention", "prompt_cache_retention", "prompt_cache_retention", LEFT_OUT, LEFT_OUT,
        LEFT_OUT, LEFT_OUT,
    ),
    Field(
        "handling.user", "user", "user", "metadata.user_id", LEFT_OUT, LEFT_OUT, LEFT_OUT,
        "with `identify: true` only; else a provider is not told who asks",
    ),
    Field(
        "handling.safety_identifier", "safety_identifier", "safety_identifier", "metadata.user_id", LEFT_OUT, LEFT_OUT,
        LEFT_OUT, "as above",
    ),
    Field(
        "handling.metadata", "metadata", "metadata", LEFT_OUT, "labels", "requestMetadata", LEFT_OUT, "as above",
    ),
)  # fmt: skip
