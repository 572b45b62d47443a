"""The spending of every scope by the hour, from the records of the log."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.costs.forecasting.methods import Series, series_of
from fairlead.costs.record import unreadable

HOUR_MS: Final = 3_600_000


class _Spent(Struct):
    at: int = 0
    cost: int = 0
    department: str = ""
    person: str = ""
    task: str = ""
    model: str = ""
    workflow: str = ""


_decoder = msgspec.json.Decoder(_Spent)


def series_by_scope(records: Iterable[bytes], now: int) -> dict[str, Series]:
    """A series for the organisation and each department, person (by subject id), task type, model and workflow that has
    spent.

    All begin in the same hour and end with the hour of `now` (milliseconds since 1970), which is not over. A record
    from later than now, as a clock that was ahead has left it, counts as of now. Raises `Broken` for a record that
    cannot be read: a sum that left it out would be wrong without saying so.
    """
    last = now // HOUR_MS
    hours: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for number, line in enumerate(records):
        try:
            spent = _decoder.decode(line)
        except msgspec.DecodeError as error:
            raise unreadable(number, error) from error
        if spent.cost:
            hour = min(last, spent.at // HOUR_MS)
            hours["organisation"][hour] += spent.cost
            for kind in ("department", "person", "task", "model", "workflow"):
                if name := getattr(spent, kind):
                    hours[f"{kind}/{name}"][hour] += spent.cost
    start = min((min(of) for of in hours.values()), default=last)
    return {
        scope: series_of((of.get(hour, 0) for hour in range(start, last + 1)), start) for scope, of in hours.items()
    }
