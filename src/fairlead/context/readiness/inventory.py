"""Which decisions agents make here, which knowledge they need for them, and what there is of it: whose it is, where it
lives, how often it changes, and what somebody has to see to."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from fairlead.context.readiness.facts import Act, Draft, Facts, Page
from fairlead.context.readiness.remarks import draft_remarks, rate_of, remarks_of
from fairlead.context.readiness.shelf import Shelf
from fairlead.context.readiness.steps import drafts_for, wants_of
from fairlead.context.readiness.types import Decision, Inventory, Knowledge, NeedLine, There
from fairlead.tasks.types import Requirement, TaskType

ALL = "all"


def inventory(facts: Facts) -> Inventory:
    """The report."""
    decisions = (*_kinds_of_work(facts), *_acts(facts), *_flows(facts))
    knowledge = tuple(_knowledge(facts, decisions))
    counts = Counter(remark for each in knowledge for remark in each.remarks)
    return Inventory(
        basis=facts.basis,
        decisions=decisions,
        knowledge=knowledge,
        counts={ALL: len(knowledge), **dict(sorted(counts.items()))},
    )


def _kinds_of_work(facts: Facts) -> Iterator[Decision]:
    shelf = Shelf(facts.pages)
    for task in sorted(facts.tasks, key=lambda each: (-facts.traffic.of_task(each.name), each.name)):
        yield Decision(
            sort="task",
            name=task.name,
            about=task.description,
            calls=facts.traffic.of_task(task.name),
            approvers=(),
            needs=tuple(_need(facts, shelf, each) for each in task.requires) or tuple(_cited(facts, task)),
            estimated=not task.requires,
        )


def _need(facts: Facts, shelf: Shelf, need: Requirement) -> NeedLine:
    if need.live:
        state: There = "live" if need.live in facts.live else "missing"
        return NeedLine(
            need=need.name, wants=wants_of(need), state=state, pages=(), drafts=(), owner=need.owner
        )  # fmt: skip
    pages, drafts = [page.entry for page in shelf.answering(need)], drafts_for(facts, need)
    owner = next((entry.owner for entry in pages if entry.owner), need.owner)
    return NeedLine(
        need=need.name,
        wants=wants_of(need),
        state="there" if pages else "draft" if drafts else "missing",
        pages=tuple(entry.id for entry in pages),
        drafts=tuple(draft.id for draft in drafts),
        owner=owner,
    )


def _cited(facts: Facts, task: TaskType) -> Iterator[NeedLine]:
    """What the answers of a kind of work rested on, where nobody says what they must rest on."""
    there = {page.entry.id: page.entry for page in facts.pages}
    cited = facts.traffic.cited.get(task.name, {})
    for id in sorted(cited, key=lambda each: (-cited[each], each))[:5]:
        entry = there.get(id)
        yield NeedLine(
            need=entry.title if entry else id,
            wants=f"cited {cited[id]} times",
            state="there" if entry else "missing",
            pages=(id,) if entry else (),
            drafts=(),
            owner=entry.owner if entry else "",
        )


def _acts(facts: Facts) -> Iterator[Decision]:
    flows = [page.entry for page in facts.pages if page.entry.kind == "flow"]
    for act in facts.acts:
        covering = [entry for entry in flows if act.tool in entry.fields.get("covers", ())]
        yield Decision(
            sort="tool",
            name=act.tool,
            about=act.about,
            calls=facts.traffic.tools.get(act.tool, 0),
            approvers=_approvers(act, facts.approvers),
            needs=tuple(
                NeedLine(
                    need=f"approval flow of {act.tool}", wants="kind flow", state="there", pages=(entry.id,), drafts=(),
                    owner=entry.owner,
                )
                for entry in covering
            ),
        )  # fmt: skip


def _approvers(act: Act, known: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(
        f"{role} ({', '.join(known[role])})" if known.get(role) else f"{role} (nobody is named)"
        for role in act.approvals
    )


def _flows(facts: Facts) -> Iterator[Decision]:
    for page in facts.pages:
        entry = page.entry
        if entry.kind == "flow":
            yield Decision(
                sort="flow",
                name=entry.id,
                about=entry.title,
                calls=sum(facts.traffic.tools.get(each, 0) for each in entry.fields.get("covers", ())),
                approvers=entry.fields.get("approvers", ()),
                needs=(),
            )


def _knowledge(facts: Facts, decisions: Iterable[Decision]) -> Iterator[Knowledge]:
    """What somebody has to see to comes first, of that what is needed, of that what answers cite most."""
    needed: dict[str, list[str]] = {}
    for decision in decisions:
        for line in decision.needs:
            for id in (*line.pages, *line.drafts):
                needed.setdefault(id, []).append(decision.name)
    cited = Counter[str]()
    for some in facts.traffic.cited.values():
        cited.update(some)
    found = [_published(facts, page, needed, cited) for page in facts.pages]
    found += [_draft(facts, draft, needed) for draft in facts.drafts]
    yield from sorted(found, key=lambda each: (not each.remarks, not each.tasks, -each.cited, each.id))


def _published(facts: Facts, page: Page, needed: Mapping[str, list[str]], cited: Mapping[str, int]) -> Knowledge:
    entry = page.entry
    rate = rate_of(entry, facts.rates)
    return Knowledge(
        id=entry.id,
        title=entry.title,
        kind=entry.kind,
        status="published",
        owner=entry.owner,
        where=f"{entry.source}: {entry.origin}" if entry.source else f"context/{entry.id}.md",
        every=round(rate.days, 1) if rate else None,
        measured=bool(rate and rate.measured),
        changed=max(entry.changed, entry.edited),
        verified=entry.verified,
        review_by=entry.review_by,
        expires=entry.expires,
        remarks=remarks_of(entry, facts.today, facts.gone),
        tasks=tuple(sorted(set(needed.get(entry.id, ())))),
        cited=cited.get(entry.id, 0),
        requests=facts.requests.get(entry.id, 0),
    )


def _draft(facts: Facts, draft: Draft, needed: Mapping[str, list[str]]) -> Knowledge:
    return Knowledge(
        id=draft.id,
        title=draft.title,
        kind=draft.kind,
        status=draft.status,
        owner=draft.owner,
        where=f"context/{draft.id}.md",
        every=None,
        measured=False,
        changed="",
        verified="",
        review_by=draft.review_by,
        expires="",
        remarks=draft_remarks(draft),
        tasks=tuple(sorted(set(needed.get(draft.id, ())))),
        cited=0,
        requests=facts.requests.get(draft.id, 0),
    )
