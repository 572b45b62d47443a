"""What a tool's call is made of: the request as a door gives it, what the stages make of it, and the answer."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from fairlead.costs.ledger import Action
from fairlead.costs.units import Unit
from fairlead.errors import BadInput, closest
from fairlead.execution.attested import links_of
from fairlead.execution.deployment import Deployment
from fairlead.execution.prepare import looked_at
from fairlead.labels import NO_LABELS, Labels
from fairlead.policy.tool_rights import UNKNOWN, Sources, ToolAsked
from fairlead.storage.types import Kept
from fairlead.tasks.types import Task
from fairlead.tools.nesting import MOST_LEVELS, is_too_deep
from fairlead.tools.systems import System
from fairlead.tools.talk import Talk
from fairlead.tools.types import Credential, Tool, ToolResult

_MOST_BYTES: Final = 1 << 20  # of arguments
_encoder = msgspec.json.Encoder(order="sorted")


class ToolRequest(Struct, frozen=True, kw_only=True):
    """A call of `system.tool`. `sources` say where each argument came from, by its name; one of which nothing is said
    is "unknown". `read` is what whoever wrote the arguments had read before, `labels` those of what they hold.

    `links` are the sources of the links, addresses and account numbers in the texts of arguments, where that is known.
    With the name of a `flow`, what is kept under it says where they came from, and nobody else; `said` is what the
    person has said since, as their agent tells it. `talk` is what can be said to the program that calls while the call
    is under way. `unread` is a call of which its agent gets nothing to read.
    """

    name: str
    arguments: Mapping[str, Any]
    sources: Mapping[str, Sources] = {}
    read: Sources = frozenset()
    labels: Labels = NO_LABELS
    links: Mapping[str, Sources] | None = None
    flow: str | None = None
    said: tuple[str, ...] = ()
    talk: Talk | None = None
    unread: bool = False

    @property
    def answers(self) -> Mapping[str, Any]:
        """What the caller's program answers to what the system asked in place of a result."""
        return self.talk.answers if self.talk is not None else {}

    @property
    def digest(self) -> str:
        """The SHA-256 of the tool's name and the exact arguments, in hexadecimal: what an approval is bound to."""
        return digest_of(self.name, self.arguments, self.answers, self.state)

    @property
    def state(self) -> str | None:
        """What the system wants to hear again with those answers."""
        return self.talk.state if self.talk is not None else None


class ToolDecided(Struct, frozen=True):
    """What the deciding stages came to. `approvals` are the ids of those it rests on."""

    system: System
    asked: ToolAsked
    credential: Credential
    approvals: tuple[str, ...]
    talk: Talk | None = None


class ToolAnswer(Struct, frozen=True, kw_only=True):
    """A settled call. `cost` is in nano-units of money, and told in `unit`. `source` is what values taken from the
    result come from, `origins` where they came from before, `labels` what was found in it; a result is data, whatever
    it says."""

    run: str
    revision: str
    tool: str
    result: ToolResult
    labels: Labels
    source: str
    cost: int
    unit: Unit
    credential: str
    origins: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    warned: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()


RememberCall = Callable[[ToolAnswer], Kept]
"""Makes of a call's answer what is to be kept with its bill."""


def digest_of(
    name: str, arguments: Mapping[str, Any], answers: Mapping[str, Any] | None = None, state: str | None = None
) -> str:
    """The SHA-256 of a very call, with what goes with it where it goes on after a question."""
    whole: tuple[Any, ...] = (name, arguments, answers) if answers else (name, arguments)
    if state is not None:
        whole = (name, arguments, answers or {}, state)
    return hashlib.sha256(_encoder.encode(whole)).hexdigest()


async def asked_of(deployment: Deployment, action: Action, tool: Tool, request: ToolRequest) -> ToolAsked:
    """The call as policies will see it, its arguments checked and labelled. Raises `BadInput`, `Broken`."""
    deployment.systems.checkers[tool.name].check(request.arguments)
    answers = request.answers
    encoded = _encoder.encode([request.arguments, answers] if answers else request.arguments)
    if len(encoded) > _MOST_BYTES:
        raise BadInput(
            f"the arguments are {len(encoded)} bytes",
            why=f"{_MOST_BYTES} are the most",
            mend="pass large data by reference, such as a file's name",
            param="arguments",
        )
    if stray := sorted(set(request.sources) - set(request.arguments)):
        raise BadInput(
            f"sources name {stray[0]!r}, which is no argument of this call",
            why="a source that belongs to nothing may have been meant for another argument",
            mend=closest(stray[0], request.arguments) or "name the arguments of this very call",
            param="sources",
        )
    text = encoded.decode()
    findings = (await looked_at(deployment.policy, [text]))[text]
    labels = action.labels = findings.labels.joined(request.labels)
    task = action.task = Task(type=deployment.tasks.default, labels=labels, question="")
    return ToolAsked(
        tool=tool,
        arguments=request.arguments,
        answers=answers,
        state=request.state,
        sources={name: request.sources.get(name, UNKNOWN) for name in request.arguments},
        labels=labels,
        read=request.read,
        links=_links(request) if deployment.policy.tools.reads_links else {},
        task=task.type.name,
        door=action.arrival.door,
    )


def refuse_unfit(request: ToolRequest) -> None:
    """Raises `BadInput` for arguments and answers that nobody can look through, or that are no data."""
    for name, value in (("arguments", request.arguments), ("answers", request.answers)):
        if is_too_deep(value):
            raise BadInput(
                f"the {name} are nested deeper than {MOST_LEVELS} levels",
                why="what nobody can look through is not sent",
                mend="send flatter data",
                param=name,
            )
    try:
        _encoder.encode((request.arguments, request.answers))
    except (TypeError, ValueError, OverflowError) as error:
        raise BadInput(
            "the arguments are no data that can be sent",
            why=str(error)[:200],
            mend="send texts, numbers, lists and objects; a text is made of whole characters",
            param="arguments",
        ) from None


def _links(request: ToolRequest) -> Mapping[str, Sources]:
    """Of links of which nothing else is known, what is known of the whole argument."""
    if request.links is not None:
        return request.links
    return {
        name: request.sources.get(name, UNKNOWN) for name, value in request.arguments.items() if any(links_of(value))
    }


def answer_of(
    deployment: Deployment, action: Action, decided: ToolDecided, result: ToolResult, labels: Labels
) -> ToolAnswer:
    """The answer of a settled call."""
    tool = decided.asked.tool
    return ToolAnswer(
        run=action.run,
        revision=deployment.revision,
        tool=tool.name,
        result=result,
        labels=labels,
        source=f"tool:{tool.name}",
        cost=action.cost,
        unit=deployment.unit,
        credential=decided.credential.kind,
        origins=tuple(sorted({source for each in result.origins for source in each.sources})),
        approvals=decided.approvals,
        warned=tuple(sorted({(each.policy, each.text) for each in action.hits if each.mode == "warn"})),
        flags=tuple(action.flags),
    )
