"""What was read by rules, held against what a model says of the same text."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from fairlead.documents.amounts import amounts_in
from fairlead.documents.dates import days_in
from fairlead.documents.layout import folded
from fairlead.documents.names import core_of
from fairlead.documents.papers import CALLED
from fairlead.documents.totals import ALONE
from fairlead.documents.types import Field

_AMOUNTS: Final = ("total", "net", "tax")
_DATES: Final = ("date", "due")
_NEVER_LIFTED: Final = ("iban", "vat")
"""Where another account could be slipped in: two readers of one page do not make it sure."""


def plain(fields: Mapping[str, Field]) -> dict[str, dict[str, Any]]:
    """Fields as data."""
    return {name: msgspec.to_builtins(field) for name, field in fields.items()}


def agreed(
    fields: Mapping[str, Mapping[str, Any]], text: str, asked: Iterable[Mapping[str, str]]
) -> dict[str, dict[str, Any]]:
    """The fields after a model has been asked: `asked` are its name, value and quote of each.

    A quote that does not stand in the text counts for nothing, nor does a value that is not in its quote. Where both
    agree a doubt is lifted, unless amounts do not add up or the paper is no invoice to pay; where they differ there is
    one; what only the model has found is doubtful.
    """
    found = {name: dict(each) for name, each in fields.items()}
    for one in asked:
        name, value = one["name"], _value(one["name"], one["value"])
        if value is None or not _is_grounded(name, value, one["quote"], text):
            continue
        ours = found.get(name)
        if ours is None:
            found[name] = {
                "value": value,
                "text": one["quote"],
                "page": 0,
                "box": (0.0, 0.0, 0.0, 0.0),
                "confidence": 0.5,
            }
            found[name]["doubt"] = "only the model found it"
        elif not _same(name, ours["value"], value):
            ours["doubt"] = ours["doubt"] or f"the model reads {value}"
            ours["confidence"] = min(0.5, ours["confidence"])
        elif _may_be_lifted(name, ours["doubt"]):
            ours["confidence"] = max(0.9, ours["confidence"])
            ours["doubt"] = ""
    return found


def _may_be_lifted(name: str, doubt: str) -> bool:
    """Whether two readers of one page that agree on a value make it sure."""
    if name in _NEVER_LIFTED or doubt.startswith(CALLED):
        return False
    return name not in _AMOUNTS or doubt in ("", ALONE)


def _value(name: str, said: str) -> str | float | None:
    if name in _AMOUNTS:
        amounts = amounts_in(said)
        return float(amounts[0].value) if len(amounts) == 1 else None
    if name in _DATES:
        days = days_in(said)
        return days[0].day.isoformat() if len(days) == 1 else None
    return said.strip() or None


def _is_grounded(name: str, value: str | float, quote: str, text: str) -> bool:
    if not quote.strip() or _bare(quote) not in _bare(text):
        return False
    if name in _AMOUNTS:
        return any(float(each.value) == value for each in amounts_in(quote))
    if name in _DATES:
        return any(value in (day.day.isoformat(), day.other and day.other.isoformat()) for day in days_in(quote))
    return name == "currency" or _bare(str(value)) in _bare(quote)


def _same(name: str, one: Any, other: Any) -> bool:
    if name in _AMOUNTS:
        return abs(float(one) - float(other)) < 0.005
    return core_of(str(one)) == core_of(str(other)) if name == "supplier" else _bare(str(one)) == _bare(str(other))


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", folded(text))
