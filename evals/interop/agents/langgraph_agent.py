"""A LangGraph agent with two tools. Knows nothing of Fairlead: OPENAI_BASE_URL, OPENAI_API_KEY and the name of a model.

Prints one JSON object: what each thing that it does came to.
"""

import asyncio
import json
import os
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

try:
    from langchain.agents import create_agent
except ImportError:
    from langgraph.prebuilt import create_react_agent as create_agent

CALLED: list[str] = []
QUESTION = {"messages": [("user", "How much of paper is there, and what does it cost?")]}


@tool
def stock(item: str) -> str:
    """How many of an item there are."""
    CALLED.append(f"stock {item}")
    return "there are 41"


@tool
def price(item: str) -> str:
    """What an item costs."""
    CALLED.append(f"price {item}")
    return "it costs 3.50"


class Order(BaseModel):
    """An order."""

    item: str
    count: int


def model(name: str = "small", **more: Any) -> ChatOpenAI:
    return ChatOpenAI(model=name, max_retries=0, **more)


def said(messages: list[BaseMessage]) -> str:
    return str(messages[-1].text if not callable(messages[-1].text) else messages[-1].text())


def answered(**more: Any) -> dict[str, Any]:
    """The agent's answer, and the tools that it called for it."""
    CALLED.clear()
    found = create_agent(model(**more), [stock, price]).invoke(QUESTION)["messages"]
    return {"said": said(found), "called": sorted(CALLED), "tokens": found[-1].usage_metadata["total_tokens"]}


async def streamed() -> dict[str, Any]:
    CALLED.clear()
    pieces = []
    agent = create_agent(model(), [stock, price])
    async for piece, _ in agent.astream(QUESTION, stream_mode="messages"):
        if piece.type == "AIMessageChunk" and isinstance(piece.content, str) and piece.content:
            pieces.append(piece.content)
    return {"said": "".join(pieces), "pieces": len(pieces), "called": sorted(CALLED)}


def refused(name: str) -> dict[str, str]:
    """How an error looks to whoever runs the agent; `body` is what its client keeps of the answer (since openai 3 the
    text of an error is the message alone)."""
    try:
        create_agent(model(name), [stock]).invoke(QUESTION)
    except Exception as error:  # noqa: BLE001 whatever the framework makes of it
        return {"kind": type(error).__name__, "said": str(error), "body": str(getattr(error, "body", ""))}
    return {"kind": "", "said": "", "body": ""}


def structured() -> dict[str, Any]:
    found = model().with_structured_output(Order).invoke("Order 3 of paper.")
    return found.model_dump()


def main() -> None:
    work = {"x-fairlead-work": os.environ["WORK"], "x-fairlead-flow": os.environ["WORK"]}
    told = {
        "agent": answered(),
        "stream": asyncio.run(streamed()),
        "responses": answered(use_responses_api=True),
        "work": answered(default_headers=work),
        "structured": structured(),
        "denied": refused("secret"),
        "unknown": refused("none-such"),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
