"""Measuring how fast models are, from the command line: the governed path, by no earlier measurement."""

from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import Struct

from fairlead.errors import FairleadError
from fairlead.execution.speed_probe import Measured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fairlead.cli.place import Place
    from fairlead.storage.store import Store


class MeasuredHere(Struct, frozen=True):
    """A model, and what it was measured at."""

    model: str
    measured: Measured


class Refused(Struct, frozen=True):
    """A model that could not be measured, and why."""

    model: str
    failed: str
    mend: str


async def measured_here(place: "Place", store: "Store", models: "Sequence[str]") -> list[MeasuredHere | Refused]:
    """Measure these models one after the other, each alone. Raises `BadInput` where nothing is published yet."""
    from fairlead.cli.surroundings import surroundings
    from fairlead.execution.speed_probe import measure
    from fairlead.workspace.assemble import assemble

    running = await assemble(replace(surroundings(place, store), machine=str))
    found: list[MeasuredHere | Refused] = []
    try:
        for model in models:
            try:
                found.append(MeasuredHere(model, await measure(running.fairlead, model)))
            except FairleadError as error:
                why = f": {error.why}" if error.why else ""
                found.append(Refused(model, f"{error.message}{why}", error.mend))
    finally:
        await running.stop()
    return found
