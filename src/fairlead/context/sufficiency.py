"""Is there enough? For each thing that a kind of work must rest on: whether a current, verified page of it is there
that the caller may read. Pure: no clock, no store, no search. That a text is like the question never decides.

Pages are known by what their owners say of them (`Known`). How a page stands hangs on the page and the day alone, so it
is worked out once a day; who may read is asked for each caller, once for each distinct access.

What a page may be, from worst to best, is `tasks.types.STATES`; the best that the caller may read decides. Only two
pages that would each meet the need can contradict each other about it, and only where the caller may read both: nothing
that somebody may not read bears on what they are told, but that where all pages are hidden the state is `hidden`. Of
that they hear `missing`, unless the requirement tells of it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final, NamedTuple, Protocol

from msgspec import Struct

from fairlead.context.edited import changed_after
from fairlead.context.kinds import CONTRADICTS
from fairlead.labels import Access, MayRead
from fairlead.tasks.types import MILD_TO_STRICT, RANK, Outcome, Requirement, State, TaskType

Accesses = tuple[Access, ...]
"""All of which somebody must be permitted: of a page of an older snapshot, those of then and those of now."""
Contradictions = Collection[frozenset[str]]
"""Pairs of ids of items that disagree."""

_NAMED: Final = 3  # pages that are told of, and put before the model, for one need
_STRICTNESS: Final = {does: number for number, does in enumerate(MILD_TO_STRICT)}
_AHEAD: Final = 1  # days: where the owner lives, it may be tomorrow already


class Known(Protocol):
    """What is known of a published page without reading it. Days are ISO days, "" for none; `verified`, `changed` and
    `edited` as of `edited.Verified`. `trusted` tells whether its source is, `fields` are those of its kind, by name."""

    @property
    def id(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def topics(self) -> frozenset[str]: ...
    @property
    def owner(self) -> str: ...
    @property
    def verified(self) -> str: ...
    @property
    def expires(self) -> str: ...
    @property
    def changed(self) -> str: ...
    @property
    def edited(self) -> str: ...
    @property
    def review_by(self) -> str: ...
    @property
    def trusted(self) -> bool: ...
    @property
    def fields(self) -> Mapping[str, tuple[str, ...]]: ...


class Standing(Struct, frozen=True):
    """How one need stands for one caller. `state` is the truth, for records and owners; `told` and `reason` are what
    the caller may hear. `pages` are those that decided, at most three, all of them readable for the caller."""

    requirement: Requirement
    state: State
    told: State
    pages: tuple[Known, ...] = ()
    reason: str = ""

    @property
    def outcome(self) -> Outcome:
        """What the task type wants done about it."""
        return self.requirement.outcomes[self.told]


class Fact(NamedTuple):
    """How one page stands towards one need, on one day."""

    page: Known
    state: State
    reason: str


class LiveState(NamedTuple):
    """How a live source answered. `reason` is a sentence of which the source is the subject."""

    state: State
    reason: str = ""


def day_of(at: int) -> int:
    """The day (proleptic, as `date.toordinal`) of a moment in milliseconds since 1970, UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).date().toordinal()


def strictest(standings: Iterable[Standing]) -> list[Standing]:
    """All, those with the strictest outcome first, in the order of their declaration where that is alike."""
    return sorted(standings, key=lambda each: -_STRICTNESS[each.outcome.does])


def answers(page: Known, requirement: Requirement) -> bool:
    """Whether the page is of what is needed."""
    return (
        (not requirement.item or page.id == requirement.item)
        and (not requirement.kind or page.kind == requirement.kind)
        and requirement.topics <= {topic.casefold() for topic in page.topics}
    )


def fact_of(page: Known, requirement: Requirement, today: int) -> Fact:
    """How a page stands by itself. `today` as `day_of` gives it.

    An expiry comes before everything. What only outsiders said needs somebody's word in any case. A day that lies ahead
    says nothing: whoever wrote it was mistaken, or the clock is.
    """
    expires = _ordinal(page.expires)
    if expires is not None and expires <= today:
        return Fact(page, "stale", f"expired on {page.expires}")
    aged = _too_old(page, requirement.fresh, today) if requirement.fresh is not None else ""
    if aged:
        return Fact(page, "stale", aged)
    doubt = _doubt(page, today) if requirement.verified or not page.trusted else ""
    return Fact(page, "unverified" if doubt else "met", doubt)


def _too_old(page: Known, fresh: int, today: int) -> str:
    latest = max(_past(page.verified, today) or 0, _past(page.changed, today) or 0)
    if not latest:
        return f"tells no day of its last check, which may be {_days(fresh)} ago at most"
    if today - latest <= fresh:
        return ""
    since = date.fromordinal(latest).isoformat()
    return f"was last verified or changed on {since}, {_days(today - latest)} ago, and {_days(fresh)} are allowed"


def _doubt(page: Known, today: int) -> str:
    """Why nobody's word stands for the page as it is."""
    if _past(page.verified, today) is None:
        return "was never verified" if page.trusted else "has words of outsiders, and was never verified"
    changed = changed_after(page)
    return f"was changed on {changed}, after it was verified on {page.verified}" if changed else ""


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _ordinal(day: str) -> int | None:
    return date.fromisoformat(day).toordinal() if day else None


def _past(day: str, today: int) -> int | None:
    """The day, None where there is none or it lies ahead."""
    ordinal = _ordinal(day)
    return ordinal if ordinal is not None and ordinal <= today + _AHEAD else None


class _Group(NamedTuple):
    """Pages for one need that are readable for the same callers: the best state among them, and who has it."""

    accesses: Accesses
    best: State
    facts: tuple[Fact, ...]


class Sufficiency:
    """The requirements of a revision's task types over the pages of its snapshot."""

    def __init__(self, types: Iterable[TaskType], pages: Sequence[tuple[Known, Accesses]]) -> None:
        self._answering = {
            (each.name, need.name): {page.id: (page, accesses) for page, accesses in pages if answers(page, need)}
            for each in types
            for need in each.requires
            if not need.live
        }
        self._declared = frozenset(
            frozenset((page.id, other)) for page, _ in pages for other in page.fields.get(CONTRADICTS, ())
        )
        self._today = -1
        self._groups: dict[tuple[str, str], tuple[_Group, ...]] = {}

    def standings(
        self,
        type_: TaskType,
        may_read: MayRead,
        today: int,
        live: Mapping[str, LiveState] = {},
        contradictions: Contradictions = (),
    ) -> tuple[Standing, ...]:
        """How each need of the task type stands, in the order of its declaration. `contradictions` are those beside
        what pages say of themselves. Errors of `may_read` pass through."""
        if self._declared:
            contradictions = self._declared.union(contradictions)
        if today != self._today:
            self._today, self._groups = today, {}
        return tuple(
            _of_source(need, live) if need.live else self._standing(type_, need, may_read, contradictions)
            for need in type_.requires
        )

    def _standing(
        self, type_: TaskType, need: Requirement, may_read: MayRead, contradictions: Contradictions
    ) -> Standing:
        key = type_.name, need.name
        groups = self._groups.get(key)
        if groups is None:
            groups = self._groups[key] = self._grouped(key, need)
        visible = [group for group in groups if all(map(may_read, group.accesses))]
        if not visible:
            return _absent(need, hidden=bool(groups))
        best = max((group.best for group in visible), key=RANK.__getitem__)
        if best == "met" and contradictions:
            pair = self._disagreeing(key, need, may_read, contradictions)
            if pair:
                return Standing(need, "contradicted", "contradicted", pair, "disagree about it")
        facts = [fact for group in visible if group.best == best for fact in group.facts]
        facts = sorted(facts, key=_newest)[:_NAMED]
        return Standing(need, best, best, tuple(fact.page for fact in facts), facts[0].reason)

    def _grouped(self, key: tuple[str, str], need: Requirement) -> tuple[_Group, ...]:
        by_access: dict[Accesses, list[Fact]] = {}
        for page, accesses in self._answering[key].values():
            by_access.setdefault(accesses, []).append(fact_of(page, need, self._today))
        return tuple(_group(accesses, facts) for accesses, facts in by_access.items())

    def _disagreeing(
        self, key: tuple[str, str], need: Requirement, may_read: MayRead, contradictions: Contradictions
    ) -> tuple[Known, ...]:
        """Two pages that disagree, of which each would meet the need for this caller; none where there are none."""
        known = self._answering[key]
        for pair in sorted(sorted(pair) for pair in contradictions if len(pair) == 2 and pair <= known.keys()):
            found = [known[each] for each in pair]
            if all(
                fact_of(page, need, self._today).state == "met" and all(map(may_read, accesses))
                for page, accesses in found
            ):
                return tuple(page for page, _ in found)
        return ()


def _group(accesses: Accesses, facts: list[Fact]) -> _Group:
    best = max((fact.state for fact in facts), key=RANK.__getitem__)
    named = sorted((fact for fact in facts if fact.state == best), key=_newest)
    return _Group(accesses, best, tuple(named[:_NAMED]))


def _newest(fact: Fact) -> tuple[int, str]:
    """What was verified or changed last comes first."""
    latest = max(fact.page.verified, fact.page.changed)
    return -(_ordinal(latest) or 0), fact.page.id


def _absent(need: Requirement, *, hidden: bool) -> Standing:
    state: State = "hidden" if hidden else "missing"
    return Standing(need, state, state if need.tell_hidden else "missing")


def _of_source(need: Requirement, live: Mapping[str, LiveState]) -> Standing:
    answer = live.get(need.live, _NOT_ASKED)
    told: State = "missing" if answer.state == "hidden" and not need.tell_hidden else answer.state
    return Standing(need, answer.state, told, (), "" if told != answer.state else answer.reason)


_NOT_ASKED: Final = LiveState("missing", "did not answer")
