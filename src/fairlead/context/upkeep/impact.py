"""Which answers rested on what has changed since: who was told what, in which kinds of work. Pure.

It is told of records, of fates and of the pages in force, and gives back what it concerns, the gravest first.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, Protocol

from msgspec import Struct

from fairlead.context.catalogue import Catalogue, Entry
from fairlead.context.citations import Reference, reference_of
from fairlead.context.edited import changed_after
from fairlead.context.upkeep.drift import Fate

SEVERITY: Final = {"gone": 4, "changed": 4, "expired": 3, "outdated": 2, "review": 1}
"""How grave it is, for ranking: an answer that rests on what says otherwise now is worse than one that rests on what
nobody has looked at for long."""
Due = Literal["expired", "outdated", "review"]
_MOST_RUNS: Final = 20
_CITES: Final = b'"citations":['


class Answered(Protocol):
    """An action, as its record has it: `at` in milliseconds since 1970, `person` by pseudonymous id, `citations` as
    `item@version#identity`."""

    @property
    def run(self) -> str: ...
    @property
    def at(self) -> int: ...
    @property
    def task(self) -> str: ...
    @property
    def person(self) -> str: ...
    @property
    def citations(self) -> Sequence[str]: ...


def cites(record: bytes) -> bool:
    """Whether a record, as the log has it, cites anything: most of a busy log does not and need not be decoded."""
    return _CITES in record


def cited_in(records: Iterable[Answered]) -> tuple[dict[Reference, list[Answered]], dict[str, list[Answered]]]:
    """The answers by what they cited: by each very citation, and by item."""
    by_citation: dict[Reference, list[Answered]] = {}
    by_item: dict[str, list[Answered]] = {}
    known: dict[str, Reference] = {}
    for record in records:
        items = set[str]()
        for text in record.citations:
            citation = known.get(text) or known.setdefault(text, reference_of(text))
            by_citation.setdefault(citation, []).append(record)
            items.add(citation.item)
        for item in items:
            by_item.setdefault(item, []).append(record)
    return by_citation, by_item


class Affected(Struct, frozen=True, kw_only=True):
    """One item, what is the matter with it (`why`: of `SEVERITY`), and the answers that rest on it. `sections` are
    those cited that are not as they were, each with its fate; `now` is the version in force, "" where there is none;
    `since` the day on which it fell due, "" for a change."""

    item: str
    title: str
    owner: str
    why: str
    since: str
    now: str
    sections: tuple[tuple[str, str], ...]
    answers: int
    persons: tuple[str, ...]
    tasks: Mapping[str, int]
    runs: tuple[str, ...]
    last_at: int
    weight: int


def affected(
    by_citation: Mapping[Reference, Sequence[Answered]],
    by_item: Mapping[str, Sequence[Answered]],
    fates: Mapping[Reference, Fate],
    catalogue: Catalogue,
    today: str,
    *,
    untouched: bool,
) -> list[Affected]:
    """What is the matter with what was cited, the weightiest first. `untouched`: and with what nobody cited."""
    stale: dict[str, dict[Reference, Fate]] = {}
    for citation, fate in fates.items():
        if fate.stale:
            stale.setdefault(citation.item, {})[citation] = fate
    found = [_changed(item, each, by_citation, catalogue) for item, each in stale.items()]
    for entry in catalogue.entries:
        told = by_item.get(entry.id, ())
        if told or untouched:
            found += [_due(entry, why, since, told) for why, since in due_of(entry, today)]
    return sorted(found, key=lambda each: (-each.weight, -each.answers, each.item, each.why))


class Dated(Protocol):
    """The days of a page, "" for none."""

    @property
    def verified(self) -> str: ...
    @property
    def changed(self) -> str: ...
    @property
    def edited(self) -> str: ...
    @property
    def expires(self) -> str: ...
    @property
    def review_by(self) -> str: ...


def due_of(entry: Dated, today: str) -> list[tuple[Due, str]]:
    """What is the matter with a page by its own dates: each with the day since which it is."""
    if entry.expires and entry.expires <= today:
        return [("expired", entry.expires)]
    found: list[tuple[Due, str]] = []
    if changed := changed_after(entry):
        found.append(("outdated", changed))
    if entry.review_by and entry.review_by < today:
        found.append(("review", entry.review_by))
    return found


def weight_of(why: str, answers: int) -> int:
    """How urgent: severity by traffic. What nobody has cited counts as a tenth of an answer."""
    return SEVERITY.get(why, 1) * (10 * answers or 1)


def _changed(
    item: str,
    stale: Mapping[Reference, Fate],
    by_citation: Mapping[Reference, Sequence[Answered]],
    catalogue: Catalogue,
) -> Affected:
    entry = catalogue.by_id.get(item)
    answers = {record.run: record for citation in stale for record in by_citation.get(citation, ())}
    gone = all(fate.state == "gone" for fate in stale.values())
    return _affected(
        item,
        entry,
        "gone" if gone else "changed",
        "",
        list(answers.values()),
        tuple(sorted({(str(citation), fate.state) for citation, fate in stale.items()})),
    )


def _due(entry: Entry, why: str, since: str, told: Sequence[Answered]) -> Affected:
    return _affected(entry.id, entry, why, since, told, ())


def _affected(
    item: str,
    entry: Entry | None,
    why: str,
    since: str,
    answers: Sequence[Answered],
    sections: tuple[tuple[str, str], ...],
) -> Affected:
    return Affected(
        item=item,
        title=entry.title if entry is not None else "",
        owner=entry.owner if entry is not None else "",
        why=why,
        since=since,
        now=entry.version if entry is not None else "",
        sections=sections,
        answers=len(answers),
        persons=tuple(sorted({record.person for record in answers})),
        tasks=dict(sorted(Counter(record.task for record in answers).items())),
        runs=tuple(record.run for record in answers[-_MOST_RUNS:]),
        last_at=max((record.at for record in answers), default=0),
        weight=weight_of(why, len(answers)),
    )
