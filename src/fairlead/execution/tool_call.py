"""The governed path of a tool's call: the nine stages of a model's, on one screen. There is no other way to a system.

authenticate happens at the door, before there is an action: a caller without a name never gets here.
"""

from functools import partial

from fairlead.costs.told import Arrival
from fairlead.execution.deployment import Fairlead
from fairlead.execution.flow_path import put, read, refuse_forgotten, traced
from fairlead.execution.outdated import decided_anew
from fairlead.execution.stopping import refuse_stopped, refuse_stopped_system
from fairlead.execution.told_policies import encode_told
from fairlead.execution.tool_asking import (
    RememberCall,
    ToolAnswer,
    ToolDecided,
    ToolRequest,
    answer_of,
    asked_of,
    refuse_unfit,
)
from fairlead.execution.tool_attempt import attempted, count_call, reservation
from fairlead.execution.tool_credentials import credential_for
from fairlead.execution.tool_facts import facts_of
from fairlead.execution.tool_release import released
from fairlead.execution.tool_rights import refuse_unless_allowed
from fairlead.identity.types import Caller
from fairlead.models.types import NO_USAGE
from fairlead.storage.types import NewResult


@decided_anew
async def call_tool(
    fairlead: Fairlead,
    caller: Caller,
    request: ToolRequest,
    arrival: Arrival,
    remember: RememberCall | None = None,
    begins: NewResult | None = None,
) -> ToolAnswer:
    """Call a tool of a system for a caller: under their own rights, approved where that is wanted, recorded.

    What `remember` makes of the answer is kept in the commit that bills it, and `begins`, that the call was begun, in
    the one before the system is reached. Raises `Refused`, `Upstream` or `BadInput`;
    whatever is raised has been recorded, and nothing was done that the error does not tell of.
    """
    deployment = await fairlead.caught_up()
    async with fairlead.ledger.open(caller, arrival, deployment, "call_tool") as action:
        if deployment.stops is not None:
            refuse_stopped(deployment, action)
        with action.step("classify"):
            system, tool = deployment.systems.tool(request.name)
            action.tool = tool.name
            if deployment.stops is not None:
                refuse_stopped_system(deployment, action, system.name)
            refuse_unfit(request)
            request = await traced(fairlead, deployment, action, request)
            asked = await asked_of(deployment, action, tool, request)
        with action.step("stitch"):
            asked = await facts_of(call_tool, fairlead, action, system, asked)
        if action.keeps:
            action.told = encode_told(action.caller, asked)
        with action.step("authorize"):
            approvals = await refuse_unless_allowed(fairlead, deployment, action, asked)
        with action.step("plan"):
            count_call(fairlead, action, tool)
            credential = await credential_for(fairlead, deployment, action, system)
        decided = ToolDecided(system, asked, credential, approvals, request.talk)
        with action.step("reserve"):
            step = await put(fairlead, deployment, action, request, asked)
            await action.reserve_tool(reservation(deployment, action, decided), step, begins)
            refuse_forgotten(action)
        with action.step("attempt"):
            result = await attempted(fairlead, deployment, action, decided)
        with action.step("check"):
            result, labels = await released(deployment, action, decided, result)
            step = await read(fairlead, deployment, action, request, asked, result, labels)
        with action.step("settle"):
            told = partial(answer_of, deployment, action, decided, result, labels)
            await action.settle(NO_USAGE, None if remember is None else lambda: remember(told()), step)
            refuse_forgotten(action)
    return told()
