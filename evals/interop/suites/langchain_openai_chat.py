"""LangChain's standard tests of chat models, for `ChatOpenAI`."""

import os
from typing import Any

from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests


class TestChatOpenAI(ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[ChatOpenAI]:
        return ChatOpenAI

    @property
    def has_tool_choice(self) -> bool:
        return os.environ["INTEROP_FORCES_TOOLS"] == "yes"

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {
            "base_url": f"{os.environ['INTEROP_URL']}/v1",
            "model": os.environ["INTEROP_MODEL"],
            "api_key": "dummy",
            "temperature": 0,
            "max_tokens": 200,
            "max_retries": 0,
            "stream_usage": True,
        }

    @property
    def supports_json_mode(self) -> bool:
        return True
