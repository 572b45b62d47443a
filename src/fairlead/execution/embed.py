"""The governed path of an embedding: the stages of a model call, with the same ledger, record and policies.

Skipped are what only a chat has: no context is stitched in, and no examples decide the task type, which the request
names or the workspace declares. Policies see the action `call_model`, because that is what happens: text goes to a
model. They can tell it by `context.door`.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from fairlead.context.types import NO_CONTEXT
from fairlead.costs.ledger import Action
from fairlead.costs.told import Arrival
from fairlead.errors import Upstream
from fairlead.execution.answer import Answer, Quote, answer_of, quote_of
from fairlead.execution.at_cap import reserved
from fairlead.execution.attempts import tried
from fairlead.execution.balancing import arranging, within_minutes
from fairlead.execution.choices import Reply
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.planning import watched
from fairlead.execution.prepare import Decided, Stitched, asked_of, detected, prepare
from fairlead.execution.stopping import refuse_stopped, stopped_models
from fairlead.execution.turn import taken_in_turn
from fairlead.execution.vectors import Vectors, batches
from fairlead.identity.types import Caller
from fairlead.models.embedding import EmbedCall, EmbedRequest
from fairlead.models.message_text import text_of
from fairlead.models.tally import size_of
from fairlead.models.types import ChatRequest, Message
from fairlead.routing import Candidate, candidates_for, plan_embedding, why_none
from fairlead.tasks.types import Task


class Embedded(Struct, frozen=True):
    """A settled action, and a vector for each text in the order of the request."""

    answer: Answer
    vectors: list[list[float]]


Keep = Callable[[list[list[float]]], Awaitable[None]]


async def embed(
    fairlead: Fairlead, caller: Caller, request: EmbedRequest, arrival: Arrival, keep: Keep | None = None
) -> Embedded:
    """Embed texts for a caller: permitted, priced and recorded.

    What `keep` does with the vectors is done while their price is held: whoever dies before the bill has them, and is
    billed what was held. Raises `Refused`, `Upstream` or `BadInput`; whatever is raised has been recorded.
    """
    deployment = await fairlead.caught_up()
    async with fairlead.ledger.open(caller, arrival, deployment) as action:
        decided = await decide_embedding(fairlead, deployment, action, request)
        decided = await taken_in_turn(fairlead, deployment, action, decided)
        with action.step("reserve"):
            decided = await reserved(fairlead, deployment, action, decided)
        vectors = Vectors(request.dimensions)
        with action.step("attempt"):
            send = partial(_once, deployment, action, decided, request, vectors)
            model = await tried(fairlead, deployment, action, decided, vectors, send)
        with action.step("check"):
            deployment.policy.screen(caller, asked_of(action, decided), model).whole("")
            if keep is not None:
                await keep(vectors.values)
        with action.step("settle"):
            usage = vectors.usage_so_far()
            await action.settle(usage)
    return Embedded(answer_of(deployment, action, decided, model, Reply(choices=(), usage=usage)), vectors.values)


async def decide_embedding(
    fairlead: Fairlead, deployment: Deployment, action: Action, request: EmbedRequest
) -> Decided:
    """The stages that only decide. Estimates are made by these very lines.

    Raises `Stopped`, `Denied`, `NoCandidate`, `Unpriced` or `NotFound` when nothing may or can answer.
    """
    if deployment.stops is not None:
        refuse_stopped(deployment, action)
    policy, embedders, tasks = deployment.policy, deployment.embedders, deployment.tasks
    name = deployment.aliases.get(request.model, request.model)
    messages = [Message("user", text) for text in request.texts]
    asked = ChatRequest(model=name, messages=messages, size=request.size, labels=request.labels)
    with action.step("classify"):
        findings = await detected(policy, asked)
        kind = action.arrival.task or tasks.types.get(name, tasks.default)
        task = action.task = Task(type=kind, labels=findings.labels, question="")
    with action.step("stitch"):
        action.labels = findings.labels  # nothing is added: a vector of text and context would be of neither
    with action.step("authorize"):
        others = (*deployment.models, *deployment.groups)
        considered = candidates_for(
            name, embedders.models, tasks.names, deployment.preferences, embedders.groups, others
        )
        rights = action.rights = policy.authorize(
            action.caller, task, findings.labels, tuple(considered.values()), action.arrival.door
        )
    with action.step("plan"):
        key, arrange = arranging(fairlead, deployment, action, asked, rights)
        plan = action.plan = plan_embedding(
            task,
            replace(asked, size=max(map(size_of, request.texts))),
            embedders,
            rights.decisions,
            dimensions=request.dimensions,
            preferences=deployment.preferences,
            rates=deployment.rates,
            health=fairlead.health.reason,
            unavailable=deployment.unavailable,
            key=key,
            arrange=arrange,
            stopped=stopped_models(deployment, embedders.models, action.at),
        )
        if deployment.shares:
            plan = action.plan = within_minutes(fairlead, action, plan, asked)
        if policy.watches:
            action.hits.update(watched(rights, plan))
        if not plan.candidates:
            raise why_none(plan)
    return Decided(Stitched(asked, findings, findings.labels, ()), task, NO_CONTEXT, rights, plan)


async def _once(
    deployment: Deployment,
    action: Action,
    decided: Decided,
    request: EmbedRequest,
    vectors: Vectors,
    candidate: Candidate,
    deadline: float,
) -> None:
    """One attempt: all batches at one model. Raises `Withheld` before anything is sent, if no reply may be released."""
    model = candidate.model
    prepared = prepare(deployment.policy, decided.asked, candidate)
    action.hits.update(deployment.policy.screen(action.caller, asked_of(action, decided), model).hits)
    space = model.space
    assert space is not None
    texts = [text_of(message) for message in prepared.request.messages]
    vectors.begin(model)
    action.sending(vectors)
    driver = deployment.embedders.drivers[model.endpoint]
    with action.step("call"):
        action.trace.note(model=model.name)
        for number, batch in enumerate(batches(texts, space.batch)):
            call = EmbedCall(
                model=model,
                texts=batch,
                dimensions=request.dimensions if space.shortens else None,
                purpose=request.purpose,
                user=request.user,
                deadline=deadline,
                idempotency_key=f"{action.attempt_id}.{number}" if number else action.attempt_id,
                heeds=None if action.load is None else action.load.heeds(model),
            )
            try:
                await vectors.fetch(driver, call)
            except Upstream as error:
                if vectors.values and error.charged == "no":
                    error.charged = "part"  # of what came before
                raise


async def quote_embedding(fairlead: Fairlead, caller: Caller, request: EmbedRequest, arrival: Arrival) -> Quote:
    """What `embed` would do and cost, for every candidate, without doing it. Recorded, never billed."""
    deployment = await fairlead.caught_up()
    async with fairlead.ledger.open(caller, arrival, deployment) as action:
        decided = await decide_embedding(fairlead, deployment, action, request)
        await action.conclude("estimated")
    return quote_of(deployment, action, decided, await fairlead.replies.histories())
