"""Facts: values that a workspace's rules read out of a reply, for policies to judge."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.policy.cedar_request import CEDAR_DECIMAL, FactValue
from fairlead.policy.patterns import Pattern, bounded
from fairlead.policy.settings import FactSetting


class Fact(Struct, frozen=True):
    """One declared fact, its pattern compiled."""

    name: str
    pattern: Pattern
    type: str
    take: str

    def read(self, text: str) -> FactValue:
        """The value that a text stands for. A number that Cedar cannot hold becomes the nearest that it can."""
        if self.type == "bool":
            return True
        return text if self.type == "text" else _decimal(text)

    def joined(self, known: FactValue | None, new: FactValue) -> FactValue:
        """The value of the reply as a whole, once `new` is seen after `known`."""
        if known is None:
            return new
        if isinstance(known, Decimal) and isinstance(new, Decimal) and self.take != "first":
            return max(known, new) if self.take == "max" else min(known, new)
        return known


def compiled(settings: Iterable[FactSetting]) -> tuple[Fact, ...]:
    """A workspace's facts. Raises BadInput naming the fact."""
    found: dict[str, Fact] = {}
    for each in settings:
        pattern = bounded(each.pattern, f"fact {each.name!r}")
        if each.type != "bool" and not pattern.matcher.value_group:
            raise BadInput(f"fact {each.name!r}: nothing says which part is the value",
                           mend="put the value into a group: (?P<value>…)")  # fmt: skip
        if each.type != "decimal" and each.take != "first":
            raise BadInput(f"fact {each.name!r}: only decimals have a {each.take}", mend="use take: first")
        if each.name in found:
            raise BadInput(f"fact {each.name!r} is declared twice", mend="rename one of them")
        found[each.name] = Fact(each.name, pattern, each.type, each.take)
    return tuple(found.values())


def _decimal(text: str) -> Decimal:
    """The number in a text: 1,234.50 and 1.234,50 alike. A lone comma before exactly three digits sets off thousands;
    a lone dot is always the decimal point."""
    kept = "".join(c for c in text if c in "0123456789.,-+")
    whole, mark, part = kept.rpartition("," if kept.rfind(",") > kept.rfind(".") else ".")
    if not mark:
        number = kept
    elif mark in whole or (mark == "," and len(part) == 3 and "." not in whole):
        number = kept.replace(",", "").replace(".", "")
    else:
        number = whole.replace(",", "").replace(".", "") + "." + part
    try:
        value = Decimal(number)
    except InvalidOperation:
        return CEDAR_DECIMAL  # no number at all: let the strictest bound apply
    limited = max(-CEDAR_DECIMAL, min(CEDAR_DECIMAL, value))
    return limited.quantize(Decimal("0.0001"))
