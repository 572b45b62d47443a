"""How actions end, and by whose decision: the pure part of the ledger."""

import asyncio
from collections.abc import Iterable
from typing import Final

import msgspec

from fairlead.costs.kinds import is_plain
from fairlead.costs.prices import rests_on_a_guess
from fairlead.costs.record import Record, RecordedError, decode_record, encode_record, recorded_usage
from fairlead.costs.told import Checked, Hit, Judged, Rights
from fairlead.costs.types import Rate
from fairlead.errors import Broken, FairleadError, Stopped, Upstream, Withheld
from fairlead.models.types import Usage
from fairlead.storage.types import Entry, Hold

ESCALATED: Final = "escalated"
"""The outcome and the flag of an attempt whose answer was not kept, because another model had to take over."""
HEDGED: Final = "hedged"
"""The flag of attempts beside another one, and of an action that had any."""


def policies_of(rights: Rights | None, model: str | None) -> tuple[str, ...]:
    """The policies that decided: for the attempted model, or for all models where none was attempted."""
    if rights is None:
        return ()
    decisions = rights.decisions
    decided = decisions.values() if model is None else (decisions[model],)
    return tuple(sorted({reason.policy for decision in decided for reason in decision.reasons}))


def escalated(intent: Record, usage: Usage | None, spent: int, rate: Rate | None, most: int) -> Record:
    """The record of an attempt that has answered, and whose answer was not kept. `most` are the tokens asked for."""
    flags: list[str] = [ESCALATED]
    if usage is not None and rate is not None:
        flags += guessed(usage, rate)
        flags += ["overrun"] * (usage.output > most) + ["over_hold"] * (spent > intent.held)
    counted = recorded_usage(usage) if usage is not None else None
    return msgspec.structs.replace(intent, outcome=ESCALATED, flags=tuple(flags), cost=spent, usage=counted)


def hits_of(hits: Iterable[Hit]) -> tuple[tuple[str, str, str], ...]:
    """The rules that applied and let it pass, as a record has them."""
    return tuple(sorted({(each.policy, each.mode, each.effect) for each in hits}))


def judged_of(judged: Iterable[Judged]) -> tuple[tuple[str, str, str], ...]:
    """Judgements, as a record has them."""
    return tuple((each.rule, each.run, each.verdict) for each in judged)


def checks_of(checks: Iterable[Checked]) -> tuple[tuple[str, str, str], ...]:
    """Checks of an answer, as a record has them."""
    return tuple((each.check, "passed" if each.passed else "failed", each.word) for each in checks)


def guessed(usage: Usage, rate: Rate) -> tuple[str, ...]:
    """The flags of a bill in which something has no stated price."""
    return () if is_plain(usage) or not rests_on_a_guess(usage, rate) else ("unpriced", "reconcile")


def decided_by(error: BaseException | None) -> tuple[str, ...]:
    """What has decided in place of the policies that had permitted it: those that withheld the reply, or a stop."""
    if isinstance(error, Withheld):
        return tuple(sorted(set(error.policies)))
    return (error.stop,) if isinstance(error, Stopped) and error.stop else ()


def outcome_of(error: BaseException | None) -> tuple[str, RecordedError | None]:
    """How an action ended that was not settled."""
    if isinstance(error, FairleadError):
        kind = "failed" if isinstance(error, Upstream | Broken) else "refused"
        return kind, RecordedError(error.code, error.step)
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return "abandoned", RecordedError("client_left")
    return "failed", RecordedError("broken")


def late(record: Record) -> Record:
    """The record of an action that ended after recovery had settled it at what was held: kept, and not billed again."""
    return msgspec.structs.replace(
        record, kind="late", cost=0, held=record.cost, flags=(*record.flags, "reconcile"), payload=""
    )


def orphaned(hold: Hold, now: int) -> Entry:
    """The record of a dead worker's attempt, from the intent that was recorded with its hold. Billed at the hold."""
    intent = decode_record(hold.intent)
    kind = "attempt" if HEDGED in intent.flags else "call_tool" if intent.tool else "call_model"
    record = msgspec.structs.replace(
        intent, kind=kind, outcome="orphaned", cost=hold.amount, flags=(*intent.flags, "orphaned", "reconcile")
    )
    return Entry(intent.run, now, encode_record(record))
