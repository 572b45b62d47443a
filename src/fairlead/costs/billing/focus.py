"""Rows of a bill as FOCUS 1.2 wants them (FinOps Open Cost and Usage Specification): its columns, then our own (`x_`).

What is negotiated, and what is committed to, is between the organisation and the provider: list, contracted, effective
and billed cost are all what the ledger billed.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from fairlead.costs.billing.charges import HOUR, Charge, Key
from fairlead.costs.billing.periods import month_of, spelled
from fairlead.costs.money import exact_money

_TEXT, _MONEY, _COUNT, _TIME = "VARCHAR", "DECIMAL(38,9)", "DECIMAL(38,0)", "TIMESTAMPTZ"
COLUMNS: Final[Mapping[str, str]] = {
    "BilledCost": _MONEY,
    "BillingAccountId": _TEXT,
    "BillingAccountName": _TEXT,
    "BillingCurrency": _TEXT,
    "BillingPeriodEnd": _TIME,
    "BillingPeriodStart": _TIME,
    "ChargeCategory": _TEXT,
    "ChargeClass": _TEXT,
    "ChargeDescription": _TEXT,
    "ChargeFrequency": _TEXT,
    "ChargePeriodEnd": _TIME,
    "ChargePeriodStart": _TIME,
    "ConsumedQuantity": _COUNT,
    "ConsumedUnit": _TEXT,
    "ContractedCost": _MONEY,
    "EffectiveCost": _MONEY,
    "InvoiceIssuerName": _TEXT,
    "ListCost": _MONEY,
    "PricingCategory": _TEXT,
    "PricingQuantity": _COUNT,
    "PricingUnit": _TEXT,
    "ProviderName": _TEXT,
    "PublisherName": _TEXT,
    "RegionId": _TEXT,
    "RegionName": _TEXT,
    "ServiceCategory": _TEXT,
    "ServiceName": _TEXT,
    "ServiceSubcategory": _TEXT,
    "SkuId": _TEXT,
    "SkuMeter": _TEXT,
    "SkuPriceId": _TEXT,
    "SubAccountId": _TEXT,
    "SubAccountName": _TEXT,
    "Tags": _TEXT,
    "x_Agent": _TEXT,
    "x_Calls": _COUNT,
    "x_Department": _TEXT,
    "x_Estimated": _TEXT,
    "x_Model": _TEXT,
    "x_PersonId": _TEXT,
    "x_RunId": _TEXT,
    "x_ServiceTier": _TEXT,
    "x_TaskType": _TEXT,
    "x_Tenant": _TEXT,
    "x_TokenKind": _TEXT,
    "x_Tool": _TEXT,
    "x_WorkflowId": _TEXT,
}
"""Every column with its type, in the order in which they are written."""

_METERS: Final = {
    "audio_input": "Audio input tokens",
    "audio_output": "Audio output tokens",
    "cache_write": "Input tokens written to a cache",
    "cache_write_1h": "Input tokens kept in a cache for an hour",
    "cached_input": "Input tokens read from a cache",
    "input": "Input tokens",
    "output": "Output tokens",
    "reasoning": "Reasoning tokens",
    "request": "Requests",
    "tokens": "Tokens of all kinds",
    "unmetered": "Requests of unknown size, at the most that they can cost",
}
_BY_CALL: Final = ("request", "unmetered")


def focus_rows(found: Mapping[Key, Charge], organisation: str, currency: str) -> Iterator[dict[str, str | None]]:
    """Rows for `COLUMNS`, by time: numbers as exact decimals, None for null."""
    for key, charge in sorted(found.items(), key=lambda each: _order(each[0])):
        yield _row(key, charge, organisation, currency)


def validated(rows: Iterable[Mapping[str, str | None]]) -> list[str]:
    """What of FOCUS 1.2 rows do not keep, as sentences: see `focus_rules`."""
    from fairlead.costs.billing.focus_rules import broken

    return [f"row {number}: {each}" for number, row in enumerate(rows, 1) for each in broken(row)]


def _order(key: Key) -> tuple[object, ...]:
    return key.hour, key.model, key.tool, key.department, key.task, key.person, key.run, key.kind, key.price, repr(key)


def _row(key: Key, charge: Charge, organisation: str, currency: str) -> dict[str, str | None]:
    cost, month, unit = exact_money(charge.cost), month_of(key.hour), "Requests" if key.kind in _BY_CALL else "Tokens"
    provider = key.sold.vendor or key.tool.partition(".")[0] or organisation
    service = key.tool or key.sold.remote or key.model or "unknown"
    sku = f"{provider}/{service}/{key.kind}"
    category = ("Other", "Other (Other)") if key.tool else ("AI and Machine Learning", "Generative AI")
    meter = _METERS[key.kind]
    return {
        "BilledCost": cost,
        "BillingAccountId": organisation,
        "BillingAccountName": organisation,
        "BillingCurrency": currency,
        "BillingPeriodEnd": spelled(month.end),
        "BillingPeriodStart": spelled(month.start),
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeDescription": f"{meter}, {service}",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": spelled(key.hour + HOUR),
        "ChargePeriodStart": spelled(key.hour),
        "ConsumedQuantity": str(charge.quantity),
        "ConsumedUnit": unit,
        "ContractedCost": cost,
        "EffectiveCost": cost,
        "InvoiceIssuerName": provider,
        "ListCost": cost,
        "PricingCategory": "Standard",
        "PricingQuantity": str(charge.quantity),
        "PricingUnit": unit,
        "ProviderName": provider,
        "PublisherName": provider,
        "RegionId": key.sold.region or None,
        "RegionName": key.sold.region or None,
        "ServiceCategory": category[0],
        "ServiceName": service,
        "ServiceSubcategory": category[1],
        "SkuId": sku,
        "SkuMeter": meter,
        "SkuPriceId": "@".join(each for each in (sku, key.price or "tool", key.tier) if each),
        "SubAccountId": key.department or None,
        "SubAccountName": key.department or None,
        "Tags": _tags(key),
    } | _own(key, charge)


def _own(key: Key, charge: Charge) -> dict[str, str | None]:
    return {
        "x_Agent": key.agent or None,
        "x_Calls": str(charge.calls),
        "x_Department": key.department or None,
        "x_Estimated": "true" if key.unsure else "false",
        "x_Model": key.model or None,
        "x_PersonId": key.person or None,
        "x_RunId": key.run or None,
        "x_ServiceTier": key.tier or None,
        "x_TaskType": key.task or None,
        "x_Tenant": key.tenant or None,
        "x_TokenKind": key.kind,
        "x_Tool": key.tool or None,
        "x_WorkflowId": key.workflow or None,
    }


def _tags(key: Key) -> str:
    """Who it was for, as a flat object of texts."""
    tags = {"agent": key.agent, "department": key.department, "task": key.task, "tenant": key.tenant}
    return msgspec.json.encode({name: value for name, value in tags.items() if value}).decode()
