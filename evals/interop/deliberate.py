"""What passes at a server and not through Fairlead, because Fairlead means it so: by test, with the reason.

An entry is a pattern over `UPSTREAM SUITE TEST`. Whatever is lost and matches none is a fault of ours; a pattern that
matches nothing any more is told, so that the list does not outlive its reasons.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Final

_OWN_FIELD: Final = "a field of llama.cpp's own: what a door does not know is refused by name, not dropped or passed on"
_OWN_ADDRESS: Final = "an address of llama.cpp's own, not one of the protocol"
_NOT_ITS_WORDS: Final = (
    "the request is refused before it is sent, with a 4xx, where the test wants the server's own words"
)
_IGNORED: Final = (
    "the server takes it and does not heed it, so it is declared and refused; here the model did so by itself"
)
_CHAT: Final = "* llama.cpp unit.test_chat_completion::"
_MESSAGES: Final = "* llama.cpp unit.test_compat_anthropic::"
_EMBEDDING: Final = "* llama.cpp unit.test_embedding::"

REASONS: Mapping[str, str] = {
    f"{_CHAT}test_chat_completion_with_timings_per_token": _OWN_FIELD,
    f"{_CHAT}test_chat_completions_multiple_choices": _OWN_FIELD,
    f"{_CHAT}test_completion_with_grammar*": _OWN_FIELD,
    f"{_CHAT}test_completion_with_json_schema*": _OWN_FIELD,
    f"{_CHAT}test_return_progress*": _OWN_FIELD,
    f"{_CHAT}test_verbose_debug": _OWN_FIELD,
    "* llama.cpp unit.test_compat_oai_responses::test_responses_stream_with_llama_telemetry": _OWN_FIELD,
    f"{_EMBEDDING}test_embedding_content_text_same_as_string": _OWN_FIELD,
    f"{_CHAT}test_chat_completions_token_count": _OWN_ADDRESS,
    f"{_CHAT}test_logit_bias": _OWN_ADDRESS,
    f"{_MESSAGES}test_anthropic_empty_messages": "a request without messages is a 400, as the protocol has it",
    f"{_MESSAGES}test_anthropic_tool_result_with_text": "results come first in their turn, as the protocol has it",
    f"{_MESSAGES}test_anthropic_tool_result_with_image": _NOT_ITS_WORDS,
    f"{_MESSAGES}test_anthropic_vision_format_accepted": _NOT_ITS_WORDS,
    f"{_EMBEDDING}test_embedding_error_prompt_too_long": _NOT_ITS_WORDS,
    f"{_EMBEDDING}test_embedding_mixed_input*": "tokens in place of text are refused: no policy can read them",
    "* openai-other openai_other::test_completions_of_two_prompts": "several prompts are several calls, each governed",
    "llama-server anthropic anthropic_messages::test_which_stop_sequence_it_was": (
        "chat completions, by which this upstream is reached, do not say which stop text was met"
    ),
    "transformers langchain-openai *test_structured_output*": _IGNORED,
    "transformers langchain-openai *test_structured_few_shot_examples": _IGNORED,
    "transformers llama.cpp unit.test_chat_completion::test_completion_with_response_format*": _IGNORED,
    "transformers openai-chat openai_chat::test_a_parsed_reply": _IGNORED,
    "transformers openai-chat openai_chat::test_json_schema_in_a_stream": _IGNORED,
    "transformers openai-chat openai_chat::test_a_tool_that_is_named": _IGNORED,
    "transformers openai-chat openai_chat::test_a_tool_that_must_be_called*": _IGNORED,
    "transformers openai-chat openai_chat::test_one_tool_call_at_a_time": _IGNORED,
}


def reason(upstream: str, suite: str, test: str) -> str:
    """Why this test may be lost, or ""."""
    name = f"{upstream} {suite} {test}"
    return next((why for pattern, why in REASONS.items() if fnmatchcase(name, pattern)), "")


def unused(lost: Iterable[tuple[str, str, str]]) -> list[str]:
    """Patterns that none of these tests matches."""
    names = [" ".join(each) for each in lost]
    return [pattern for pattern in REASONS if not any(fnmatchcase(name, pattern) for name in names)]
