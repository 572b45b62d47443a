"""`fairlead machine`: what this machine can do, which models run on it, and how fast they are."""

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from fairlead.cli import complete
from fairlead.cli.announcing import tell
from fairlead.cli.compiled import in_folder
from fairlead.cli.hardware import Hardware, fingerprint, hardware
from fairlead.cli.later import built
from fairlead.cli.measuring import MeasuredHere, Refused, measured_here
from fairlead.cli.opening import fleet_of, open_store
from fairlead.cli.output import DryRun, Json, data, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find, user
from fairlead.cli.runtimes import answering, served_by
from fairlead.cli.when import shown
from fairlead.clock import SystemClock
from fairlead.costs.money import exact_money
from fairlead.errors import BadInput, closest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fairlead.models.local_servers import LocalServer
    from fairlead.storage.fleet import Seen
    from fairlead.workspace.compile import Workspace as Compiled
    from fairlead.workspace.speeds import KeptSpeed

_GIB: Final = 1 << 30


def machine(
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="Measure this model; may be repeated.", autocompletion=complete.models),
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure how fast the models of the house are, by a few short calls.")
    ] = False,
    workspace: Workspace = None,
    data_folder: Data = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """What this machine can do: cores, memory, graphics processors, model servers that answer, and measured speeds.

    Only servers on this machine and those that the workspace declares outside of a cloud are asked. Measured speeds
    decide which models are too slow for a deadline, on machines like this one, until the model or the machine changes.

    Examples:

        fairlead machine

        fairlead machine --measure --model house
    """
    from fairlead.workspace.speeds import kept

    place = find(workspace, data_folder)
    compiled, here = in_folder(place), fingerprint()
    wanted = _wanted(compiled, model or []) if measure or model else []
    found, servers = hardware(), answering(compiled)
    done, seen = list[MeasuredHere | Refused](), None
    if wanted and dry_run:
        say(f"would measure {', '.join(wanted)}: up to 11 calls each, of at most 64 tokens")
    elif wanted:
        done, seen = _measured(place, wanted, lambda one: _kept(one, compiled, servers, here))
    speeds = [_speed(one, compiled, servers, here) for one in kept(place.beside)]
    if json:
        told = {"fingerprint": here, **msgspec.to_builtins(found), "servers": msgspec.to_builtins(servers)}
        json_data(told | {"speeds": speeds, "measured": msgspec.to_builtins(done)})
    else:
        _show(found, servers, speeds)
        _tell(done, compiled.settings.budgets.currency)
    if seen is not None:
        tell(seen)
    if any(isinstance(one, Refused) for one in done):
        raise typer.Exit(1)


def _wanted(compiled: "Compiled", named: list[str]) -> list[str]:
    """The models to measure: those named, else all of the house that chat. Raises `BadInput`."""
    models, unavailable = compiled.models.models, compiled.models.unavailable
    house = [
        name
        for name, one in models.items()
        if one.placement.kind != "cloud" and one.space is None and not one.quotes_context and name not in unavailable
        if compiled.models.endpoints[one.endpoint].url.startswith("http")
    ]
    for name in named:
        if name not in house:
            raise BadInput(
                f"{name!r} is no model of the house that could be measured",
                why="it is in a cloud, gives embeddings, quotes pages, plays a recording, or is not there",
                mend=closest(name, house),
            )
    if not house:
        say("no model of this workspace runs in the house: nothing to measure")
    return named or house


def _measured(
    place: Place, wanted: list[str], keeps: "Callable[[MeasuredHere], KeptSpeed]"
) -> "tuple[list[MeasuredHere | Refused], Seen | None]":
    """What came of measuring these models, which is kept, and who goes by it by now, if anything was."""
    from fairlead.workspace.speeds import keep

    with closing(open_store(place)) as store:
        done = asyncio.run(measured_here(place, store, wanted))
        new = [keeps(one) for one in done if isinstance(one, MeasuredHere)]
        seen = keep(store, fleet_of(store), SystemClock(), new, by=f"os:{user()}") if new else None
    return done, seen


def _kept(one: MeasuredHere, compiled: "Compiled", servers: "list[LocalServer]", here: str) -> "KeptSpeed":
    from fairlead.workspace.speeds import KeptSpeed, identity_of

    return KeptSpeed(
        model=one.model,
        machine=here,
        of=identity_of(compiled.models, one.model),
        served=served_by(compiled, servers, one.model),
        at=SystemClock().now(),
        speed=one.measured.speed,
        estimated=one.measured.estimated,
        load=one.measured.load,
    )


def _speed(one: "KeptSpeed", compiled: "Compiled", servers: "list[LocalServer]", here: str) -> dict[str, Any]:
    """A kept measurement, and whether anything is decided by it."""
    from fairlead.workspace.speeds import holds

    standing = "in force"
    if one.machine != here:
        standing = "of another machine"
    elif not holds(one, compiled.models):
        standing = "of another model: measure anew"
    elif one.served and (now := served_by(compiled, servers, one.model)) and now != one.served:
        standing = "its server has other weights now: measure anew"
    return {
        "model": one.model,
        "prefill": round(one.speed.prefill, 1),
        "decode": round(one.speed.decode, 1),
        "load_seconds": round(one.load, 2),
        "estimated": one.estimated,
        "at": one.at,
        "machine": one.machine,
        "standing": standing,
    }


def _show(found: Hardware, servers: "list[LocalServer]", speeds: list[dict[str, Any]]) -> None:
    data(f"processor  {found.processor}: {found.cores:g} of {found.present} cores for this process")
    if found.memory is not None:
        free = "" if found.available is None else f", {found.available / _GIB:.1f} GiB of it free"
        data(f"memory     {found.memory / _GIB:.1f} GiB{free}")
    for card in found.graphics:
        size = "" if card.memory is None else f", {card.memory / _GIB:.0f} GiB"
        data(f"graphics   {card.name}{size}")
    if not found.graphics:
        data(f"graphics   none: {found.no_graphics}")
    for server in servers:
        names = ", ".join(one.name for one in server.models[:8]) or "no models"
        more = f" and {len(server.models) - 8} more" if len(server.models) > 8 else ""
        data(f"server     {server.runtime} at {server.url}: {server.failed or names + more}")
    if speeds:
        table(
            ["model", "reads", "writes", "measured", ""],
            [
                [
                    one["model"],
                    f"{one['prefill']:g} tokens/s",
                    f"{one['decode']:g} tokens/s",
                    shown(one["at"]),
                    one["standing"],
                ]
                for one in speeds
            ],
            right=["reads", "writes"],
        )
    else:
        say("no model was measured yet: fairlead machine --measure")


def _tell(done: list[MeasuredHere | Refused], currency: str) -> None:
    for one in done:
        if isinstance(one, Refused):
            say(f"not measured: {one.model}: {one.failed}" + (f"; {one.mend}" if one.mend else ""))
        else:
            cost = f"{exact_money(one.measured.cost)} {currency}"
            counted = ", by bytes: its server counts no tokens" if one.measured.estimated else ""
            say(f"measured {one.model} by {len(one.measured.runs)} recorded calls for {cost}{counted}")


def commands() -> dict[str, Any]:
    return built(machine=machine)
