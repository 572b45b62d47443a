"""What goes to a model: the caller's request with its context, redacted for where the model runs."""

import asyncio
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from fairlead.context import Pack, render
from fairlead.context.packing import digest_of
from fairlead.costs.ledger import Action
from fairlead.execution.insufficient import InsufficientContext
from fairlead.execution.sufficiency import NOTHING_REQUIRED, Enough
from fairlead.labels import Labels
from fairlead.models.message_text import text_of
from fairlead.models.types import ChatRequest, Message, Passage, TextPart
from fairlead.policy import Asked, Policy, Redaction
from fairlead.policy.detect import CONTENT
from fairlead.policy.pseudonyms import Pseudonyms
from fairlead.policy.types import Added, Finding, Findings, Rights
from fairlead.routing import Candidate, Plan
from fairlead.tasks.types import Task

_LARGE = 128 << 10  # bytes
_BETWEEN = "\n\n"  # what is added and the caller's own system text


class NoContext(InsufficientContext):
    """The task must be answered from the organisation's context, and none was found that this caller may read.

    Add or publish the missing knowledge under `context/`, widen its audience, or ask someone who may read it.
    """

    code = "no_context"


class Stitched(Struct, frozen=True):
    """A request with its context stitched in, what detectors found in the whole, and the labels of the whole.
    Without `pseudonyms` a mark stands for each value that must not leave."""

    request: ChatRequest
    findings: Findings
    labels: Labels
    passages: tuple[Passage, ...]
    pseudonyms: Pseudonyms | None = None


class Decided(Struct, frozen=True):
    """What the deciding stages came to."""

    asked: Stitched
    task: Task
    pack: Pack
    rights: Rights
    plan: Plan
    enough: Enough = NOTHING_REQUIRED


class Prepared(Struct, frozen=True):
    """What is sent to one candidate, and how to undo the redaction in its reply."""

    request: ChatRequest
    passages: tuple[Passage, ...]
    redaction: Redaction | None


def asked_of(action: Action, decided: Decided) -> Asked:
    """What the reply answers, for the policies that judge it."""
    return Asked(decided.task.type.name, action.arrival.door, decided.asked.labels.categories)


async def detected(policy: Policy, request: ChatRequest) -> Findings:
    """What detectors find in the request. A large one is looked at in a thread: it may take seconds, and everybody else
    would wait for it. Few are at once, so that a flood of them leaves threads to those who keep this worker alive."""
    if request.size <= _LARGE:
        return policy.detect(request)
    async with policy.large:
        return await asyncio.to_thread(policy.detect, request)


async def looked_at(policy: Policy, texts: Sequence[str]) -> dict[str, Findings]:
    """What detectors find in each text. As `detected` for what is large. Raises `Broken`."""

    def look() -> dict[str, Findings]:
        return {text: policy.detect_text(text) for text in texts}

    if sum(map(len, texts)) <= _LARGE:
        return look()
    async with policy.large:
        return await asyncio.to_thread(look)


async def stitched(
    policy: Policy, request: ChatRequest, findings: Findings, task: Task, pack: Pack, caution: str = ""
) -> Stitched:
    """The request with instructions and context in front, which have labels too. `caution` is what the model must know
    of that context."""
    if not (pack.passages or pack.voice or task.type.instructions or caution):
        return Stitched(request, findings, findings.labels.joined(pack.labels), ())
    instructions = f"{task.type.instructions.rstrip()}\n\n{caution}" if caution else task.type.instructions
    key = pack.digest or digest_of(pack), instructions
    added = policy.in_added.get(key) or await _added(policy, key, pack)
    system = added.text
    whole = replace(request, messages=_with_system(system, request.messages), size=request.size + added.size)
    found = _behind(system, added.findings, findings, begins_with_system=len(whole.messages) == len(request.messages))
    return Stitched(whole, found, found.labels.joined(pack.labels), pack.passages)


async def _added(policy: Policy, key: tuple[str, str], pack: Pack) -> Added:
    """What is added, and what detectors find in it: equal digests are equal packs, so both are worked out once."""
    system = render(pack, key[1])
    request = ChatRequest(model="", messages=[Message(role="system", content=system)], size=len(system))
    found = Added(system, len(system.encode()), await detected(policy, request))
    if policy.in_added.get(key) is None:  # another may have looked meanwhile
        policy.in_added.keep(key, found, len(system))
    return found


def _with_system(text: str, messages: list[Message]) -> list[Message]:
    # One system message: several models' chat templates accept no second one.
    if not messages or messages[0].role not in ("system", "developer"):
        return [Message(role="system", content=text), *messages]
    theirs = messages[0].content or ""
    before = text + _BETWEEN
    whole = before + theirs if isinstance(theirs, str) else [TextPart(before), *theirs]
    return [replace(messages[0], role="system", content=whole), *messages[1:]]


def _behind(system: str, own: Findings, findings: Findings, *, begins_with_system: bool) -> Findings:
    """The findings of the added system text, and those of the request where they now stand."""
    if not findings.found:
        return Findings(own.labels.joined(findings.labels), own.found)
    by = len(system) + len(_BETWEEN)

    def moved(found: Finding) -> Finding:
        if not begins_with_system:
            return found if found.message < 0 else replace(found, message=found.message + 1)
        if found.message == 0 and found.tool_call == CONTENT:
            return replace(found, start=found.start + by, end=found.end + by)
        return found

    return Findings(own.labels.joined(findings.labels), (*own.found, *map(moved, findings.found)))


def refuse_ungrounded(task: Task, pack: Pack) -> None:
    """Raises `NoContext` where the task type may only be answered from context and there is none."""
    if task.type.grounded and not pack.passages:
        raise NoContext(
            f"nothing that you may read in the organisation's context bears on this {task.type.name}",
            why=f"task type {task.type.name} is declared grounded: it is answered from context or not at all",
            mend="ask in other words, or have the owner of this knowledge add it under context/",
        )


def prepare(policy: Policy, asked: Stitched, candidate: Candidate) -> Prepared:
    """The request as this candidate may see it."""
    if not candidate.redact:
        return Prepared(asked.request, asked.passages, None)
    if candidate.model.quotes_context and asked.passages:
        return _with_passages(policy, asked, candidate)
    named = candidate.pseudonymise
    request, redaction = policy.redact(asked.request, asked.findings, candidate.redact, named, asked.pseudonyms)
    return Prepared(request, (), redaction)


def _with_passages(policy: Policy, asked: Stitched, candidate: Candidate) -> Prepared:
    """Request and passages redacted as one text, so that a placeholder stands for the same value in both."""
    count = len(asked.request.messages)
    added = [Message(role="user", content=passage.text) for passage in asked.passages]
    whole = replace(asked.request, messages=[*asked.request.messages, *added])
    named = candidate.pseudonymise
    redacted, redaction = policy.redact(whole, policy.detect(whole), candidate.redact, named, asked.pseudonyms)
    passages = tuple(
        Passage(passage.citation, passage.title, text_of(message))
        for passage, message in zip(asked.passages, redacted.messages[count:], strict=True)
    )
    return Prepared(replace(redacted, messages=redacted.messages[:count]), passages, redaction)
