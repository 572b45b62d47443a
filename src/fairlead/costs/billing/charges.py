"""Charges: what a bill's rows are made of, one for each kind of token in an hour, or in a run. Their sum is the
ledger's, to the nano-unit."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from fairlead.costs.parts import Part, allot, parts_of
from fairlead.costs.record import Record, RecordedUsage
from fairlead.costs.spending import money_record
from fairlead.costs.types import Rate
from fairlead.models.types import Usage

Per = Literal["hour", "run"]
HOUR = 3_600_000


class Sold(Struct, frozen=True):
    """What a model was when a record was made: by whom it is served, under which name, where, and at what rate."""

    vendor: str = ""
    remote: str = ""
    region: str = ""
    rate: Rate | None = None


Sales = Callable[[str, str], Sold]
"""By revision and model's name."""


class Key(Struct, frozen=True, kw_only=True):
    """What charges have in common that are summed into one. `hour` is its beginning, in milliseconds since 1970; `kind`
    that of the tokens, "request" for what is priced by the call, "unmetered" where nobody knows what was used."""

    hour: int
    run: str
    workflow: str
    model: str
    tool: str
    department: str
    task: str
    person: str
    agent: str
    tenant: str
    kind: str
    tier: str
    price: str
    unsure: bool
    sold: Sold


class Charge(Struct, frozen=True):
    """A sum: how many calls, how much of the kind, and what it cost in nano-units."""

    calls: int = 0
    quantity: int = 0
    cost: int = 0

    def plus(self, quantity: int, cost: int) -> "Charge":
        """The sum with one more call in it."""
        return Charge(self.calls + 1, self.quantity + quantity, self.cost + cost)


def charges(
    records: Iterable[bytes], sales: Sales, per: Per = "hour", roots: Mapping[str, str] | None = None
) -> dict[Key, Charge]:
    """Sum records into charges, in the order in which they first occur. What neither cost nor used anything, such as a
    refusal, is none. Raises `Broken` for a record that cannot be read."""
    found: dict[Key, Charge] = {}
    known: dict[tuple[str, str], tuple[Sold, str]] = {}
    for number, line in enumerate(records):
        record = money_record(line, number)
        if record is None or not (record.cost or record.usage):
            continue
        which = (record.revision, record.model)
        if which not in known:
            sold = sales(*which) if record.model else Sold()
            known[which] = sold, _price_id(sold.rate)
        sold, price = known[which]
        parts = _parts(record, sold)
        costs = allot(record.cost, [part.weight for part in parts])
        for part, cost in zip(parts, costs, strict=True):
            key = _key(record, part.kind, per, sold, price or record.price, (roots or {}).get(record.run, ""))
            found[key] = found.get(key, Charge()).plus(part.quantity, cost)
    return found


def _parts(record: Record, sold: Sold) -> tuple[Part, ...]:
    usage = record.usage
    if usage is None:
        return (Part("request" if record.tool else "unmetered", 1, 1),)
    whole = Part("tokens", max(usage.input, 0) + max(usage.output, 0), 1)
    if sold.rate is None:
        return (whole,)
    parts = parts_of(_usage(usage), sold.rate)
    priced = any(part.weight for part in parts)
    return parts if parts and (priced or not record.cost) else (whole,)


def _usage(usage: RecordedUsage) -> Usage:
    return msgspec.convert(usage, Usage, from_attributes=True)


def _key(record: Record, kind: str, per: Per, sold: Sold, price: str, workflow: str) -> Key:
    of_run = per == "run"
    return Key(
        hour=record.at - record.at % HOUR,
        run=record.run if of_run else "",
        workflow=workflow if of_run else "",
        model=record.model,
        tool=record.tool,
        department=record.department,
        task=record.task,
        person=record.person,
        agent=record.agent,
        tenant=record.tenant,
        kind=kind,
        tier=record.usage.tier if record.usage else "",
        price=price,
        unsure="reconcile" in record.flags or (record.usage is not None and record.usage.estimated),
        sold=msgspec.structs.replace(sold, rate=None),
    )


def _price_id(rate: Rate | None) -> str:
    """The same for equal prices, for ever."""
    return hashlib.sha256(msgspec.json.encode(rate, order="sorted")).hexdigest()[:12] if rate else ""
