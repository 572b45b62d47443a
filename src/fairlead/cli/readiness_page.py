"""Readiness as a page of HTML."""

from collections.abc import Iterator, Sequence
from typing import Final

from fairlead.cli.page import Markup, Piece, bar, figures, grade, joined, name, page, ring, table, tag
from fairlead.cli.when import shown
from fairlead.context.readiness import Basis, Readiness
from fairlead.context.readiness.types import Department, Estimate, Row, Stand, Step, departments_in
from fairlead.tasks.types import State

_STATES: Final[dict[State, tuple[str, str]]] = {
    "met": ("good", "ready"),
    "unverified": ("some", "not verified"),
    "stale": ("some", "too old"),
    "contradicted": ("none", "contradicted"),
    "hidden": ("none", "not for them"),
    "missing": ("none", "missing"),
}
_SHARES: Final = ("exists", "verified", "current", "visible", "consistent")


def readiness_page(found: Readiness) -> str:
    """The report as one page."""
    return page(
        "Context readiness",
        found.basis.organisation,
        (*basis_of(found.basis), _hero(found)),
        _next(found.steps),
        _by_department(found.departments),
        _by_task(found.rows, found.departments),
        *_in_detail(found.rows, found.departments),
        *_estimated(found.estimates),
        _reading(),
    )


def basis_of(basis: Basis) -> Iterator[Markup]:
    """What was looked at, in words."""
    if basis.source == "published":
        what = joined(("Looked at what is published, revision ", tag("code", basis.revision)))
        if basis.drafts:
            what = joined((what, ", and at the drafts in the folder"))
    else:
        what = joined(("Looked at the folder as it is; nothing of it need be in force",))
    day = shown(basis.at)[:16]
    traffic = f" Traffic since {shown(basis.since)[:10]}." if basis.log_from else " There is no traffic yet."
    yield tag("p", what, f". As of {day} UTC.", traffic, class_="note")
    if basis.log_from > basis.since:
        yield tag("p", f"The log begins on {shown(basis.log_from)[:10]}: nothing is known before.", class_="note")


def _hero(found: Readiness) -> Markup:
    if found.percent is None:
        return tag("p", "No task type says yet what it requires: add `requires` to a file of tasks/.")
    needs = {(row.task, stand.need) for row in found.rows for stand in row.needs}
    open_ = {(row.task, stand.need) for row in found.rows for stand in row.needs if stand.state != "met"}
    return tag(
        "div",
        ring(found.percent, f"{found.percent} percent of what is required is ready"),
        figures(
            [
                (str(len({row.task for row in found.rows})), "kinds of work that say what they need"),
                (str(len(needs)), "things that they need"),
                (str(len(open_)), "of these to be seen to"),
                (str(sum(row.calls for row in found.rows)), "questions"),
            ]
        ),
        class_="hero",
    )


def _next(steps: tuple[Step, ...]) -> Markup:
    if not steps:
        return tag("section", tag("h2", "Next"), tag("p", "Nothing stands in the way of what is asked."))
    return tag(
        "section",
        tag("h2", "Next"),
        tag("p", "What stands in the way of most questions comes first.", class_="note"),
        tag("ol", *map(_step, steps), class_="steps"),
    )


def _step(step: Step) -> Markup:
    for_ = ", ".join(step.tasks)
    calls = f", {step.calls} questions" if step.calls else ""
    return tag(
        "li",
        tag("strong", name(step.what)),
        joined(("Owner: ", name(step.owner), ". For ", name(for_), calls, ".")),
        tag("br"),
        tag("code", step.command),
    )


def _percent(percent: int) -> Markup:
    return tag("span", f"{percent}%", class_=f"pill {grade(percent)}")


def _by_department(departments: tuple[Department, ...]) -> Markup:
    if not departments:
        return tag("section")
    rows = [
        (
            name(each.department, "no department"),
            _percent(each.percent),
            str(each.calls),
            str(each.people) if each.known else "nobody has a key: judged by the department alone",
        )
        for each in departments
    ]
    return tag(
        "section",
        tag("h2", "By department"),
        table("What each department's people would find", ("department", "ready", "questions", "people"), rows,
              numbers=("questions",)),
    )  # fmt: skip


def _by_task(rows: tuple[Row, ...], departments: tuple[Department, ...]) -> Markup:
    if not rows:
        return tag("section")
    cells: list[Sequence[Piece]] = [
        (
            name(row.task),
            name(departments_in(row, departments)),
            str(row.calls),
            str(row.lacked),
            _percent(row.percent),
            *(_share(row, share) for share in _SHARES),
        )
        for row in rows
    ]
    columns = ("kind of work", "departments", "questions", "lacked", "ready", *_SHARES)
    return tag(
        "section",
        tag("h2", "By kind of work"),
        table("How much of what is required is there", columns, cells, numbers=("questions", "lacked")),
    )


def _share(row: Row, share: str) -> Markup:
    count: int = getattr(row.shares, share)
    return bar(count, row.shares.of, f"{count}/{row.shares.of}")


def _in_detail(rows: tuple[Row, ...], departments: tuple[Department, ...]) -> Iterator[Markup]:
    if rows:
        yield tag("h2", "Need by need")
    for row in rows:
        yield tag(
            "section",
            tag("h3", name(row.task), " · ", name(departments_in(row, departments))),
            table(
                f"What {row.task} needs",
                ("need", "stands", "why", "pages", "owner", "may read it"),
                [_need(stand) for stand in row.needs],
                numbers=("may read it",),
            ),
        )


def _need(stand: Stand) -> tuple[Piece, ...]:
    kind, words = _STATES[stand.state]
    return (
        name(stand.need),
        tag("span", words, class_=f"pill {kind}"),
        name(stand.reason, ""),
        listed(stand.pages),
        name(stand.owner, "nobody yet"),
        f"{stand.may} of {stand.people}",
    )


def listed(names: tuple[str, ...]) -> Markup | None:
    """Names one below the other."""
    return tag("ul", *(tag("li", tag("code", name(each))) for each in names), class_="plain") if names else None


def _estimated(estimates: tuple[Estimate, ...]) -> Iterator[Markup]:
    if not estimates:
        return
    yield tag("h2", "Kinds of work that do not say what they need")
    yield tag(
        "p",
        "They do not count above. What their answers cited is known; what they lacked is not. Say it with `requires` "
        "in tasks/NAME.yaml.",
        class_="note",
    )
    yield table(
        "What answers rested on",
        ("kind of work", "questions", "with a page", "without one", "refused", "pages"),
        [
            (
                name(each.task),
                str(each.calls),
                bar(each.cited, each.calls, f"{each.cited} of {each.calls}"),
                str(each.uncited),
                str(each.refused),
                listed(
                    tuple(
                        f"{cited.id} · {cited.times}×" + "".join(f" · {r}" for r in cited.remarks[:1])
                        for cited in each.pages
                    )
                ),
            )
            for each in estimates
        ],
        numbers=("questions", "without one", "refused"),
    )


def _reading() -> Markup:
    return tag(
        "section",
        tag("h2", "How to read this"),
        tag(
            "p",
            "Ready is what a request would find: a page of the kind, with the topics, current, verified where that is "
            "asked, that every one of the people may read, and that no other page contradicts. The five shares say "
            "which of these is lacking. Lacked are the questions in which something was, at that time. The percentage "
            "weighs each kind of work and department by its questions.",
            class_="note",
        ),
    )
