"""The same agent by the Messages protocol: ANTHROPIC_BASE_URL, ANTHROPIC_API_KEY and the name of a model."""

import json

from langchain_anthropic import ChatAnthropic
from langgraph_agent import CALLED, QUESTION, Order, create_agent, price, said, stock


def main() -> None:
    model = ChatAnthropic(model="small", max_retries=0, max_tokens=300)
    found = create_agent(model, [stock, price]).invoke(QUESTION)["messages"]
    pieces = [each.text for each in model.stream("Say it.")]
    order = model.with_structured_output(Order).invoke("Order 3 of paper.")
    told = {
        "agent": {"said": said(found), "called": sorted(CALLED)},
        "stream": "".join(each if isinstance(each, str) else each() for each in pieces),
        "structured": order.model_dump(),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
