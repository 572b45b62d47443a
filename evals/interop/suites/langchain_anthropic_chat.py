"""LangChain's standard tests of chat models, for `ChatAnthropic`."""

import os
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_tests.integration_tests import ChatModelIntegrationTests


class TestChatAnthropic(ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[ChatAnthropic]:
        return ChatAnthropic

    @property
    def has_tool_choice(self) -> bool:
        return os.environ["INTEROP_FORCES_TOOLS"] == "yes"

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "base_url": os.environ["INTEROP_URL"],
            "model": os.environ["INTEROP_MODEL"],
            "api_key": "dummy",
            "temperature": 0,
            "max_tokens": 200,
            "max_retries": 0,
        }
