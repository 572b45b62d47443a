"""A CrewAI crew of two: one looks things up with tools, the other writes of what it was handed. Knows nothing of
Fairlead: OPENAI_BASE_URL, OPENAI_API_KEY and the name of a model. Prints one JSON object."""

import contextlib
import json
import os
import sys
from typing import Any

from crewai import LLM, Agent, Crew, Process, Task
from crewai.tools import tool
from pydantic import BaseModel

CALLED: list[str] = []


@tool("stock")
def stock(item: str) -> str:
    """How many of an item there are."""
    CALLED.append(f"stock {item}")
    return "there are 41"


@tool("price")
def price(item: str) -> str:
    """What an item costs."""
    CALLED.append(f"price {item}")
    return "it costs 3.50"


class Order(BaseModel):
    """An order."""

    item: str
    count: int


def crew(name: str, **more: Any) -> Crew:
    model = LLM(model=f"openai/{name}", base_url=os.environ["OPENAI_BASE_URL"], **more)
    finder = Agent(role="Clerk", goal="Look up facts", backstory="Knows the store.", llm=model, tools=[stock, price])
    writer = Agent(role="Writer", goal="Write letters", backstory="Writes to customers.", llm=model)
    look = Task(description="Look up paper.", expected_output="Facts.", agent=finder)
    write = Task(description="Write what was found.", expected_output="A letter.", agent=writer, context=[look])
    return Crew(agents=[finder, writer], tasks=[look, write], process=Process.sequential)


def structured() -> dict[str, Any]:
    model = LLM(model="openai/small", base_url=os.environ["OPENAI_BASE_URL"])
    clerk = Agent(role="Clerk", goal="Take orders", backstory="Knows the store.", llm=model)
    take = Task(description="Order 3 of paper.", expected_output="An order.", agent=clerk, output_pydantic=Order)
    found = Crew(agents=[clerk], tasks=[take]).kickoff()
    return found.pydantic.model_dump() if found.pydantic is not None else {}


def refused(name: str) -> dict[str, str]:
    """How an error looks to whoever runs the crew."""
    try:
        crew(name).kickoff()
    except Exception as error:  # noqa: BLE001 whatever the framework makes of it
        return {"kind": type(error).__name__, "said": str(error)}
    return {"kind": "", "said": ""}


def main() -> None:
    with contextlib.redirect_stdout(sys.stderr):
        done = crew("small", default_headers={"x-fairlead-work": os.environ["WORK"]}).kickoff()
        told = {
            "crew": {
                "said": done.raw,
                "found": done.tasks_output[0].raw,
                "called": sorted(CALLED),
                "tokens": done.token_usage.total_tokens,
            },
            "structured": structured(),
            "denied": refused("secret"),
        }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
