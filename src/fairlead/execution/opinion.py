"""Another opinion: a second cheap model is asked the same at the same time, as a governed call of its own.

Its answer is compared and never given. What it is asked has the context of the first in it already; where it may not
have that, or cannot pay for it, there is no agreement.
"""

import asyncio

import msgspec
from msgspec.structs import replace

from fairlead.costs.ledger import Action
from fairlead.costs.told import Arrival, Checked, Judged
from fairlead.errors import FairleadError
from fairlead.execution.answer import Answer
from fairlead.execution.attempts import seconds_left
from fairlead.execution.choices import Reply, ReplyChoice
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.judging import DOOR, Ask
from fairlead.execution.prepare import Decided
from fairlead.routing.agreement import Said, agree
from fairlead.tasks.types import TaskType

_RULE = "agreement"


class Opinion:
    """Begins at once. To be closed whatever happens: what it cost by then counts to the action."""

    def __init__(self, ask: Ask, fairlead: Fairlead, deployment: Deployment, action: Action, decided: Decided) -> None:
        cascade, kind, asked = decided.task.type.cascade, decided.task.type, decided.asked
        assert cascade is not None
        self._cascade = cascade
        self._action = action
        self._cost = 0
        self._told = False
        left = seconds_left(deployment, action, decided)
        request = replace(
            asked.request, model=cascade.other, labels=asked.labels, choices=1, stream=False, handling=None
        )
        arrival = Arrival(
            door=DOOR,
            body=msgspec.json.encode(request),
            deadline=left,
            judges=action.run,
            task=TaskType(name=kind.name, deadline=left, max_output=kind.max_output),
            asks=False,
            keep=action.arrival.keep,
            workflow=action.arrival.workflow,
            billed=self._billed,
        )
        self._asked = asyncio.ensure_future(ask(fairlead, action.caller, request, arrival))

    def _billed(self, cost: int) -> None:
        self._cost = cost

    async def of(self, reply: Reply) -> Checked:
        """Whether it says the same as each choice of the reply."""
        other = self._cascade.other
        try:
            answer = await self._asked
        except FairleadError as error:
            self._tell(error.run, "unjudged")
            return Checked(_RULE, False, error.code, f"{other} could not be asked whether it agrees ({error.code})")
        theirs = _said(answer.reply.choices[0]) if answer.reply.choices else Said("")
        same = all(agree(_said(choice), theirs, self._cascade.likeness) for choice in reply.choices)
        self._tell(answer.run, "passed" if same else "failed")
        return Checked(_RULE, same, "" if same else "differs", "" if same else f"{other} does not say the same")

    def _tell(self, run: str, verdict: str) -> None:
        # Its cost is part of the action's: it stands nowhere beside it.
        self._told = True
        self._action.judged.append(Judged(_RULE, run, verdict, None, quiet=False))

    async def close(self) -> None:
        """End it where nobody waits for it any more, and count what it came to."""
        if not self._asked.done():
            self._asked.cancel()
            with self._action.trace.waiting():
                await asyncio.wait([self._asked])
        self._action.cost += self._cost
        if not self._told:
            self._tell(_run_of(self._asked), "unjudged")


def _run_of(asked: "asyncio.Future[Answer]") -> str:
    """The run of one that nobody asked for its answer, "" where that is not known."""
    if asked.cancelled():
        return ""
    error = asked.exception()
    return error.run if isinstance(error, FairleadError) else "" if error is not None else asked.result().run


def _said(choice: ReplyChoice) -> Said:
    return Said(choice.text, tuple((call.function.name, call.function.arguments) for call in choice.tool_calls))
