"""What a request would do and cost, decided by the very code that would do it."""

from fairlead.costs.told import Arrival
from fairlead.execution.answer import Quote, quote_of
from fairlead.execution.deployment import Fairlead
from fairlead.execution.model_call import decide
from fairlead.identity.types import Caller
from fairlead.models.types import ChatRequest


async def quote(fairlead: Fairlead, caller: Caller, request: ChatRequest, arrival: Arrival) -> Quote:
    """What `call_model` would do and cost, for every candidate, without doing it. Recorded, never billed."""
    deployment = fairlead.current()
    async with fairlead.ledger.open(caller, arrival, deployment) as action:
        decided = await decide(fairlead, deployment, action, request)
        await action.conclude("estimated")
    return quote_of(deployment, action, decided)
