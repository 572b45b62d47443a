"""An attempt in flight, and the records of those whose answer is not given, each with what it costs. Pure."""

import msgspec
from msgspec import Struct

from fairlead.costs.outcomes import HEDGED, escalated, guessed
from fairlead.costs.prices import cost
from fairlead.costs.record import Record, RecordedError, recorded_usage
from fairlead.costs.told import Release
from fairlead.costs.types import Rate
from fairlead.errors import NotRedactable, Upstream
from fairlead.models.types import Usage
from fairlead.storage.types import Hold


class Held(Struct, frozen=True):
    """An attempt in flight. `rate` is None where its price is fixed."""

    hold: Hold
    record: Record
    rate: Rate | None
    max_output: int


def failed(held: Held, sent: Release | None, error: Upstream | NotRedactable) -> Record:
    """It failed: free if nothing was sent or the provider refused the work, what was produced if it was cut off, and
    the whole hold, to be reconciled, where nobody can know."""
    flags, spent, usage = ["failed", error.code], 0, None
    charged = error.charged if isinstance(error, Upstream) else "no"
    if sent is not None and held.rate is not None and charged == "part":
        usage = sent.usage_so_far()
        spent = cost(usage, held.rate)
        flags += guessed(usage, held.rate)
    elif sent is not None and charged == "unknown":
        spent = held.hold.amount
        flags.append("reconcile")
    return msgspec.structs.replace(
        held.record,
        outcome="failed",
        flags=tuple(dict.fromkeys((*flags, *held.record.flags))),
        cost=spent,
        usage=recorded_usage(usage) if usage else None,
        error=RecordedError(error.code, "attempt"),
    )


def outrun(held: Held, sent: Release | None) -> Record:
    """Another attempt at the same answer was faster. Nothing is owed where nothing was sent. Else it is billed as far
    as it is known to have gone, and is to be reconciled: what its server had made by then, it has not said."""
    flags, spent, usage = [HEDGED], 0, None
    if sent is not None and held.rate is not None:
        usage = sent.usage_so_far()
        spent = cost(usage, held.rate)
        flags += [*guessed(usage, held.rate), "reconcile"]
    return msgspec.structs.replace(
        held.record,
        outcome="abandoned",
        flags=tuple(dict.fromkeys(flags)),
        cost=spent,
        usage=recorded_usage(usage) if usage is not None else None,
    )


def unkept(held: Held, usage: Usage | None) -> Record:
    """It has answered, and its answer is not kept. It is billed as what is known of it by now."""
    spent = cost(usage, held.rate) if usage is not None and held.rate is not None else 0
    return escalated(held.record, usage, spent, held.rate, held.max_output)
