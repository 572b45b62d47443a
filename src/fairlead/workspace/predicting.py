"""What routing has learnt, as processes take it up: kept in the database, named by its content, one of it in force.

A worker reads it with the revision, and again when an epoch begins; where no objective is declared it reads nothing.
"""

import logging
from typing import TYPE_CHECKING

from fairlead.costs.record import deed
from fairlead.errors import BadInput, Broken, NotFound, closest

if TYPE_CHECKING:
    from fairlead.clock import Clock
    from fairlead.routing.learned import Predictor
    from fairlead.storage.fleet import Fleet, Seen
    from fairlead.storage.predictor_rows import KeptPredictor
    from fairlead.storage.store import Store
    from fairlead.workspace.compile import Workspace

log = logging.getLogger("fairlead.predicting")


def wants_predictor(workspace: "Workspace") -> bool:
    """Whether anything in it is chosen by an objective."""
    preferences, tasks = workspace.preferences, workspace.tasks
    return any(preferences.objective_of(one) is not None for one in (tasks.default, *tasks.types.values()))


def load_in_force(store: "Store", workspace: "Workspace", before: "Predictor | None" = None) -> "Predictor | None":
    """The predictor that decides; `before` where it is still that one. Where it is damaged, or not for this version,
    the process's log tells so and nothing is predicted: work goes on in the declared order."""
    from fairlead.storage.predictor_rows import in_force

    if not wants_predictor(workspace):
        return None
    with store.reading() as connection:
        version = in_force(connection)
    if before is not None and before.version == version:
        return before
    try:
        return load(store, version) if version else None
    except (Broken, NotFound) as error:
        log.error("%s (%s): models are taken as declared", error, error.why)
        return None


def load(store: "Store", version: str) -> "Predictor":
    """A kept predictor. Raises `NotFound`, or `Broken` where the database no longer holds what was kept, and where
    another version trained it, which saw prompts otherwise."""
    from fairlead.routing.learned import read_predictor
    from fairlead.routing.learned.learnt import version_of
    from fairlead.storage.predictor_rows import content_of, every

    with store.reading() as connection:
        content = content_of(connection, version)
        if content is None:
            known = [each.version for each in every(connection)]
            raise NotFound(
                f"there is no predictor {version}",
                mend=closest(version, known) or "train one: fairlead routing train",
                subject=version,
            )
    if (found := version_of(content)) != version:
        raise _unusable(version, "is damaged", f"its content has the hash {found}")
    try:
        return read_predictor(content)
    except BadInput as error:
        raise _unusable(version, "is not one for this version", error.message) from error


def load_latest(store: "Store") -> "Predictor | None":
    """The predictor in force, whatever the workspace asks for. Raises `Broken` for one that cannot be read."""
    from fairlead.storage.predictor_rows import in_force

    with store.reading() as connection:
        version = in_force(connection)
    return load(store, version) if version else None


def kept_as(predictor: "Predictor", at: int, by: str, report: bytes) -> "tuple[KeptPredictor, bytes]":
    """What is kept of a trained predictor: its row, and the artefact."""
    from fairlead.storage.predictor_rows import KeptPredictor

    row = KeptPredictor(version=predictor.version, kind=predictor.kind, at=at, trained_by=by, report=report)
    return row, predictor.encoded()


def _unusable(version: str, how: str, why: str) -> Broken:
    return Broken(
        f"the kept predictor {version} {how}",
        why=why,
        mend="put another one in force: fairlead routing use, or train anew: fairlead routing train",
        subject=version,
    )


def put_in_force(
    store: "Store", fleet: "Fleet", clock: "Clock", version: str, *, by: str, new: "tuple[KeptPredictor, bytes] | None"
) -> "Seen":
    """Let this predictor decide from here on, "" for none, and wait for the workers.

    `new` is kept first: it, the record of the deed and the epoch stand in one transaction.
    """
    from fairlead.storage import predictor_rows as rows

    with store.writing() as connection:
        before = rows.in_force(connection)
        if new is not None:
            rows.keep(connection, *new)
        now = clock.now()
        rows.put_in_force(connection, version, at=now, by=by)
        about = f"{version or 'none'}, in place of {before or 'none'}"
        store.database.append(connection, [deed(clock, "predictor", by=by, about=about)])
        epoch = fleet.announce(connection)
    return fleet.wait_until_seen(epoch)
