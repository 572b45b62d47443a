"""What requests would do and cost, decided by the very code that would do it."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from fairlead.costs.estimates import batch, summed
from fairlead.costs.prices import upper_bound
from fairlead.costs.told import Arrival
from fairlead.costs.types import BatchEstimate, Rate
from fairlead.costs.units import Unit
from fairlead.errors import FairleadError
from fairlead.execution.answer import Quote, quote_of
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.model_call import decide
from fairlead.execution.prepare import Decided
from fairlead.identity.types import Caller
from fairlead.models.tally import likely_tokens
from fairlead.models.types import ChatRequest
from fairlead.routing.cascade import other_of, rungs

Groups = dict[tuple[str, str, bool], list[tuple[int, int]]]
"""Calls by task type and model, and by whether they are made for sure: tokens of input, and the most of output."""


class Part(Struct, frozen=True):
    """The requests of a batch that are one task type's and go to one model. Those that only may go there, where a
    cascade keeps no cheaper answer, are a part of their own, which may come to nothing."""

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
    deployment = await fairlead.caught_up()
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
    groups: Groups = {}
    refused: list[tuple[int, str]] = []
    most = 0
    for number, request in enumerate(requests, start=1):
        deployment = await fairlead.caught_up()
        try:
            async with fairlead.ledger.open(caller, arrival, deployment) as action:
                decided = await decide(fairlead, deployment, action, request)
                await action.conclude("estimated")
        except FairleadError as error:
            refused.append((number, error.message))
            continue
        most += _counted(deployment, decided, rates, groups)
    histories, deployment = await fairlead.replies.histories(), fairlead.current()
    parts = tuple(
        Part(task, model, len(of), _together(batch(of, histories.of(task, model), rates[model]), surely=surely))
        for (task, model, surely), of in groups.items()
    )
    return BatchQuote(deployment.unit, summed(part.estimate for part in parts), most, parts, tuple(refused))


def _counted(deployment: Deployment, decided: Decided, rates: dict[str, Rate], groups: Groups) -> int:
    """Put the calls that a request makes, or may make, where they belong. The most that is held for it at once."""
    request, task, cascade = decided.asked.request, decided.task.type.name, decided.task.type.cascade
    asked = rungs(decided.plan, cascade)
    beside = other_of(deployment.models, decided.plan, cascade)
    most = []
    for number, one in enumerate((*asked, *beside)):
        name = one.model.name
        rates[name] = deployment.rates[name]
        most.append(upper_bound(request.size, one.max_output, request.choices, rates[name]))
        surely = number == 0 or one in beside
        calls = groups.setdefault((task, name, surely), [])
        calls.append((likely_tokens(request.size), one.max_output * request.choices))
    return max(most[0] + sum(most[len(asked) :]), *most)


def _together(estimate: BatchEstimate, *, surely: bool) -> BatchEstimate:
    return estimate if surely else replace(estimate, low=0, likely=0)
