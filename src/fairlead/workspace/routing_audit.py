"""Recorded choices of models, made again from their records, with what the database still has of what they rested on.

What a record cannot tell by itself is not passed over in silence: it is named as not checked.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from fairlead.costs.record import Record, decode_record
from fairlead.routing.auditing import Tried, departures, differences
from fairlead.tasks.decisions import Decision, Option

if TYPE_CHECKING:
    from fairlead.routing.learned import Predictor
    from fairlead.storage.store import Store

ALWAYS_TAKEN: Final = "costs, latencies, the declared order and the draw among equals are taken as recorded"
PROMPTS: Final = "what was expected rests on the prompt, of which a record holds nothing"
_FOLLOWED: Final = 60_000  # milliseconds within which every worker has taken up another predictor, or works no more
_PARTS: Final = 10_000
_NO_PREDICTOR: Final = "none"


class Audited(Struct, frozen=True):
    """`wrong` are runs with what is wrong of each; `unchecked` says of how many choices what could not be checked."""

    checked: int
    wrong: tuple[tuple[str, tuple[str, ...]], ...]
    unchecked: dict[str, int]


class Named(Struct, frozen=True):
    """What a predictor's name stands for. `wrong` says why that is not what was kept, `unread` why it is not asked."""

    predictor: "Predictor | None" = None
    wrong: str = ""
    unread: str = ""


class Predictors:
    """What the database has of predictors: what each expects, and which was in force when, as the log tells."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._known: dict[str, Named] = {}
        self._since = [(0, ""), *_put_in_force(store)]

    def named(self, version: str) -> Named:
        """A predictor by its version, read once, whether it is still there or not."""
        if version not in self._known:
            self._known[version] = self._read(version)
        return self._known[version]

    def _read(self, version: str) -> Named:
        from fairlead.errors import BadInput
        from fairlead.routing.learned import read_predictor
        from fairlead.routing.learned.learnt import version_of
        from fairlead.storage.predictor_rows import content_of

        with self._store.reading() as connection:
            content = content_of(connection, version)
        if content is None:
            return Named(wrong=f"there is no predictor {version}")
        if (found := version_of(content)) != version:
            return Named(wrong=f"predictor {version} is not what was kept: its content has the hash {found}")
        try:
            return Named(read_predictor(content))
        except BadInput as error:
            return Named(unread=f"predictor {version} is not one for this version ({error.message})")

    def may_decide(self, version: str, at: int) -> bool:
        """Whether it was in force at a moment, or a little before it: workers follow within seconds."""
        deciding = ""
        for since, other in self._since:
            if since > at + _FOLLOWED:
                break
            if since <= at - _FOLLOWED:
                deciding = other
            elif other == version:
                return True
        return version == deciding


def audited(records: Iterable[Record], predictors: Predictors) -> Audited:
    """The records of whole runs, in the order of the log, made again."""
    checked, wrong, unchecked = 0, list[tuple[str, tuple[str, ...]]](), Counter[str]()
    for run in _runs(records):
        checked += len(run)
        found = list(dict.fromkeys(_of_run(run, predictors, unchecked)))
        if found:
            wrong.append((run[0].run, tuple(found)))
    return Audited(checked, tuple(wrong), dict(unchecked))


def _runs(records: Iterable[Record]) -> Iterator[list[Record]]:
    """The records of a choice, run by run; a run is over with the record of the action itself."""
    open_runs: dict[str, list[Record]] = {}
    for record in records:
        if record.decision is None or record.kind not in ("attempt", "call_model"):
            continue
        open_runs.setdefault(record.run, []).append(record)
        if record.kind == "call_model":
            yield open_runs.pop(record.run)
    yield from open_runs.values()


def _of_run(run: Sequence[Record], predictors: Predictors, unchecked: Counter[str]) -> Iterator[str]:
    first = run[0].decision
    for record in run:
        if record.decision is not None:
            yield from differences(record.decision, record.run)
            yield from _foretold(record, record.decision, predictors, unchecked)
            if record.decision != first:
                yield "its records tell of different choices"
    if first is not None:
        # Of attempts that were hedged the log may have the later one first.
        attempts = sorted([one for one in run if not _stands_in(one, run)], key=lambda one: one.attempt)
        yield from departures(first, [Tried(one.attempt, one.model, one.dropped) for one in attempts])


def _stands_in(record: Record, run: Sequence[Record]) -> bool:
    """Whether it is no attempt of its own: an answer that was not kept first is given in the end (`kept_anyway`)."""
    return not record.attempt and any(one is not record and one.model == record.model for one in run)


def _foretold(record: Record, decision: Decision, predictors: Predictors, unchecked: Counter[str]) -> Iterator[str]:
    """Whether what was expected of the candidates is what the named predictor expects."""
    version = decision.predictor
    if not version:
        if decision.novel or any(one.p is not None or one.seen for one in decision.candidates):
            yield "scores were expected, and no predictor is named"
        return
    if not predictors.may_decide(version, record.at):
        yield f"predictor {version} was not in force then"
    named = predictors.named(version)
    if named.wrong:
        yield named.wrong
    elif named.predictor is None:
        unchecked[named.unread] += 1
    else:
        yield from _expected(record.task, decision, named.predictor, unchecked)


def _expected(task: str, decision: Decision, predictor: "Predictor", unchecked: Counter[str]) -> Iterator[str]:
    from fairlead.routing.learned import NO_FEATURES

    looks = predictor.kind == "learned" and not decision.novel
    if decision.novel and predictor.kind == "static":
        yield "it calls a request novel by a predictor that looks at none"
    if looks:
        unchecked[PROMPTS] += 1
    expected = predictor.predict(task, NO_FEATURES, [one.model for one in decision.candidates], novel=True)
    for option, each in zip(decision.candidates, expected, strict=True):
        scores = (round(each.p * _PARTS), round(each.low * _PARTS), round(each.high * _PARTS))
        if option.seen != each.seen:
            yield f"{each.seen} such outcomes with {option.model!r} were seen, and the record says {option.seen}"
        elif looks:
            yield from _disordered(option)
        elif scores != (option.p, option.low, option.high):
            yield f"{option.model!r} is expected to score {scores[0] / _PARTS}, and the record says {_shown(option.p)}"


def _disordered(option: Option) -> Iterator[str]:
    p, low, high = option.p, option.low, option.high
    if p is None or low is None or high is None or not 0 <= low <= p <= high <= _PARTS:
        yield f"what is expected of {option.model!r} is no score within an interval"


def _shown(p: int | None) -> str:
    return "nothing" if p is None else str(p / _PARTS)


def _put_in_force(store: "Store") -> Iterator[tuple[int, str]]:
    """Since when which predictor decided, "" for none, oldest first."""
    from fairlead.storage.log import Log

    for row in Log(store).deeds():
        record = decode_record(row.record)
        if record.kind == "predictor":
            version = record.about.partition(",")[0]
            yield record.at, "" if version == _NO_PREDICTOR else version
