"""What requests would do and cost, decided by the very code that would do it."""

from collections.abc import Iterable

from msgspec import Struct

from fairlead.costs.estimates import batch, summed
from fairlead.costs.prices import upper_bound
from fairlead.costs.told import Arrival
from fairlead.costs.types import BatchEstimate, Rate
from fairlead.costs.units import Unit
from fairlead.errors import FairleadError
from fairlead.execution.answer import Quote, quote_of
from fairlead.execution.deployment import Fairlead
from fairlead.execution.model_call import decide
from fairlead.identity.types import Caller
from fairlead.models.tally import likely_tokens
from fairlead.models.types import ChatRequest


class Part(Struct, frozen=True):
    """The requests of a batch that are one task type's and go to one model."""

    task: str
    model: str
    requests: int
    estimate: BatchEstimate


class BatchQuote(Struct, frozen=True):
    """What several requests would cost together, each with the model that would be tried first. `most` is what would be
    held if all ran at once. `refused` are the numbers of those that would be refused, with why."""

    unit: Unit
    whole: BatchEstimate
    most: int
    parts: tuple[Part, ...]
    refused: tuple[tuple[int, str], ...]


async def quote(fairlead: Fairlead, caller: Caller, request: ChatRequest, arrival: Arrival) -> Quote:
    """What `call_model` would do and cost, for every candidate, without doing it. Recorded, never billed."""
    deployment = fairlead.current()
    async with fairlead.ledger.open(caller, arrival, deployment) as action:
        decided = await decide(fairlead, deployment, action, request)
        await action.conclude("estimated")
    return quote_of(deployment, action, decided, await fairlead.replies.histories())


async def quote_batch(
    fairlead: Fairlead, caller: Caller, requests: Iterable[ChatRequest], arrival: Arrival
) -> BatchQuote:
    """What many requests would cost together. Each is decided, and recorded, like one that is asked for alone; it
    counts at the price under which it was decided, also where its model goes while the others are."""
    rates: dict[str, Rate] = {}
    groups: dict[tuple[str, str], list[tuple[int, int]]] = {}
    refused: list[tuple[int, str]] = []
    most = 0
    for number, request in enumerate(requests, start=1):
        deployment = fairlead.current()
        try:
            async with fairlead.ledger.open(caller, arrival, deployment) as action:
                decided = await decide(fairlead, deployment, action, request)
                await action.conclude("estimated")
        except FairleadError as error:
            refused.append((number, error.message))
            continue
        first, asked = decided.plan.candidates[0], decided.asked.request
        limit = first.max_output * asked.choices
        rates[first.model.name] = rate = deployment.rates[first.model.name]
        most += upper_bound(asked.size, first.max_output, asked.choices, rate)
        found = groups.setdefault((decided.task.type.name, first.model.name), [])
        found.append((likely_tokens(asked.size), limit))
    histories, deployment = await fairlead.replies.histories(), fairlead.current()
    parts = tuple(
        Part(task, model, len(of), batch(of, histories.of(task, model), rates[model]))
        for (task, model), of in groups.items()
    )
    return BatchQuote(deployment.unit, summed(part.estimate for part in parts), most, parts, tuple(refused))
