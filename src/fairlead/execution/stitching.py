"""The stitching stage: all that goes into the pack of one task, the pack, and whether that is enough to rest on."""

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from fairlead.context import Context, Pack
from fairlead.context.conversation import sought_in
from fairlead.context.types import NO_CONTEXT
from fairlead.costs.ledger import Action
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.doubting import doubted
from fairlead.execution.live_reading import live_pieces
from fairlead.execution.naming import pseudonyms_for
from fairlead.execution.pins import context_of
from fairlead.execution.prepare import Stitched, refuse_ungrounded, stitched
from fairlead.execution.question_embedding import asked_vector
from fairlead.execution.replaying import Gathering, encode_gathering, gathered_again
from fairlead.execution.sufficiency import NOTHING_REQUIRED, Enough, heed, resting_on, weighed
from fairlead.models.types import ChatRequest, Model
from fairlead.policy.types import Findings
from fairlead.tasks.question import earlier_questions
from fairlead.tasks.types import Task


class Known(Struct, frozen=True):
    """What the stage came to."""

    pack: Pack
    asked: Stitched
    enough: Enough


async def known_for(
    fairlead: Fairlead,
    deployment: Deployment,
    action: Action,
    request: ChatRequest,
    findings: Findings,
    task: Task,
    considered: Mapping[str, Model],
) -> Known:
    """What is known for a task that one of these models may be asked to do. Raises `InsufficientContext` where that is
    too little to rest on."""
    context = await context_of(fairlead, deployment, action)
    pack = action.pack = await packed(fairlead, deployment, context, action, task, request, considered)
    enough = NOTHING_REQUIRED
    if task.type.requires:
        enough = weighed(fairlead, deployment, context, action, task, pack)
    if task.type.answerable:
        enough = await doubted(task, pack, enough, context.reader)
    asked = await stitched(deployment.policy, request, findings, task, pack, enough.caution)
    action.labels = asked.labels
    if deployment.policy.pseudonymises & asked.labels.categories:
        asked = replace(asked, pseudonyms=pseudonyms_for(action))
    if enough.standings:
        await heed(fairlead, action, task, enough)
    refuse_ungrounded(task, pack)
    return Known(pack, asked, enough)


async def packed(
    fairlead: Fairlead,
    deployment: Deployment,
    context: Context,
    action: Action,
    task: Task,
    request: ChatRequest,
    considered: Mapping[str, Model],
) -> Pack:
    """The pack for a task. Raises `NoContext` where a required live source was asked in vain."""
    if not task.type.context:
        return NO_CONTEXT
    live = await live_pieces(fairlead, deployment, action, task, request) if task.type.live else ()
    required = resting_on(deployment, context, action, task) if task.type.requires else ()
    earlier, asked = tuple(earlier_questions(request)), None
    if deployment.vectors is not None:
        sought = sought_in(task.question, earlier)
        asked = await asked_vector(fairlead, deployment, context, action, task, sought, request.labels)
    gathering = Gathering(
        question=task.question,
        earlier=earlier,
        required=tuple(required),
        live=tuple(live),
        measure=fairlead.tokens.measure(considered),
        day=datetime.fromtimestamp(action.at / 1000, UTC).date().isoformat(),
        caller=action.caller,
        asked=asked,
    )
    pack = await action.trace.timed(gathered_again(context, deployment.policy, task.type, gathering))
    if pack.digest and action.keeps:
        action.gathered = encode_gathering(gathering)
    return pack
