"""A forecast of what a period comes to, from the series' own past; or the reason why there is none.

What is spent is known; what is still to come is said by the methods that were best on this very series, and the
interval is as wide as their misses were. The verdict is about the whole period, so it turns as the period goes by.
"""

from math import exp, expm1, sqrt

from fairlead.costs.conformal import student, weighted_quantile
from fairlead.costs.forecasting.methods import DAY, METHODS, Series
from fairlead.costs.forecasting.rolling import (
    LEAST_HISTORY,
    Rolling,
    combined,
    floor_of,
    rolling,
    said_by_each,
    usual_multiple,
)
from fairlead.costs.forecasting.types import Accuracy, Forecast, Past

TOO_FAR_OFF = 0.15  # a forecast that is further off than this in one of ten cases is none
_LONGEST = 90 * DAY  # older hours say nothing of the next month
_PRIOR_SCALE, _PRIOR_SCALE_WEIGHT = 0.15, 1.0
# What the tail of misses counts in a verdict, so that nine of ten hold. Scopes that pass are also those that were
# quiet by chance, the more so where nothing of the period is known.
_SOME_KNOWN, _NOTHING_KNOWN = 0.7, 1.0
_GROWTH = 0.15  # misses grow by this power of how far one looks ahead, beyond what was looked at
_ACTIVE = 0.8  # of all days, so that a scope counts as one that spends regularly
_SHOWN = 12


def forecast(series: Series, now: int, begin: int, end: int) -> Forecast:
    """What the hours from `begin` up to `end` come to, as known at `now`; all in hours from the series' start."""
    first = series.first_active()
    if first >= now:
        return _nothing(series, now, begin, end, "nothing has been spent yet")
    cut = max(first, now - _LONGEST)
    known = series.since(cut)
    moment, spent = now - cut, series.between(begin, now)
    ahead = end - now
    seen = _looked_back(known, moment, ahead)
    if seen is None:
        return _nothing(series, now, begin, end, f"too short: {moment} hours are known, and it takes three days")
    floor = floor_of(known, moment, ahead)
    rest = max(0.0, exp(combined(seen.scores, said_by_each(known, moment, ahead, floor))) - floor)
    further = float((ahead / seen.ahead) ** _GROWTH)
    scale = _steadied(seen) * further
    reach = scale * usual_multiple(seen)
    off = _expected_off(seen, scale, rest, spent, ahead)
    return Forecast(
        now=series.start + now,
        begin=series.start + begin,
        end=series.start + end,
        spent=spent,
        low=spent + rest * exp(-reach),
        likely=spent + rest,
        high=spent + rest * exp(min(reach, 50.0)),
        reason=_verdict(known, moment, seen, off, ahead),
        off=off,
        rests_on=tuple(name for name in seen.best if name in METHODS),
        history=moment,
        accuracy=_accuracy(series.start + cut, seen, scale / further),
    )


def _looked_back(known: Series, now: int, ahead: int) -> Rolling | None:
    """Misses at this length; where the past is too short for that, at the longest that it has room for twice."""
    room = (now - LEAST_HISTORY) // 2
    if ahead > room:
        ahead = min(ahead, room // DAY * DAY if room >= DAY else room)
    return rolling(known, now, ahead) if ahead > 0 and now >= LEAST_HISTORY + DAY else None


def _steadied(seen: Rolling) -> float:
    """The scale of misses, with one that stands for what has not been seen yet."""
    own = seen.scale() ** 2 * seen.worth
    total = (own + _PRIOR_SCALE**2 * _PRIOR_SCALE_WEIGHT) / (seen.worth + _PRIOR_SCALE_WEIGHT)
    return sqrt(total)


def _expected_off(seen: Rolling, scale: float, rest: float, spent: float, ahead: int) -> float:
    whole = spent + rest
    if whole <= 0:
        return 1.0
    tail = (_SOME_KNOWN if spent > 0 else _NOTHING_KNOWN) * student(1.645, seen.worth + _PRIOR_SCALE_WEIGHT)
    multiplied = rest * expm1(min(5.0, tail * scale))
    added = tail * seen.off_scale() * float((ahead / seen.ahead) ** (1 + _GROWTH))
    return max(multiplied, added) / whole


def _verdict(known: Series, now: int, seen: Rolling, off: float, ahead: int) -> str:
    """Why there is no forecast; empty where there is one."""
    days = [known.between(at - DAY, at) for at in range(now, DAY - 1, -DAY)]
    usual = sum(days) / len(days)
    active = sum(day > 0.05 * usual for day in days)
    if active < _ACTIVE * len(days):
        return f"too sparse: {active} of {len(days)} days had spending worth the name"
    if off <= TOO_FAR_OFF:
        return ""
    recent, before = days[:3], days[3:10]
    if len(before) >= 3:
        moved = weighted_quantile([(day, 1.0) for day in recent], 0.5) / max(
            1e-12, weighted_quantile([(day, 1.0) for day in before], 0.5)
        )
        if moved > 1.5 or moved < 1 / 1.5:
            return f"its level has shifted: the last three days are {moved:.1f} times those before"
    if seen.ahead < ahead and seen.worth < 3:
        return f"too short: {now // DAY} days are known, to look {-(-ahead // DAY)} ahead"
    return f"forecasts of its past were off by more than {TOO_FAR_OFF:.0%} too often"


def _accuracy(start: int, seen: Rolling, scale: float) -> Accuracy:
    """The misses at origins that do not overlap, the newest first, with the interval of now around what was said."""
    reach = scale * usual_multiple(seen)
    past: list[Past] = []
    for miss in reversed(seen.misses):
        if not past or start + miss.origin + seen.ahead <= past[-1].at:
            past.append(
                Past(start + miss.origin, miss.said, miss.said * exp(-reach), miss.said * exp(reach), miss.came)
            )
    within = sum(abs(each.said - each.came) <= TOO_FAR_OFF * each.came for each in past)
    covered = sum(each.low <= each.came <= each.high for each in past)
    return Accuracy(len(past), within / len(past), covered / len(past), tuple(past[:_SHOWN]))


def _nothing(series: Series, now: int, begin: int, end: int, reason: str) -> Forecast:
    spent = series.between(begin, now)
    start = series.start
    return Forecast(
        now=start + now, begin=start + begin, end=start + end, spent=spent, low=spent, likely=spent, high=spent,
        reason=reason, off=1.0, rests_on=(), history=max(0, now - series.first_active()),
        accuracy=Accuracy(0, 0.0, 0.0, ()),
    )  # fmt: skip
