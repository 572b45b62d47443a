"""The whole day from beginning to end: everything that is started here is stopped here."""

from contextlib import ExitStack
from pathlib import Path
from typing import Final

from msgspec import Struct

from fairlead.cli.demonstration.company import Company, found, open_for_business
from fairlead.cli.demonstration.day import Day
from fairlead.cli.demonstration.ending import how_to_go_on, show_spending, show_trace, spending, spent
from fairlead.cli.demonstration.own_models import own_models
from fairlead.cli.demonstration.proof import proof
from fairlead.cli.demonstration.scenes import SCENES, own_models_join
from fairlead.cli.demonstration.stand_in import StandIn, playing
from fairlead.cli.demonstration.story import Scene, Story
from fairlead.cli.output import say

DRAWN: Final = "outage"  # the scene whose trace is drawn


class Played(Struct, frozen=True, kw_only=True):
    """The day as it came out. `trace` is the run that is drawn at the end; `folder` is "" unless it is kept."""

    ok: bool
    scenes: tuple[Scene, ...]
    spending: list[dict[str, str | int]]
    trace: str
    folder: str


def play(folder: Path, *, silent: bool, ask_own: bool, kept: bool) -> Played:
    """Make the company in `folder`, play every scene against its server, and stop it again."""
    story = Story(silent=silent)
    with ExitStack() as started:
        small, large = (started.enter_context(playing(StandIn(name))) for name in ("Nimbus", "Cumulus"))
        own = own_models()
        say("writing the company's workspace")
        company = found(folder, (small, large), own)
        say("publishing it and starting its server")
        url = started.enter_context(open_for_business(company.place))
        _introduce(story, company, url, ask_own)
        day = Day(company, url, small, large, story)
        for scene in SCENES:
            scene(day)
        own_models_join(day, ask=ask_own)
        proof(day)
        say("stopping the server")
    return _ended(story, company, folder if kept else None, silent)


def _introduce(story: Story, company: Company, url: str, ask_own: bool) -> None:
    pages = len(list((company.place.workspace / "context").rglob("*.md")))
    story.line("A working day at Northlight Home, an invented chain of shops for things for the home", "bold")
    for text in (
        f"Its handbook has {pages} pages, not all of them for everyone. Its people ask through a real server on this "
        f"machine, {url}/v1, each with a key of their own, by the API that every OpenAI client speaks.",
        "`local` is built in and quotes the handbook. `small` and `large` play cloud models of two vendors, Nimbus and "
        "Cumulus: little programs on this machine that answer by a script and keep what they are sent.",
        _real_models(company, ask_own),
    ):
        story.line(text, indent=3)


def _real_models(company: Company, ask_own: bool) -> str:
    """What is sent to anybody outside, said before it is."""
    names = ", ".join(company.own)
    if names and ask_own:
        return f"Your own models ({names}) are asked one harmless question in scene 8, as you said. Nothing else is."
    found = f" Your own models ({names}) are only listed, in scene 8." if names else ""
    return "No real vendor is asked anything." + found


def _ended(story: Story, company: Company, kept: Path | None, silent: bool) -> Played:
    place = company.place
    run = next((scene.asked[-1].run for scene in story.scenes if scene.name == DRAWN and scene.asked), "")
    rows = spending(place)
    if not silent:
        story.line()
        story.line("One run from door to bill: the summary during the outage", "bold")
        show_trace(place, run)
        story.line()
        story.line("What the day cost, by department", "bold")
        show_spending(place, rows)
        how_to_go_on(story, company, kept)
    return Played(
        ok=all(scene.ok for scene in story.scenes),
        scenes=tuple(story.scenes),
        spending=spent(rows),
        trace=run,
        folder=str(kept or ""),
    )
