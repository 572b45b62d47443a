"""What was decided of a recorded action, made anew under one revision. Pure.

Under the revision that decided, what is made has to be what the record says: where it is not, something that decided
was not kept, and the action counts as one of which nothing can be said.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from fairlead.costs.record import Record
from fairlead.errors import Withheld
from fairlead.execution.told_policies import Told
from fairlead.labels import Labels
from fairlead.policy import Asked
from fairlead.policy.types import Decision
from fairlead.workspace.deciding_again import Again, Unknown, caller_of, labels_of

Kind = Literal["model call", "tool call", "reply", "start"]

_BEFORE: Final = ("authenticate", "classify", "stitch")
"""Stages before a decision of policies: what ended there was decided by none."""
_NO_DECISION: Final = ("stopped", "rate_limited", "overloaded")


class Made(Struct, frozen=True):
    """`effect` is `let pass`, `asked`, `refused`, `another model`, `released` or `withheld`; `detail` what is taken out
    or dropped on the way; `rules` the ids of the policies that decided."""

    effect: str
    detail: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The effect and its detail, in one line for people."""
        return f"{self.effect} ({', '.join(self.detail)})" if self.detail else self.effect


class Undecided(Struct, frozen=True):
    """It cannot be decided again, and why."""

    why: str


def is_decided(record: Record) -> bool:
    """Whether policies decided about an action at all."""
    if record.kind not in ("call_model", "call_tool") or record.outcome in ("orphaned", ""):
        return False
    if record.error is None:
        return True
    return record.error.step not in _BEFORE and record.error.code not in _NO_DECISION


def made(record: Record, told: Told | None, again: Again) -> Made | Undecided:
    """As it was decided, by the revision that decided."""
    found = decided(record, told, again)
    if isinstance(found, Undecided):
        return found
    wrong = _unlike_tool(record, found) if record.kind == "call_tool" else _unlike_model(record, found)
    return Undecided(wrong) if wrong else found


def decided(record: Record, told: Told | None, again: Again, labels: Labels | None = None) -> Made | Undecided:
    """As it would be decided. `labels` stand in for the recorded ones, where other detectors look."""
    caller, known = caller_of(record, told, again.workspace), labels or labels_of(record)
    if isinstance(caller, Unknown):
        return Undecided(caller.why)
    if isinstance(known, Unknown):
        return Undecided(known.why)
    if record.kind == "call_tool":
        return _tool(record, told, again, known)
    return _model(record, again.models(record, caller, known))


def replied(record: Record, told: Told | None, reply: str, again: Again) -> Made | Undecided:
    """Whether a reply, as its caller got it, may be released as it is."""
    caller, labels = caller_of(record, told, again.workspace), labels_of(record)
    if isinstance(caller, Unknown) or isinstance(labels, Unknown):
        return Undecided("the groups and roles of who asked were not kept")
    model = again.workspace.models.models.get(record.model)
    if model is None:
        return Undecided(f"there is no model {record.model} any more")
    asked = Asked(record.task, record.door, labels.categories)
    try:
        screen = again.workspace.policy.screen(caller, asked, model)
        out = screen.whole(reply)
    except Withheld as error:
        return Made("withheld", rules=tuple(error.policies))
    if out == reply:
        return Made("released")
    rules = tuple(dict.fromkeys(each.policy for each in screen.decision.reasons))
    return Made("released", tuple(f"without {each}" for each in sorted(screen.decision.redact)), rules)


def _model(record: Record, decisions: Mapping[str, Decision]) -> Made:
    passed_over = {name for name, by in record.dropped if by == "not asked for"}
    otherwise = {name for name, by in record.dropped if by not in ("policy", "not asked for")}
    concerned = {name: each for name, each in decisions.items() if name not in passed_over}
    dropped = tuple(sorted(f"not {name}" for name, each in concerned.items() if not each.allowed))
    if record.model:
        own = decisions.get(record.model)
        if own is not None and own.allowed:
            taken = tuple(f"without {each}" for each in sorted(own.redact))
            return Made("let pass", (*taken, *dropped), _rules([own]))
        left = [name for name, each in concerned.items() if each.allowed and name not in otherwise]
        rules = ("(there is no such model)",) if own is None else _rules([own])
        return Made("another model" if left else "refused", dropped, rules)
    allowed = [each for each in concerned.values() if each.allowed]
    return Made("let pass" if allowed else "refused", dropped, _rules(allowed or list(concerned.values())))


def _tool(record: Record, told: Told | None, again: Again, labels: Labels) -> Made | Undecided:
    if told is None or told.call is None:
        return Undecided("the arguments of the call were not kept")
    decision = again.tool(record, told, labels, frozenset())
    if isinstance(decision, Unknown):
        return Undecided(decision.why)
    effect = {"allow": "let pass", "ask": "asked", "deny": "refused"}[decision.effect]
    rules = _rules([decision]) or tuple(decision.errors)
    return Made(effect, tuple(sorted(decision.ask)), rules)


def _unlike_model(record: Record, found: Made) -> str:
    recorded = {f"not {name}" for name, by in record.dropped if by == "policy"}
    otherwise = {f"not {name}" for name, by in record.dropped if by != "policy"}
    dropped = {each for each in found.detail if each.startswith("not ")}
    taken = tuple(each.removeprefix("without ") for each in found.detail if each.startswith("without "))
    denied = record.error is not None and record.error.code == "denied"
    if record.model and (found.effect != "let pass" or taken != record.redacted):
        return f"under its own revision it comes out as {found.shown}, and {record.model} was asked"
    if not record.model and denied and found.effect != "refused":
        return "it was refused, and under its own revision it comes out as let pass"
    if record.dropped and (not recorded <= dropped or dropped - recorded - otherwise):
        return "under its own revision other models are dropped than were"
    return ""


def _unlike_tool(record: Record, found: Made) -> str:
    code = record.error.code if record.error is not None else ""
    if record.approvals or code == "approval_pending":
        fits = found.effect == "asked"
    elif code == "denied":
        fits = found.effect in ("refused", "asked")
    else:
        fits = found.effect == "let pass"
    return "" if fits else f"under its own revision it comes out as {found.shown}, and the record says otherwise"


def _rules(decisions: list[Decision]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(reason.policy for each in decisions for reason in each.reasons))
