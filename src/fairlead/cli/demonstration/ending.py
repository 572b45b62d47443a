"""What remains of the day: one trace drawn in full, the spending, and how to go on."""

import sys
from contextlib import closing
from pathlib import Path

from fairlead.cli.demonstration.company import Company
from fairlead.cli.demonstration.story import Story
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.output import data, table
from fairlead.cli.people import Names
from fairlead.cli.place import Place, currency_of
from fairlead.cli.records import record_of
from fairlead.costs.money import exact_money, format_money
from fairlead.costs.spending import Row, summarise


def spending(place: Place) -> list[Row]:
    """What each department has spent."""
    with closing(open_store(place)) as store:
        return summarise((row.record for row in log_of(store).since(0)), ["department"])


def spent(rows: list[Row]) -> list[dict[str, str | int]]:
    """The spending as JSON."""
    return [
        {"department": row.group[0], "runs": row.runs, "refused": row.refused, "cost": exact_money(row.cost)}
        for row in rows
    ]


def show_trace(place: Place, run: str) -> None:
    """The tree of a run, as `fairlead trace RUN` draws it."""
    from fairlead.cli.drawing import draw
    from fairlead.telemetry.trace import decode

    with closing(open_store(place)) as store:
        rows = log_of(store).of_run(run)
        draw([record_of(row) for row in rows], decode(rows[-1].spans), currency_of(place), Names(place, store))


def show_spending(place: Place, rows: list[Row]) -> None:
    """What `fairlead spend --by department` shows, in short."""
    currency = currency_of(place)
    table(
        ["department", "runs", "refused", "tokens in", "tokens out", "cost"],
        [
            [
                row.group[0],
                str(row.runs),
                str(row.refused),
                f"{row.usage.input:,}",
                f"{row.usage.output:,}",
                format_money(row.cost, currency),
            ]
            for row in rows
        ],
        right=["runs", "refused", "tokens in", "tokens out", "cost"],
    )


def _program() -> str:
    """How the program was called here, so that the commands can be pasted."""
    called = Path(sys.argv[0])
    return str(called) if called.name == "fairlead" else "fairlead"


def how_to_go_on(story: Story, company: Company, kept: Path | None) -> None:
    """Commands that work as they stand here."""
    story.line()
    story.line("Go on with your own keys", "bold")
    data(_NEXT.format(fairlead=_program()))
    if kept is not None:
        story.line()
        story.line(f"The day is kept in {kept}; its stand-ins are gone. Look into it, or serve it again:", indent=3)
        data(_KEPT.format(fairlead=_program(), folder=kept, key=company.first_key))


_NEXT = """\
   {fairlead} init acme     # a folder of text: models, people, rules, handbook; prints a first key
   export OPENAI_API_KEY=...          # or ANTHROPIC_API_KEY, or run an Ollama, or none of them
   {fairlead} serve acme    # prints its address and a ready curl
   {fairlead} init shop --template retail    # or begin with this company"""

_KEPT = """\
   {fairlead} runs -w {folder}
   {fairlead} audit verify -w {folder}
   {fairlead} serve {folder}
   {fairlead} ask "How long can I return a lamp?" -w {folder} --as {key}"""
