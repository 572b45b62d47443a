"""What was decided of an action that was recorded, and what another revision would have decided of it."""

from collections.abc import Iterator

from fairlead.context.catalogue import Catalogue
from fairlead.costs.record import Record
from fairlead.execution.told_policies import Told
from fairlead.policy.types import Decision
from fairlead.workspace.deciding_again import Again, Unknown, caller_of, differing_rules, labels_of


def verdict(again: Again, record: Record, told: Told | None) -> tuple[str, tuple[str, ...]] | None:
    """What is decided of an action, and by which policies; None where that cannot be known."""
    caller, labels = caller_of(record, told, again.workspace), labels_of(record)
    if isinstance(caller, Unknown) or isinstance(labels, Unknown):
        return None
    if record.kind == "call_tool":
        if told is None or told.call is None:
            return None
        decision = again.tool(record, told, labels, frozenset())
        return (
            None
            if isinstance(decision, Unknown)
            else (decision.effect, tuple(each.policy for each in decision.reasons))
        )
    decisions = again.models(record, caller, labels)
    asked = {name for name, by in record.dropped if by == "not asked for"}
    concerned = {name: each for name, each in decisions.items() if name not in asked}
    rules = tuple(dict.fromkeys(reason.policy for each in concerned.values() for reason in each.reasons))
    return ", ".join(_said(name, each) for name, each in sorted(concerned.items())), rules


def let_go(before: Again, record: Record, told: Told | None) -> str:
    """Whether a tool's result or a reply that was withheld would not have been under another revision: what it was
    then."""
    if record.error is None or record.error.code != "withheld":
        return ""
    if record.kind == "call_tool":
        decision = before.result(record, told) if told is not None else None
    else:
        caller = caller_of(record, told, before.workspace)
        decision = None if isinstance(caller, Unknown) else before.reply(record, caller)
    return "" if decision is None or not decision.allowed else "let go"


def unread(
    before: Again, after: Again, record: Record, told: Told | None, catalogue: Catalogue
) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """The items of a catalogue that might be read under one revision and not under another, each with its version and
    the rules that made the difference."""
    was, now = (caller_of(record, told, each.workspace) for each in (before, after))
    if isinstance(was, Unknown) or isinstance(now, Unknown):
        return
    might, may = before.workspace.policy.may_read(was), after.workspace.policy.may_read(now)
    for entry in catalogue.entries:
        access = catalogue.access_of(entry)
        if might(access) and not may(access):
            decision = after.workspace.policy.reading.decision(now, access)
            rules = differing_rules(before, after, (each.policy for each in decision.reasons))
            if rules:
                yield entry.id, entry.version, rules


def _said(name: str, decision: Decision) -> str:
    taken = f" without {', '.join(sorted(decision.redact))}" if decision.redact else ""
    return f"{name} {decision.effect}{taken}"
