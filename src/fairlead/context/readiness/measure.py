"""How much of the required context is there, task type by task type, for the people of each department.

Whether a need is met is decided by the very code that decides it for a request (`context.sufficiency`); the shares
beside it say what of it is lacking. A task type without `requires` is told of apart: what its answers cited is known,
what they lacked is not.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final

from msgspec.structs import replace

from fairlead.context.catalogue import Entry
from fairlead.context.readiness.facts import Facts, Page, People, Reader
from fairlead.context.readiness.remarks import remarks_of
from fairlead.context.readiness.shelf import Shelf
from fairlead.context.readiness.steps import steps_of, wants_of
from fairlead.context.readiness.types import CitedPage, Department, Estimate, Readiness, Row, Shares, Stand
from fairlead.context.sufficiency import LiveState, Standing, Sufficiency, fact_of
from fairlead.tasks.types import RANK, Requirement, TaskType

MOST_STEPS: Final = 5
_CITED: Final = 5  # pages that are told of for a task type without needs
_NAMED: Final = 3  # pages of a need that are named where none decides
_WHY: Final = {
    "missing": "there is no page: {wants}",
    "hidden": "its audience leaves them out",
    "contradicted": "its owner was told of pages that disagree",
}

Stands = Mapping[tuple[str, str], tuple[Stand, ...]]
"""How the needs of a task type stand for a department."""


def readiness(facts: Facts, most: int = MOST_STEPS) -> Readiness:
    """The report, with so many steps at most. Errors of what readers may do pass through."""
    declared = [each for each in facts.tasks if each.requires]
    rows = tuple(_rows(facts, declared, _all_stands(facts, declared)))
    return Readiness(
        basis=facts.basis,
        percent=_percent(rows),
        departments=tuple(_departments(facts, rows)),
        rows=rows,
        estimates=tuple(_estimate(facts, each) for each in facts.tasks if not each.requires),
        steps=tuple(steps_of(facts, declared, rows)[:most]),
    )


def _all_stands(facts: Facts, declared: list[TaskType]) -> Stands:
    shelf = Shelf(facts.pages)
    matching = {(task.name, need.name): shelf.answering(need) for task in declared for need in task.requires}
    concerned = {page.entry.id: page for some in matching.values() for page in some}
    sufficiency = Sufficiency(declared, [(page.entry, (page.access,)) for page in concerned.values()])
    today, disagree = facts.today.toordinal(), facts.disagree
    found: dict[tuple[str, str], tuple[Stand, ...]] = {}
    for task in declared:
        for people in _askers(facts, task):
            told = [
                sufficiency.standings(task, reader.may_read, today, _live(facts.live, reader), disagree)
                for reader in people.readers
            ]
            found[task.name, people.department] = tuple(
                _of_source(facts, need, [each[number] for each in told], people.readers)
                if need.live
                else _stand(
                    facts, task, need, matching[task.name, need.name], [each[number] for each in told], people.readers
                )
                for number, need in enumerate(task.requires)
            )
    return found


def _askers(facts: Facts, task: TaskType) -> Iterable[People]:
    """Those who asked for the task type; where nobody did, everybody who could."""
    asked = [each for each in facts.people if facts.traffic.calls.get((task.name, each.department))]
    return asked or facts.people


def _live(sources: Mapping[str, str], reader: Reader) -> dict[str, LiveState]:
    """How live sources would answer, as far as rights tell: they are asked only when somebody needs them."""
    return {name: LiveState("met" if reader.may_call(tool) else "hidden") for name, tool in sources.items()}


def _of_source(facts: Facts, need: Requirement, told: list[Standing], readers: tuple[Reader, ...]) -> Stand:
    """A live source is as current and as true as the system that it is read from."""
    there, people = need.live in facts.live, sum(reader.people for reader in readers)
    may = sum(reader.people for reader in readers if there and reader.may_call(facts.live[need.live]))
    return Stand(
        need=need.name,
        state=_worst(told).state,
        exists=there,
        verified=there,
        current=there,
        visible=there and may == people,
        consistent=there,
        may=may,
        people=people,
        pages=(f"live:{need.live}",) if there else (),
        reason="",
        owner=need.owner,
    )


def _stand(
    facts: Facts,
    task: TaskType,
    need: Requirement,
    matching: list[Page],
    told: list[Standing],
    readers: tuple[Reader, ...],
) -> Stand:
    worst, people = _worst(told), sum(reader.people for reader in readers)
    disputed = (task.name, need.name) in facts.disputed
    state = "contradicted" if disputed and worst.state == "met" else worst.state
    accesses = {page.access for page in matching}
    allowed = [frozenset(filter(reader.may_read, accesses)) for reader in readers]
    may = sum(reader.people for reader, some in zip(readers, allowed, strict=True) if some)
    seen = frozenset().union(*allowed)
    mine = [page for page in matching if page.access in seen] or matching
    return Stand(
        need=need.name,
        state=state,
        exists=bool(matching),
        verified=any(_is_verified(page.entry, need, facts.today) for page in mine),
        current=any(_is_current(page.entry, need, facts.today) for page in mine),
        visible=bool(matching) and may == people,
        consistent=bool(matching) and not disputed and all(each.state != "contradicted" for each in told),
        may=may,
        people=people,
        pages=tuple(dict.fromkeys(page.id for each in told for page in each.pages))
        or tuple(page.entry.id for page in mine[:_NAMED]),
        reason=worst.reason or _WHY.get(state, "").format(wants=wants_of(need)),
        owner=next((page.entry.owner for page in mine if page.entry.owner), need.owner),
    )


def _worst(told: Iterable[Standing]) -> Standing:
    return min(told, key=lambda each: RANK[each.state])


def _is_verified(entry: Entry, need: Requirement, today: date) -> bool:
    """Whether somebody's word stands for it as it is, however old that is."""
    ageless = replace(entry, expires="") if entry.expires else entry
    return fact_of(ageless, replace(need, fresh=None, verified=True), today.toordinal()).state == "met"


def _is_current(entry: Entry, need: Requirement, today: date) -> bool:
    """Whether it is young enough, whoever has verified it."""
    return fact_of(entry, need, today.toordinal()).state != "stale"


def _shares(stands: tuple[Stand, ...]) -> Shares:
    return Shares(
        of=len(stands),
        exists=sum(each.exists for each in stands),
        verified=sum(each.verified for each in stands),
        current=sum(each.current for each in stands),
        visible=sum(each.visible for each in stands),
        consistent=sum(each.consistent for each in stands),
        ready=sum(each.state == "met" for each in stands),
    )


def _rows(facts: Facts, declared: Iterable[TaskType], stands: Stands) -> Iterator[Row]:
    """Departments that stand alike share a row, the busiest row of a task type first."""
    for task in declared:
        alike: dict[tuple[object, ...], list[People]] = {}
        for people in facts.people:
            mine = stands.get((task.name, people.department))
            if mine is not None:
                key = tuple((each.state, each.visible, each.verified, each.current, each.pages) for each in mine)
                alike.setdefault(key, []).append(people)
        found = [_row(facts, task, some, stands) for some in alike.values()]
        yield from sorted(found, key=lambda row: (-row.calls, row.departments))


def _row(facts: Facts, task: TaskType, some: list[People], stands: Stands) -> Row:
    each_by = [stands[task.name, people.department] for people in some]
    needs = tuple(
        replace(same[0], may=sum(each.may for each in same), people=sum(each.people for each in same))
        for same in zip(*each_by, strict=True)
    )
    shares = _shares(needs)
    return Row(
        task=task.name,
        departments=tuple(people.department for people in some),
        calls=sum(facts.traffic.calls.get((task.name, people.department), 0) for people in some),
        lacked=sum(facts.traffic.lacked.get((task.name, people.department), 0) for people in some),
        people=sum(reader.people for people in some for reader in people.readers),
        shares=shares,
        percent=shares.percent,
        needs=needs,
    )


def _percent(rows: Iterable[Row]) -> int | None:
    """Each row by its traffic. One is added, so that what nobody has asked yet counts a little."""
    weighed = [(row.calls + 1, row.shares) for row in rows]
    whole = sum(weight * shares.of for weight, shares in weighed)
    return 100 * sum(weight * shares.ready for weight, shares in weighed) // whole if whole else None


def _departments(facts: Facts, rows: tuple[Row, ...]) -> Iterator[Department]:
    for people in facts.people:
        mine = [
            replace(row, calls=facts.traffic.calls.get((row.task, people.department), 0))
            for row in rows
            if people.department in row.departments
        ]
        percent = _percent(mine)
        if percent is not None:
            yield Department(
                department=people.department,
                people=sum(reader.people for reader in people.readers) if people.known else 0,
                known=people.known,
                calls=sum(row.calls for row in mine),
                percent=percent,
            )


def _estimate(facts: Facts, task: TaskType) -> Estimate:
    traffic, pages = facts.traffic, {page.entry.id: page.entry for page in facts.pages}
    calls, cited = traffic.of_task(task.name), traffic.cited.get(task.name, {})
    refused, uncited = traffic.refused.get(task.name, 0), traffic.uncited.get(task.name, 0)
    most = sorted(cited, key=lambda id: (-cited[id], id))[:_CITED]
    return Estimate(
        task=task.name,
        calls=calls,
        cited=max(0, calls - refused - uncited),
        uncited=uncited,
        refused=refused,
        pages=tuple(
            CitedPage(
                id=id,
                times=cited[id],
                remarks=remarks_of(pages[id], facts.today) if id in pages else ("not published any more",),
            )
            for id in most
        ),
    )
