"""What `context add` and `context sync` share: what they work with, and how they tell what came of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any, Final

import typer

from fairlead.cli.output import data, json_data, progress, say
from fairlead.cli.place import Place, for_programs
from fairlead.clock import SystemClock
from fairlead.context.sources.documents import Converter
from fairlead.context.sources.report import Outcome, Report, What, Work
from fairlead.context.sources.sync import sync
from fairlead.context.sources.types import Reach
from fairlead.workspace.declared import Declared

_MOST_SHOWN: Final = 20  # outcomes of one kind, for people; --json tells all
_WORDS: Final[dict[What, str]] = {
    "added": "added",
    "changed": "changed",
    "moved": "moved",
    "gone": "gone at the source",
    "kept": "left alone",
    "broken": "broken",
}
NEXT: Final = "next: look at the diff, then fairlead check, fairlead apply, fairlead context search WORDS"


def synced(
    place: Place, found: Declared, names: Iterable[str], resources: Any, accept_empty: bool, dry_run: bool
) -> list[Report]:
    """Sync these sources one after the other, with a bar for each."""
    reports = []
    with Converter() as documents:
        for name in names:
            with bar(f"syncing {name}") as step:
                work = Work(
                    context=place.workspace / "context",
                    defaults=found.defaults,
                    reach=reach_of(place, resources),
                    documents=documents,
                    progress=step,
                    dry_run=dry_run,
                    accept_empty=accept_empty,
                )
                reports.append(sync(name, found.sources[name], work))
    return reports


def reach_of(place: Place, resources: Any) -> Reach:
    """What drivers of sources may use on this machine, as the command line has it."""
    return Reach(
        workspace=place.workspace,
        copies=place.data / "sources",
        environment=for_programs(),
        resources=resources,
        now=SystemClock().now(),
    )


@contextmanager
def resources_of(place: Place, key: str) -> Iterator[Any]:
    """The resources of systems, asked for by whoever the key is of; let go of at the end."""
    from fairlead.cli.resources_asked import AskedResources

    with closing(AskedResources(place, key)) as resources:
        yield resources


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar whose length is known when the first step is told."""
    with ExitStack() as stack:
        advance: Any = None
        so_far = 0

        def step(done: int, total: int) -> None:
            nonlocal advance, so_far
            if advance is None:
                advance = stack.enter_context(progress(what, total))
            advance(done - so_far)
            so_far = done

        yield step


def list_outcomes(outcomes: Iterable[Outcome]) -> None:
    """The outcomes as lines of data: all that is wrong, of the others the first."""
    shown: Counter[What] = Counter()
    for each in outcomes:
        shown[each.what] += 1
        if each.what in ("broken", "kept"):
            data(f"{each.what}: {each.path}" + (f" (page {each.page})" if each.what == "broken" and each.page else ""))
            data(f"    {each.why}") if each.why else None
            data(f"    help: {each.mend}") if each.mend else None
        elif shown[each.what] <= _MOST_SHOWN:
            more = f" (was {each.before})" if each.before else f" ({each.why})" if each.why else ""
            data(f"{each.what}: {each.page}{more}")
    for what, count in shown.items():
        if count > _MOST_SHOWN and what not in ("broken", "kept"):
            data(f"{what}: … and {count - _MOST_SHOWN} more (--json lists all)")
    if shown["gone"]:
        say("help: delete pages that are gone at the source, or move them out of its folder to keep them")


def show(reports: list[Report], json: bool, dry_run: bool) -> None:
    """Tell what came of each source. Status 1: some of it could not be had."""
    if json:
        json_data({"ok": all(each.is_whole for each in reports), "sources": [_told(each) for each in reports]})
    for each in () if json else reports:
        say(f"{each.source}: " + ", ".join([*counted(each.outcomes), f"{each.unchanged} as they were"]))
        list_outcomes(each.outcomes)
        if each.failure is not None:
            say(f"error: {each.failure.message}")
            say(f"  cause: {each.failure.why}") if each.failure.why else None
            say(f"  help: {each.failure.mend}") if each.failure.mend else None
    if not json and any(each.of("added") or each.of("changed") or each.of("moved") for each in reports):
        say("nothing was written: this was a dry run" if dry_run else NEXT)
    if not all(each.is_whole for each in reports):
        raise typer.Exit(1)


def counted(outcomes: Iterable[Outcome]) -> list[str]:
    """How many of each kind, in words."""
    counts = Counter(outcome.what for outcome in outcomes)
    return [f"{counts[what]} {words}" for what, words in _WORDS.items() if counts[what]]


def _told(report: Report) -> dict[str, Any]:
    failure = report.failure
    about = {"message": failure.message, "why": failure.why, "mend": failure.mend} if failure is not None else None
    return {
        "source": report.source,
        "ok": report.is_whole,
        "unchanged": report.unchanged,
        "outcomes": report.outcomes,
        "failure": about,
    }
