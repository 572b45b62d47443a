"""The stitching stage: all that goes into the pack of one task, and the pack."""

from fairlead.context import Pack
from fairlead.costs.ledger import Action
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.live_reading import live_pieces
from fairlead.models.types import ChatRequest
from fairlead.tasks.types import Task


async def packed(fairlead: Fairlead, deployment: Deployment, action: Action, task: Task, request: ChatRequest) -> Pack:
    """The pack for a task. Raises `NoContext` where a required live source was asked in vain."""
    live = await live_pieces(fairlead, deployment, action, task, request) if task.type.live else ()
    return await deployment.context.stitch(task, deployment.policy.may_read(action.caller), live)
