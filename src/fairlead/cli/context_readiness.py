"""`fairlead context inventory` and `fairlead context readiness`: what agents must know here, and how much of it is
there for whom."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final

import typer

from fairlead.cli.html_file import Html, require_page, write_page
from fairlead.cli.later import built
from fairlead.cli.output import Json, json_data, say, some, table
from fairlead.cli.place import Data, Workspace, find
from fairlead.cli.when import moment_ago, shown
from fairlead.clock import SystemClock
from fairlead.context.readiness import Basis, Facts, Inventory, Readiness, inventory, readiness
from fairlead.context.readiness.types import Decision, Estimate, departments_in
from fairlead.errors import BadInput, NotFound, closest

Since = Annotated[str, typer.Option("--since", help="Traffic from when: `30d`, `12h`, or a day such as 2026-11-21.")]
Folder = Annotated[bool, typer.Option("--folder", help="Look at the folder, even where something is published.")]
PeopleOf = Annotated[
    list[str] | None,
    typer.Option(
        "--people", help="Groups of people whom no key tells of, such as sales=everyone,sellers; may be repeated."
    ),
]

_FAILED: Final = 1
_SHOWN: Final = 40  # pieces of knowledge in a table
_NAMED: Final = 3


def inventory_command(
    since: Since = "30d",
    most: Annotated[int, typer.Option("-n", min=1, help="How many pieces of knowledge the table shows.")] = _SHOWN,
    folder: Folder = False,
    html: Html = None,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Which decisions agents make here, which knowledge each needs, what there is of it, whose it is, where it lives,
    how often it changes, and what somebody has to see to.

    Looks at what is published and at the drafts of the folder; before the first publish, at the folder alone.
    """
    from fairlead.cli.context_facts import Asked, gather  # brings the compiler

    require_page(html)
    facts = gather(find(workspace, data_folder), Asked(since=_since(since), folder=folder))
    found = inventory(facts)
    if html is not None:
        from fairlead.cli.inventory_page import inventory_page

        write_page(html, inventory_page(found))
    if json:
        json_data(found)
    else:
        _show_inventory(found, most)


def readiness_command(
    since: Since = "30d",
    department: Annotated[str, typer.Option("--department", help="Only this department's people.")] = "",
    task: Annotated[str, typer.Option("--task", help="Only this task type.")] = "",
    people: PeopleOf = None,
    at_least: Annotated[
        int | None, typer.Option("--at-least", min=0, max=100, help="End with status 1 below so many percent.")
    ] = None,
    most: Annotated[int, typer.Option("-n", min=1, help="How many things to see to next.")] = 5,
    folder: Folder = False,
    html: Html = None,
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """How much of the knowledge that task types require exists, is verified, current, visible to the people of each
    department and consistent; and what to see to next, by how many questions it stands in the way of.

    Rights are the policies' own, for the people who have keys here. Nothing is changed.
    """
    from fairlead.cli.context_facts import Asked, gather

    require_page(html)
    asked = Asked(since=_since(since), folder=folder, rights=True, people=_groups(people or ()))
    facts = _narrowed(gather(find(workspace, data_folder), asked), department, task)
    found = readiness(facts, most)
    if html is not None:
        from fairlead.cli.readiness_page import readiness_page

        write_page(html, readiness_page(found))
    if json:
        json_data(found)
    else:
        _show_readiness(found)
    if at_least is not None and (found.percent or 0) < at_least:
        said = "no task type says what it requires" if found.percent is None else f"{found.percent}% of it is ready"
        say(f"not ready: {said}, and {at_least}% is the least")
        raise typer.Exit(_FAILED)


def _since(text: str) -> int:
    return moment_ago(text, "--since", SystemClock().now())


def _groups(given: Iterable[str]) -> dict[str, frozenset[str]]:
    found = {}
    for each in given:
        name, mark, groups = each.partition("=")
        if not mark:
            raise BadInput(
                f"--people is {each!r}", why="it is a department, = and groups", mend="--people sales=everyone,sellers"
            )
        found[name.strip()] = frozenset(group.strip() for group in groups.split(",") if group.strip())
    return found


def _narrowed(facts: Facts, department: str, task: str) -> Facts:
    from dataclasses import replace

    departments = {people.department for people in facts.people}
    if department and department not in departments:
        raise NotFound(
            f"nobody is known of a department {department!r}",
            mend=closest(department, departments) or f"--people {department}=everyone",
        )
    tasks = {each.name for each in facts.tasks}
    if task and task not in tasks:
        raise NotFound(f"there is no task type {task!r}", mend=closest(task, tasks))
    return replace(
        facts,
        people=tuple(each for each in facts.people if department in ("", each.department)),
        tasks=tuple(each for each in facts.tasks if task in ("", each.name)),
    )


def _show_readiness(found: Readiness) -> None:
    table(
        ["task", "departments", "calls", "lacked", "ready", "exists", "verified", "current", "visible", "consistent"],
        [
            [
                row.task,
                departments_in(row, found.departments),
                str(row.calls),
                str(row.lacked),
                f"{row.percent}%",
                *(
                    f"{count}/{row.shares.of}"
                    for count in (
                        row.shares.exists,
                        row.shares.verified,
                        row.shares.current,
                        row.shares.visible,
                        row.shares.consistent,
                    )
                ),
            ]
            for row in found.rows
        ],
        right=["calls", "lacked", "ready", "exists", "verified", "current", "visible", "consistent"],
    )
    if found.estimates:
        print()
        _show_estimates(found.estimates)
    if found.steps:
        print()
        table(
            ["next", "calls", "owner", "how"],
            [[step.what, str(step.calls), step.owner, step.command] for step in found.steps],
            right=["calls"],
        )
    _say_readiness(found)


def _show_estimates(estimates: Sequence[Estimate]) -> None:
    table(
        ["task without `requires`", "calls", "cited", "uncited", "refused", "rested on"],
        [
            [
                each.task,
                str(each.calls),
                str(each.cited),
                str(each.uncited),
                str(each.refused),
                some([f"{page.id} ({page.remarks[0]})" if page.remarks else page.id for page in each.pages], _NAMED),
            ]
            for each in estimates
        ],
        right=["calls", "cited", "uncited", "refused"],
    )


def _say_readiness(found: Readiness) -> None:
    if found.percent is None:
        say("no task type says what it requires: add `requires` to tasks/NAME.yaml, or fairlead context start FUNCTION")
    else:
        say(f"{found.percent}% of what is required is ready, weighed by traffic")
    if found.estimates:
        say("task types without `requires` do not count: what they rest on is read off their answers' citations")
    assumed = [each.department for each in found.departments if not each.known]
    if assumed:
        names = ", ".join(name or "(none)" for name in assumed)
        say(f"nobody of {names} has a key here: they are judged by the department alone (--people says their groups)")
    _say_basis(found.basis)


def _say_basis(basis: Basis) -> None:
    what = f"revision {basis.revision}" if basis.source == "published" else "the folder; nothing of it need be in force"
    drafts = " and drafts in the folder" if basis.drafts and basis.source == "published" else ""
    say(f"looked at {what}{drafts}, and at traffic since {shown(basis.since)} UTC")
    if basis.waiting:
        say(f"not published, and so not looked at (--folder does): {', '.join(basis.waiting)}")
    if not basis.log_from:
        say("there is no traffic yet: all task types and departments weigh the same")
    elif basis.log_from > basis.since:
        say(f"the log begins at {shown(basis.log_from)} UTC: nothing is known of the time before")


def _show_inventory(found: Inventory, most: int) -> None:
    table(
        ["decision", "what", "calls", "asks first", "needs", "there"],
        [
            [
                each.name,
                each.sort,
                str(each.calls),
                some(each.approvers, _NAMED),
                some([line.need for line in each.needs], _NAMED)
                + (" (cited)" if each.estimated and each.needs else ""),
                f"{sum(line.state in ('there', 'live') for line in each.needs)}/{len(each.needs)}"
                if each.needs
                else "",
            ]
            for each in found.decisions
        ],
        right=["calls", "there"],
    )
    print()
    table(
        ["knowledge", "kind", "owner", "where", "changes", "needed by", "to see to"],
        [
            [
                each.id,
                each.kind,
                each.owner,
                each.where,
                _every(each.every, each.measured),
                some(each.tasks, _NAMED),
                ", ".join(each.remarks),
            ]
            for each in found.knowledge[:most]
        ],
    )
    if len(found.knowledge) > most:
        say(f"{len(found.knowledge) - most} more: -n {len(found.knowledge)}, --json or --html FILE shows all")
    remarks = ", ".join(f"{count} {remark}" for remark, count in found.counts.items() if remark != "all")
    say(f"{found.counts['all']} piece(s) of knowledge" + (f": {remarks}" if remarks else ""))
    _say_basis(found.basis)


def _there(decision: Decision) -> str:
    """Of how many declared needs there is something."""
    if decision.estimated or not decision.needs:
        return ""
    return f"{sum(line.state in ('there', 'live') for line in decision.needs)}/{len(decision.needs)}"


def _every(days: float | None, measured: bool) -> str:
    if days is None:
        return ""
    return f"every {days:g} d" + (" (measured)" if measured else " (declared)")


def commands() -> dict[str, Any]:
    return built(inventory=inventory_command, readiness=readiness_command)
