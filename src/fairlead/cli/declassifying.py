"""`fairlead declassify`: the declared ways to a lower class, what they have told, and what they would leave out."""

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from fairlead.cli.acting import acting
from fairlead.cli.compiled import in_folder
from fairlead.cli.later import PLAIN
from fairlead.cli.opening import open_store
from fairlead.cli.output import Json, data, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find
from fairlead.cli.when import shown
from fairlead.errors import BadInput, NotFound, closest
from fairlead.policy.aggregates import Aggregate
from fairlead.policy.declassification import Decision
from fairlead.policy.declassify_settings import DecisionSetting
from fairlead.storage.database import database_at

if TYPE_CHECKING:
    from fairlead.policy.declassification import Rule
    from fairlead.storage.release_rows import KeptRelease
    from fairlead.workspace.compile import Workspace as Compiled

Name = Annotated[str, typer.Argument(metavar="RULE", help="The rule, by its name or as SYSTEM.NAME.")]

app = typer.Typer(
    **PLAIN,
    no_args_is_help=True,
    help="The declared ways to a lower class: what they tell, and what they leave out.",
)


@app.command("list")
def list_(workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """Every way by which data may get a lower class, and when it was used last."""
    place = find(workspace, data_folder)
    rules = in_folder(place).declassify
    rows = [_row(rule, _told(place, rule)) for rule in rules.values()]
    if json:
        json_data(rows)
        return
    if not rows:
        say("nothing lowers a class: declare `declassify:` in a file of rules/")
        return
    columns = ["tool", "kind", "of", "from", "to", "by", "at_least", "told"]
    shown_of = [[str(row[each]) if row[each] is not None else "" for each in columns] for row in rows]
    table(columns, shown_of, right=["at_least"])


@app.command()
def explain(rule: Name, workspace: Workspace = None, data_folder: Data = None, json: Json = False) -> None:
    """What a rule tells of whom, what keeps it from telling of one person alone, and what it has told so far."""
    place = find(workspace, data_folder)
    found = _rule(in_folder(place), rule)
    told = _told(place, found)
    if json:
        history = [
            {"since": each.since, "until": each.until, "at": each.at, "groups": each.groups,
             "suppressed": each.suppressed, "digest": each.digest}
            for each in told
        ]  # fmt: skip
        json_data(_row(found, told) | {"digest": found.digest, "history": history})
        return
    data("\n".join(_words(found) if isinstance(found, Aggregate) else _words_of_decision(found)))
    if isinstance(found, Decision):
        return
    if told:
        table(
            ["days", "groups", "left out", "told first"],
            [
                [f"{each.since} to {each.until}", str(each.groups), str(each.suppressed), shown(each.at)]
                for each in told
            ],
            right=["groups", "left out"],
        )
    else:
        say("nothing was told by it yet")


def _words_of_decision(rule: Decision) -> list[str]:
    setting = rule.setting
    return [
        f"{rule.tool} gives a text back with a lower class: {setting.take_down} becomes {setting.to}.",
        f"- somebody with the role {setting.role} is shown the text and the reason, and never decides about their own",
        "- what they let pass is this very text, once",
        "- what detectors find in it counts as before",
    ]


def _words(rule: Aggregate) -> list[str]:
    setting = rule.setting
    by = " and ".join(setting.by)
    bounds = [
        f"of {name} each counts from {value.within[0]:g} to {value.within[1]:g}; told: {', '.join(value.gives)}"
        for name, value in setting.values.items()
    ]
    return [
        f"{rule.tool} tells, by {by}, what {setting.source} has of each {setting.subject}: "
        f"{setting.take_down} becomes {setting.to}.",
        f"- a group has at least {setting.at_least} of them, and none has more than {setting.dominance:.0%} of a value",
        "- with a group that is left out goes another, drawn, so that no sum tells it",
        *(f"- {each}" for each in bounds),
        f"- a {setting.period} is told of once it is over, and then always alike ({rule.digest[:12]})",
    ]


@app.command("try")
def try_(
    rule: Name,
    key: Annotated[str, typer.Option(envvar="FAIRLEAD_KEY", help="The key of whoever tries.", show_default="")] = "",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Which groups would be left out of the last period that is over, and why. Nothing is kept, and no value shown.

    Read by a governed call, which is recorded. Which groups protect others is drawn anew each time, until it is told.
    """
    place = find(workspace, data_folder)
    found = asyncio.run(_tried(place, rule, key))
    if json:
        json_data(found)
        return
    table(
        ["group", ""],
        [[", ".join(each["group"]), WHY[each["why"]]] for each in found["groups"]],
    )
    hidden = sum(1 for each in found["groups"] if each["why"])
    nameless = f"; {found['nameless']} rows tell of nobody" if found["nameless"] else ""
    say(f"{found['since']} to {found['until']}: {hidden} of {len(found['groups'])} would be left out{nameless}")


WHY: Final = {
    "": "told",
    "few": "left out: too few",
    "dominated": "left out: one has too large a share of a value",
    "protects": "left out: so that no sum tells another",
}


async def _tried(place: Place, rule: str, key: str) -> Any:
    from fairlead.costs.told import Arrival
    from fairlead.execution.aggregating import TRIES
    from fairlead.execution.tool_asking import ToolRequest
    from fairlead.execution.tool_call import call_tool

    async with acting(place, key) as (fairlead, caller):
        found = _named(fairlead.current().declassify, rule)
        if not isinstance(found, Aggregate):
            raise BadInput(f"{found.tool} is decided by people", mend="see who: fairlead declassify explain NAME")
        answer = await call_tool(fairlead, caller, ToolRequest(name=found.tool, arguments={}), Arrival(door=TRIES))
        return answer.result.structured


def _rule(compiled: "Compiled", name: str) -> "Rule":
    return _named(compiled.declassify, name)


def _named(rules: Any, name: str) -> "Rule":
    """Raises `NotFound`."""
    found: list[Rule] = [rule for tool, rule in rules.items() if name in (tool, rule.setting.name)]
    if len(found) != 1:
        raise NotFound(
            f"there is no rule {name!r}" if not found else f"{name!r} is the name of {len(found)} rules",
            mend=closest(name, rules) or "declare it under `declassify:` in a file of rules/",
            subject=name,
        )
    return found[0]


def _told(place: Place, rule: "Rule") -> "list[KeptRelease]":
    """What it has told, the newest first; nothing where there is no state yet."""
    from fairlead.storage.release_rows import every

    if not database_at(place.database).exists():
        return []
    with closing(open_store(place)) as store, store.reading() as connection:
        return every(connection, rule.tool)


def _row(rule: "Rule", told: "list[KeptRelease]") -> dict[str, Any]:
    setting = rule.setting
    row: dict[str, Any] = {"tool": rule.tool, "from": setting.take_down, "to": setting.to}
    if isinstance(setting, DecisionSetting):
        none = {"of": None, "at_least": None, "period": None, "told": None}
        return row | {"kind": "decision", "by": setting.role} | none
    return row | {
        "kind": "aggregate",
        "of": setting.source,
        "by": ", ".join(setting.by),
        "at_least": setting.at_least,
        "period": setting.period,
        "told": f"{told[0].since} to {told[0].until}" if told else "never",
    }


def commands() -> dict[str, Any]:
    return {"declassify": typer.main.get_command(app)}
