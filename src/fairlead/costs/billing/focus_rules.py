"""What FOCUS 1.2 asks of the columns that a bill has: which are mandatory, when they may be null, what they may say.

A table of our own, made from the specification; a bill is checked by it before it is written.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

MANDATORY: Final = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
    "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
    "ServiceCategory", "ServiceName",
)  # fmt: skip
"""They stand in every data set."""

MAY_BE_NULL: Final = frozenset({
    "BillingAccountName", "ChargeClass", "ChargeDescription", "RegionId", "RegionName", "SubAccountId",
    "SubAccountName", "Tags",
})  # fmt: skip
"""In a charge for usage that corrects no earlier bill; all others may not."""

ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    "ChargeCategory": frozenset({"Usage", "Purchase", "Tax", "Credit", "Adjustment"}),
    "ChargeClass": frozenset({"Correction"}),
    "ChargeFrequency": frozenset({"One-Time", "Recurring", "Usage-Based"}),
    "PricingCategory": frozenset({"Standard", "Dynamic", "Committed", "Other"}),
    "ServiceCategory": frozenset({
        "AI and Machine Learning", "Analytics", "Business Applications", "Compute", "Databases", "Developer Tools",
        "Multicloud", "Identity", "Integration", "Internet of Things", "Management and Governance", "Media",
        "Migration", "Mobile", "Networking", "Security", "Storage", "Web", "Other",
    }),
}  # fmt: skip

_DECIMALS: Final = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost", "ConsumedQuantity", "PricingQuantity")
_TIMES: Final = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?(E-?[0-9]+)?")
_OF_COLUMN: Final = re.compile(r"(x_)?[A-Z][A-Za-z0-9]{0,48}")


def broken(row: Mapping[str, str | None]) -> Iterator[str]:
    """What a row does not keep, each as a sentence."""
    for name in MANDATORY:
        if name not in row:
            yield f"{name} is missing, and mandatory"
    for name, value in row.items():
        if not _OF_COLUMN.fullmatch(name):
            yield f"{name} is no name of a column"
        if value == "" or (value is None and not name.startswith("x_") and name not in MAY_BE_NULL):
            yield f"{name} is empty"
    for name, allowed in ALLOWED.items():
        if (value := row.get(name)) is not None and value not in allowed:
            yield f"{name} is {value!r}"
    yield from _forms(row)
    yield from _relations(row)


def _forms(row: Mapping[str, str | None]) -> Iterator[str]:
    for name in _DECIMALS:
        if (value := row.get(name)) is not None and not _NUMBER.fullmatch(value):
            yield f"{name} is no number: {value!r}"
    for name in _TIMES:
        if (value := row.get(name)) is not None and not _TIME.fullmatch(value):
            yield f"{name} is no moment in UTC: {value!r}"
    if not re.fullmatch("[A-Z]{3}", row.get("BillingCurrency") or ""):
        yield "BillingCurrency is no code of ISO 4217"
    try:
        tags = msgspec.json.decode(row.get("Tags") or "{}", type=dict[str, str | int | float | bool | None])
    except msgspec.DecodeError:
        yield "Tags is no flat JSON object"
    else:
        if any(name == "" for name in tags):
            yield "Tags has a key without a name"


def _relations(row: Mapping[str, str | None]) -> Iterator[str]:
    for name in ("Consumed", "Pricing"):
        if (row.get(f"{name}Quantity") is None) != (row.get(f"{name}Unit") is None):
            yield f"{name}Quantity and {name}Unit are null together or not at all"
    for name in ("Billing", "Charge"):
        if not (row.get(f"{name}PeriodStart") or "") < (row.get(f"{name}PeriodEnd") or ""):
            yield f"{name}PeriodEnd is not after {name}PeriodStart"
    start, end = row.get("ChargePeriodStart") or "", row.get("BillingPeriodStart") or ""
    if start < end:
        yield "the charge lies before its billing period"
    try:
        costs = {Decimal(row.get(name) or "0") for name in ("BilledCost", "ContractedCost", "EffectiveCost")}
    except InvalidOperation:  # said above
        return
    if len(costs) > 1:
        yield "a charge that nothing was paid for in advance has one cost"
