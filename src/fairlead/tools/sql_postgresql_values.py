"""Values on their way to PostgreSQL and back, with nothing lost: what JSON has no number or date for comes as text."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from psycopg.adapt import AdaptersMap

# The database's own spelling is exact; Python's types of these are narrower than the database's.
_AS_TEXT: Final = (
    "numeric", "time", "timetz", "interval", "uuid", "inet", "cidr",
    "int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange",
    "int4multirange", "int8multirange", "nummultirange", "datemultirange", "tsmultirange", "tstzmultirange",
)  # fmt: skip
_MOMENTS: Final = ("timestamp", "timestamptz", "date")


def adapted() -> "AdaptersMap":
    """How values are read on our connections."""
    import psycopg
    from psycopg.adapt import AdaptersMap, Loader

    class Plain(Loader):
        def load(self, data: Any) -> str:
            return bytes(data).decode()

    class Moment(Loader):
        def load(self, data: Any) -> str:
            return iso(bytes(data).decode())

    adapters = AdaptersMap(psycopg.adapters)
    for name in _AS_TEXT:
        adapters.register_loader(name, Plain)
    for name in _MOMENTS:
        adapters.register_loader(name, Moment)
    return adapters


def iso(text: str) -> str:
    """`2026-11-21 14:00:00+00` as ISO 8601 writes it. What has no such form (`infinity`, years BC) stays as it is."""
    if not text[:1].isdigit() or text.endswith("BC"):
        return text
    moment = text.replace(" ", "T", 1)
    return moment + ":00" if "T" in moment and moment[-3] in "+-" else moment


def sent(value: Any) -> Any:
    """As it is bound. A number with a fraction goes as a decimal: money must not pass through a float."""
    from psycopg.types.json import Jsonb

    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list):
        return [sent(each) for each in value]
    return Jsonb(value) if isinstance(value, dict) else value
