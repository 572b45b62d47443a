"""What to see to next: what stands in the way of most questions comes first, with who can do it and how."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from fairlead.context.readiness.facts import Draft, Facts
from fairlead.context.readiness.remarks import WEIGHTY, remarks_of
from fairlead.context.readiness.types import Row, Stand, Step, Verb
from fairlead.tasks.types import Outcome, Requirement, State, TaskType

GAPS: Final[Mapping[State, float]] = {
    "missing": 1.0, "hidden": 0.8, "contradicted": 0.9, "stale": 0.6, "unverified": 0.5, "met": 0.0,
}  # fmt: skip
"""How much of an answer's worth is lost where a need stands so."""

NOBODY: Final = "nobody yet"
_OLD_PAGE: Final = 0.4  # the same for a page that answers cite, though nobody declared that they need it
_UNDECLARED: Final = 0.3  # and for each refusal of a task type that declares nothing


class _Deed(NamedTuple):
    """What is to be done, however many needs ask for it."""

    verb: Verb
    what: str
    page: str
    owner: str
    command: str


class _Felt(NamedTuple):
    """Why: by which task type, for whom, in how many calls, and how much each of them loses."""

    task: str
    departments: tuple[str, ...]
    calls: int
    gap: float


def steps_of(facts: Facts, declared: Iterable[TaskType], rows: Iterable[Row]) -> list[Step]:
    """Every step, the weightiest first. The same deed is one step, whoever needs it."""
    felt: dict[_Deed, list[_Felt]] = {}
    for deed, why in (*_required(facts, declared, rows), *_estimated(facts)):
        felt.setdefault(deed, []).append(why)
    steps = (_step(deed, whys) for deed, whys in felt.items())
    return sorted(steps, key=lambda step: (-step.weight, step.verb, step.what))


def _step(deed: _Deed, whys: Sequence[_Felt]) -> Step:
    return Step(
        verb=deed.verb,
        what=deed.what,
        page=deed.page,
        owner=deed.owner,
        command=deed.command,
        tasks=tuple(sorted({why.task for why in whys})),
        departments=tuple(sorted({name for why in whys for name in why.departments})),
        calls=sum(why.calls for why in whys),
        weight=round(sum((why.calls + 1) * why.gap for why in whys), 2),
    )


def _required(facts: Facts, declared: Iterable[TaskType], rows: Iterable[Row]) -> Iterator[tuple[_Deed, _Felt]]:
    needs = {(task.name, need.name): need for task in declared for need in task.requires}
    for row in rows:
        for stand in row.needs:
            if stand.state != "met":
                need = needs[row.task, stand.need]
                gap = GAPS[stand.state] * _follows(need.outcomes[stand.state])
                yield _deed(facts, need, stand, row), _Felt(row.task, row.departments, row.calls, gap)


def _follows(outcome: Outcome) -> float:
    """How much worse it is where the work is refused for it than where it goes on, with a caveat or without."""
    return 1.0 if outcome.refuses else 0.7 if outcome.cautions else 0.4


def _deed(facts: Facts, need: Requirement, stand: Stand, row: Row) -> _Deed:
    owner = stand.owner or NOBODY
    if need.live:
        return _about_source(need, stand, owner)
    if stand.state == "missing":
        return _to_write(facts, need, owner)
    page = stand.pages[0]
    if stand.state == "hidden":
        names = ", ".join(name or "people without a department" for name in row.departments)
        what = f"show {page} to {names}, or write one for them"
        return _Deed("show", what, page, owner, f"edit `audience` in context/{page}.md")
    if stand.state == "contradicted":
        what = f"settle what pages disagree about: {', '.join(stand.pages[:2])}"
        return _Deed("settle", what, page, owner, "fairlead context requests")
    verb: Verb = "verify" if stand.state == "unverified" else "review"
    asks = "verify" if verb == "verify" else "look again at"
    return _Deed(verb, f"{asks} {page}: it {stand.reason}", page, owner, f"fairlead context verify {page}")


def _about_source(need: Requirement, stand: Stand, owner: str) -> _Deed:
    if stand.state == "missing":
        return _Deed("connect", f"declare the live source {need.live}", "", owner, "edit context/sources.yaml")
    return _Deed("show", f"let them call the tool behind {need.live}", "", owner, "edit policies/")


def _to_write(facts: Facts, need: Requirement, owner: str) -> _Deed:
    """A draft to finish, a pack to begin with, or a page to write."""
    draft = next(iter(drafts_for(facts, need)), None)
    if draft is not None:
        left = len(draft.questions)
        what = f"answer {left} question(s) in {draft.id}" if left else f"publish {draft.id}"
        return _Deed("publish", what, draft.id, draft.owner or owner, f"fairlead context publish {draft.id}")
    if need.item:
        return _Deed("write", f"write {need.item}", need.item, owner, f"edit context/{need.item}.md")
    pack = next((facts.packs[topic] for topic in sorted(need.topics) if topic in facts.packs), "")
    if pack:
        return _Deed("start", f"write {need.name}, from a pack", "", owner, f"fairlead context start {pack}")
    return _Deed("write", f"write {need.name}: {wants_of(need)}", "", owner, "edit a new page below context/")


def drafts_for(facts: Facts, need: Requirement) -> list[Draft]:
    """Drafts that would fill a need, the nearest to done first."""
    fit = (
        draft
        for draft in facts.drafts
        if draft.status != "retired"
        and (not need.item or draft.id == need.item)
        and (not need.kind or draft.kind == need.kind)
        and need.topics <= draft.topics
    )
    return sorted(fit, key=lambda draft: (len(draft.questions), draft.id))


def wants_of(need: Requirement) -> str:
    """What fits a need, in words."""
    if need.live:
        return f"live source {need.live}"
    if need.item:
        return f"page {need.item}"
    topics = f"topics {', '.join(sorted(need.topics))}" if need.topics else ""
    return ", ".join(filter(None, (f"kind {need.kind}" if need.kind else "", topics)))


def _estimated(facts: Facts) -> Iterator[tuple[_Deed, _Felt]]:
    """From task types that declare nothing: what their answers cite and is old, and that they were refused."""
    pages = {page.entry.id: page.entry for page in facts.pages}
    for task in facts.tasks:
        if task.requires:
            continue
        for id, times in facts.traffic.cited.get(task.name, {}).items():
            entry = pages.get(id)
            found = [each for each in remarks_of(entry, facts.today) if each in WEIGHTY] if entry is not None else []
            if entry is not None and found:
                what = f"look at {id} again: {found[0]}, and cited"
                command = f"fairlead context verify {id}"
                yield (
                    _Deed("review", what, id, entry.owner or NOBODY, command),
                    _Felt(task.name, (), times, _OLD_PAGE),
                )
        refused = facts.traffic.refused.get(task.name, 0)
        if refused:
            what = f"say what {task.name} requires: nothing was found {refused} times"
            deed = _Deed("declare", what, "", NOBODY, f"edit tasks/{task.name}.yaml")
            yield deed, _Felt(task.name, (), refused, _UNDECLARED)
