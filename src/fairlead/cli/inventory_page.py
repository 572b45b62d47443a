"""The inventory as a page of HTML."""

from collections.abc import Iterable, Iterator
from typing import Final

from fairlead.cli.page import Markup, Piece, figures, joined, name, page, table, tag
from fairlead.cli.readiness_page import basis_of, listed
from fairlead.context.readiness import Inventory
from fairlead.context.readiness.types import Decision, Knowledge, NeedLine, Sort

_STATES: Final = {"there": "good", "live": "good", "draft": "some", "missing": "none"}
_SORTS: Final[dict[Sort, tuple[str, str]]] = {
    "task": ("Kinds of work", "What agents are asked, and what they need to know for it."),
    "tool": ("What agents may change", "Tools that change something in a system, and whose word is needed before."),
    "flow": ("Approval flows", "Who decides where agents do not."),
}
_GRAVE: Final = frozenset({"expired", "review overdue", "no owner", "owner has left"})


def inventory_page(found: Inventory) -> str:
    """The report as one page."""
    return page(
        "Context inventory",
        found.basis.organisation,
        (*basis_of(found.basis), _hero(found)),
        *_decisions(found.decisions),
        _knowledge(found.knowledge),
    )


def _hero(found: Inventory) -> Markup:
    missing = sum(line.state == "missing" for each in found.decisions for line in each.needs)
    counts = [(str(count), remark) for remark, count in found.counts.items() if remark != "all"]
    return tag(
        "div",
        figures([(str(found.counts["all"]), "pieces of knowledge"), (str(missing), "needed and missing"), *counts]),
        class_="hero",
    )


def _decisions(decisions: tuple[Decision, ...]) -> Iterator[Markup]:
    for sort, (title, words) in _SORTS.items():
        mine = [each for each in decisions if each.sort == sort]
        if mine:
            yield tag("section", tag("h2", title), tag("p", words, class_="note"), _table(sort, title, mine))


def _table(sort: Sort, title: str, mine: Iterable[Decision]) -> Markup:
    if sort == "task":
        work = [(name(each.name), name(each.about), str(each.calls), _needs(each)) for each in mine]
        return table(title, ("kind of work", "what it is", "questions", "what it needs"), work, numbers=("questions",))
    rows = [
        (name(each.name), name(each.about), str(each.calls), listed(each.approvers) or "nobody", _needs(each))
        for each in mine
    ]
    return table(title, ("name", "what it is", "calls", "asks first", "written down in"), rows, numbers=("calls",))


def _needs(decision: Decision) -> Piece:
    if not decision.needs:
        return "not said" if decision.sort == "task" else None
    lines = tag("ul", *map(_need, decision.needs), class_="plain")
    return joined((tag("span", "not said; its answers cited", class_="note"), lines)) if decision.estimated else lines


def _need(line: NeedLine) -> Markup:
    where = ", ".join(line.pages or line.drafts) or line.wants
    return tag(
        "li",
        tag("span", line.state, class_=f"pill {_STATES[line.state]}"),
        " ",
        name(line.need),
        " ",
        tag("code", name(where)),
        joined((" · ", name(line.owner))) if line.owner else None,
    )


def _knowledge(knowledge: tuple[Knowledge, ...]) -> Markup:
    return tag(
        "section",
        tag("h2", "What there is"),
        tag("p", "What somebody has to see to comes first.", class_="note"),
        table(
            "Every piece of knowledge",
            ("title", "owner", "where it lives", "changes", "needed by", "cited", "to see to"),
            [_piece(each) for each in knowledge],
            numbers=("cited",),
        ),
    )


def _piece(each: Knowledge) -> tuple[Piece, ...]:
    return (
        joined((name(each.title), tag("span", each.kind, class_="kind"))),
        name(each.owner, "nobody"),
        tag("code", name(each.where)),
        _days(each),
        listed(each.tasks),
        str(each.cited),
        joined(tag("span", remark, class_=f"pill {'none' if remark in _GRAVE else 'some'}") for remark in each.remarks),
    )


def _days(each: Knowledge) -> Piece:
    said = (
        ("verified", each.verified),
        ("changed", each.changed),
        ("review by", each.review_by),
        ("expires", each.expires),
    )
    lines = [f"{words} {day}" for words, day in said if day]
    if each.every is not None:
        lines.insert(0, f"every {each.every:g} days ({'measured' if each.measured else 'declared'})")
    return tag("ul", *(tag("li", line) for line in lines), class_="plain days") if lines else None
