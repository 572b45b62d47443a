"""The end of the check: rules about the whole of a reply, once all of it is there and before the last of it leaves."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from fairlead.costs.ledger import Action
from fairlead.execution.choices import Reply, ReplyChoice
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.execution.judging import Ask, judged
from fairlead.execution.prepare import Decided, asked_of
from fairlead.execution.release import Release
from fairlead.execution.stopping import refuse_ended
from fairlead.models.types import Chunk, Model
from fairlead.policy import Policy
from fairlead.policy.endings import Ending
from fairlead.policy.screen import withheld
from fairlead.policy.types import Decision


async def ended(
    ask: Ask, fairlead: Fairlead, deployment: Deployment, action: Action, decided: Decided, release: Release
) -> Reply:
    """The reply with what it must have. Raises `Withheld` where it is not as a rule wants it, `Stopped` where a stop
    came while a judge was asked.

    Choices without text (tool calls, refusals) are not asked, nor is what a judge says.
    """
    return await finished(ask, fairlead, deployment, action, decided, release, release.check())


async def finished(
    ask: Ask,
    fairlead: Fairlead,
    deployment: Deployment,
    action: Action,
    decided: Decided,
    release: Release,
    reply: Reply,
) -> Reply:
    """As `ended`, of a reply that the release has checked."""
    reply = await _ruled(ask, fairlead, deployment, action, decided, release, reply)
    return _cautioned(decided, release, reply) if decided.enough.notes else reply


async def _ruled(
    ask: Ask,
    fairlead: Fairlead,
    deployment: Deployment,
    action: Action,
    decided: Decided,
    release: Release,
    reply: Reply,
) -> Reply:
    policy, model = deployment.policy, release.model
    if not policy.has_endings or action.arrival.judges or model is None:
        return reply
    endings = policy.endings(action.caller, asked_of(action, decided), model)
    if not endings:
        return reply
    added = {
        choice.index: text
        for choice in reply.choices
        if choice.text and (text := _missing(policy, action, decided, model, release, choice, endings))
    }
    judges = [each for each in endings if each.question is not None]
    if judges:
        await _judge(ask, fairlead, policy, action, decided, model, release, reply, judges)
    return _appended(release, reply, added)


def _cautioned(decided: Decided, release: Release, reply: Reply) -> Reply:
    """The reply with what its reader must know of what it rests on: behind texts for people, and not where a program
    reads them (tool calls, JSON)."""
    wanted = decided.asked.request.response_format
    if (wanted is not None and wanted.type != "text") or decided.task.type.extracts:
        return reply
    note = "".join(f"\n\nPlease note: {each}." for each in decided.enough.notes)
    return _appended(release, reply, {each.index: note for each in reply.choices if each.text and not each.tool_calls})


def _appended(release: Release, reply: Reply, added: Mapping[int, str]) -> Reply:
    if not added:
        return reply
    for index, text in added.items():
        release.append(index, text)
    choices = [replace(each, text=each.text + added.get(each.index, "")) for each in reply.choices]
    return replace(reply, choices=tuple(choices), tail=tuple(_with(each, added) for each in reply.tail))


def _missing(
    policy: Policy,
    action: Action,
    decided: Decided,
    model: Model,
    release: Release,
    choice: ReplyChoice,
    endings: Sequence[Ending],
) -> str:
    """What must be added to a choice."""
    unmet = [each for each in endings if not each.is_met(choice.text, decided.pack.passages)]
    if not unmet:
        return ""
    names = frozenset(each.name for each in unmet)
    decision = policy.release(
        action.caller, asked_of(action, decided), model, names | release.categories(choice.index), {}
    )
    for hit in decision.hits:
        appends = hit.policy in names and hit.effect == "redact"
        action.hits.add(replace(hit, effect="append") if appends else hit)
    if not decision.allowed:
        raise withheld(decision, model.name)
    return "".join(f"\n\n{each.text}" for each in unmet if each.name in decision.redact)


async def _judge(
    ask: Ask,
    fairlead: Fairlead,
    policy: Policy,
    action: Action,
    decided: Decided,
    model: Model,
    release: Release,
    reply: Reply,
    judges: Sequence[Ending],
) -> None:
    """Put each choice before each judge, one after the other: the first that keeps it back spares the others."""
    for choice in [each for each in reply.choices if each.text]:
        for rule in judges:
            question = rule.question
            assert question is not None
            said = await judged(ask, fairlead, action, decided, rule, question, choice.text)
            if said == "passed" or (said != "failed" and question.on_error == "allow"):
                continue
            found = release.categories(choice.index) | {rule.name}
            decision = policy.release(action.caller, asked_of(action, decided), model, found, {})
            action.hits.update(decision.hits)
            if not decision.allowed:
                raise _kept_back(decision, model, rule, said)
    refuse_ended(fairlead, action, model)


def _kept_back(decision: Decision, model: Model, rule: Ending, said: str) -> Exception:
    error = withheld(decision, model.name)
    if said != "failed":
        error.why += f"; {rule.name} could not be judged ({said})"
    return error


def _with(chunk: Chunk, added: Mapping[int, str]) -> Chunk:
    """The last piece of a choice has what was added."""
    return replace(chunk, text=chunk.text + added.get(chunk.index, "")) if chunk.finish else chunk
