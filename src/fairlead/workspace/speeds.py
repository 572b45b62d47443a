"""What models that run here were measured at: kept in a file beside the database, since it is true of one machine only.

A worker reads it with a revision and with each epoch, and uses what was measured on this very machine, of this very
model. Without the file nothing is looked at.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.costs.record import deed
from fairlead.errors import BadInput
from fairlead.models.settings import Models
from fairlead.routing.pace import Speed
from fairlead.storage.durable import open_plain, sync
from fairlead.storage.fleet import Fleet, Seen
from fairlead.storage.store import Store
from fairlead.workspace.compile import Workspace

log = logging.getLogger("fairlead.speeds")

FILE: Final = "speeds.json"
_MOST: Final = 1 << 20  # bytes
_FASTEST: Final = 1e9  # tokens a second


class KeptSpeed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One measurement. `of` stands for what the workspace says that the model is, `served` for what its server said of
    it then, "" where it says nothing. `at` is in milliseconds since 1970; `load` is what the first call took longer."""

    model: str
    machine: str
    of: str
    served: str = ""
    at: int
    speed: Speed
    estimated: bool = False
    load: float = 0.0


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    speeds: tuple[KeptSpeed, ...]


def identity_of(models: Models, name: str) -> str:
    """What a model is by the workspace's text: where it is reached, and its name there."""
    model = models.models[name]
    said = msgspec.json.encode((models.endpoints[model.endpoint].url, model.remote))
    return hashlib.blake2b(said, digest_size=8).hexdigest()


def kept(folder: Path) -> tuple[KeptSpeed, ...]:
    """All that was measured and is kept beside the database. Raises `BadInput` for a file that is damaged."""
    path = folder / FILE
    try:
        with open_plain(path) as file:
            found = msgspec.json.decode(file.read(_MOST), type=_File).speeds
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        raise _damaged(path, str(error)) from error
    for each in found:
        speed = each.speed
        if not all(0 < one < _FASTEST for one in (speed.prefill, speed.decode, speed.bytes_a_token)):
            raise _damaged(path, f"the speed of {each.model} is no speed")
    return found


def in_force(folder: Path, workspace: Workspace, machine: Callable[[], str]) -> Mapping[str, Speed] | None:
    """The speeds by which this machine's workers decide, None where nothing that still holds was measured. `machine` is
    asked only where something was. A damaged file is told in the process's log, and nobody is then too slow."""
    try:
        every = kept(folder)
    except BadInput as error:
        log.error("%s (%s): no model is left out for being slow; %s", error, error.why, error.mend)
        return None
    if not every:
        return None
    here, models = machine(), workspace.models
    found = {each.model: each.speed for each in every if each.machine == here and holds(each, models)}
    return found or None


def holds(one: KeptSpeed, models: Models) -> bool:
    """Whether the workspace still means the same model by the name."""
    return one.model in models.models and one.of == identity_of(models, one.model)


def keep(store: Store, fleet: Fleet, clock: Clock, measured: Iterable[KeptSpeed], *, by: str) -> Seen:
    """Put measurements in the place of those of the same models on the same machine, and wait until the workers decide
    by them."""
    new = {(each.machine, each.model): each for each in measured}
    every = {(each.machine, each.model): each for each in _readable(store.beside)} | new
    path = store.beside / FILE
    beside = path.with_name(f"{FILE}.new")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(_File(tuple(every.values())))))
    sync(beside)
    os.replace(beside, path)
    sync(path.parent)
    names = ", ".join(sorted(model for _, model in new))
    with store.writing() as connection:
        store.database.append(connection, [deed(clock, "speeds", by=by, about=names)])
        epoch = fleet.announce(connection)
    return fleet.wait_until_seen(epoch)


def _readable(folder: Path) -> tuple[KeptSpeed, ...]:
    """What is kept; nothing of a damaged file, which is written anew."""
    try:
        return kept(folder)
    except BadInput:
        return ()


def _damaged(path: Path, why: str) -> BadInput:
    return BadInput(f"{path.name} is damaged", why=why, mend="measure anew: fairlead machine --measure")
