"""`fairlead routing explain`: which model a question would go to, decided by the very code of the path."""

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from fairlead.cli import complete
from fairlead.cli.compiled import published, require_published
from fairlead.cli.known_callers import known_callers
from fairlead.cli.later import built
from fairlead.cli.opening import open_store
from fairlead.cli.output import Json, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.surroundings import surroundings
from fairlead.identity import Caller

if TYPE_CHECKING:
    from fairlead.execution import Quote
    from fairlead.models.types import ChatRequest
    from fairlead.storage.store import Store


def explain(
    question: Annotated[str, typer.Argument(help="What would be asked.")],
    person: Annotated[str, typer.Option("--as", help="Whose rights count, by name. Default: yours.")] = "",
    group: Annotated[
        list[str] | None,
        typer.Option("--group", "-g", help="A group of theirs; may be repeated. Default: their keys'."),
    ] = None,
    department: Annotated[str, typer.Option(help="Their department. Default: their keys'.")] = "",
    task: Annotated[
        str, typer.Option(help="The kind of work. Default: as it is recognised.", autocompletion=complete.tasks)
    ] = "auto",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """Which model a question would go to, what is expected of each, and why others are dropped. Nothing is asked.

    Decided as a request is, and recorded as an estimate. Latencies that a worker has measured are not known here.

    Examples:

        fairlead routing explain "Write to the customer of order 17." --as kim

        fairlead routing explain "…" --task letter --json
    """
    from fairlead.models.types import ChatRequest, Message

    place = find(workspace, data_folder)
    request = ChatRequest(
        model=task, messages=[Message(role="user", content=question)], size=len(question.encode("utf-8", "replace"))
    )
    with closing(open_store(place)) as store:
        require_published(store)
        caller = _caller(place, store, person or user(), group or [], department)
        made = asyncio.run(_quoted(place, store, caller, request))
    if json:
        from fairlead.server.quoted import encode_quote

        json_data(msgspec.json.decode(encode_quote(made)))
        return
    _tell(made)


def _caller(place: Place, store: "Store", person: str, groups: list[str], department: str) -> Caller:
    known = next((one for one in known_callers(published(place, store), store) if one.person == person), None)
    if known is None or groups or department:
        return Caller(person=person, groups=frozenset(groups), department=department, credential="key:explain")
    return known


async def _quoted(place: Place, store: "Store", caller: Caller, request: "ChatRequest") -> "Quote":
    from fairlead.costs.told import Arrival
    from fairlead.execution import quote
    from fairlead.workspace.assemble import assemble

    running = await assemble(surroundings(place, store))
    try:
        return await quote(running.fairlead, caller, request, Arrival(door="cli", dry_run=True))
    finally:
        await running.stop()


def _tell(made: "Quote") -> None:
    from fairlead.cli.ask import tell_course
    from fairlead.server.about import chosen_by
    from fairlead.server.quoted import course_body

    decision = made.decision
    if decision is None:
        table(["", "model"], [[str(at), each.model] for at, each in enumerate(made.estimates, start=1)], right=[""])
    else:
        numbers = ["score", "four in five", "cost", "seconds", "outcomes"]
        rows = [
            [
                str(at),
                each.model,
                "" if each.p is None else f"{each.p:.3f}",
                "" if each.low is None or each.high is None else f"{each.low:.2f}–{each.high:.2f}",
                made.unit.shown(option.cost),
                "" if each.latency is None else f"{each.latency:.2f}",
                str(each.seen),
            ]
            for at, (each, option) in enumerate(
                zip(chosen_by(decision, made.currency, made.unit).expected, decision.candidates, strict=True), start=1
            )
        ]
        table(["", "model", *numbers], rows, right=["", *numbers])
    for dropped in made.dropped:
        say(f"dropped {dropped.model}: {dropped.by}, {dropped.reason}")
    say(f"{made.why}; costs in {made.unit.worth_in(made.currency)}")
    if made.course is not None:
        tell_course(msgspec.to_builtins(course_body(made.course, made.unit)), made.unit.name)
    if decision is not None:
        say(f"predictor: {decision.predictor or 'none is trained'}; run: {made.run}")


def commands() -> dict[str, Any]:
    return built(explain=explain)
