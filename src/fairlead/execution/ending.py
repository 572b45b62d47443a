"""The end of the check: rules about the whole of a reply, once all of it is there and before the last of it leaves."""

from collections.abc import Sequence

from msgspec.structs import replace

from fairlead.costs.ledger import Action
from fairlead.execution.deployment import Deployment
from fairlead.execution.prepare import Decided, asked_of
from fairlead.execution.release import Release, Reply, ReplyChoice
from fairlead.models.types import Chunk, Model
from fairlead.policy import Policy
from fairlead.policy.endings import Ending
from fairlead.policy.screen import withheld


def ended(
    deployment: Deployment, action: Action, decided: Decided, model: Model, release: Release, reply: Reply
) -> Reply:
    """The reply with what it must have. Raises `Withheld` where it is not as a rule wants it.

    Choices without text (tool calls, refusals) are not asked.
    """
    policy = deployment.policy
    endings = policy.endings(action.caller, asked_of(action, decided), model) if policy.has_endings else ()
    if not endings:
        return reply
    added = {
        choice.index: text
        for choice in reply.choices
        if choice.text and (text := _missing(policy, action, decided, model, release, choice, endings))
    }
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
    found = names | release.categories(choice.index)
    decision = policy.release(action.caller, asked_of(action, decided), model, found, {})
    for hit in decision.hits:
        appends = hit.policy in names and hit.effect == "redact"
        action.hits.add(replace(hit, effect="append") if appends else hit)
    if not decision.allowed:
        raise withheld(decision, model.name)
    return "".join(f"\n\n{each.text}" for each in unmet if each.name in decision.redact)


def _with(chunk: Chunk, added: dict[int, str]) -> Chunk:
    """The last piece of a choice has what was added."""
    return replace(chunk, text=chunk.text + added.get(chunk.index, "")) if chunk.finish else chunk
