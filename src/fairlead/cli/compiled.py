"""The workspace, compiled: as it lies in the folder, or as it was published.

The compiler takes half a second to load, so it is imported when something is compiled.
"""

from typing import TYPE_CHECKING

from fairlead.cli.opening import fleet_of
from fairlead.cli.output import say
from fairlead.cli.place import Place, secrets
from fairlead.clock import SystemClock
from fairlead.errors import NotFound
from fairlead.storage.store import Store
from fairlead.workspace.published import load_revision, snapshot_of

if TYPE_CHECKING:
    from fairlead.workspace.compile import Workspace


def in_folder(place: Place) -> "Workspace":
    """What the folder says now. Raises `InvalidWorkspace` with every problem."""
    from fairlead.workspace.compile import compile_workspace
    from fairlead.workspace.load import read_folder

    return compile_workspace(read_folder(place.workspace), secrets(place.workspace), now=SystemClock().now())


def published(place: Place, store: Store) -> "Workspace":
    """What the workers decide under. Where nothing was published yet, what the folder says."""
    from fairlead.workspace.compile import compile_workspace

    revision = published_revision(store)
    if not revision:
        say("nothing is published yet: this is what the folder says")
        return in_folder(place)
    return compile_workspace(load_revision(store, revision).text, secrets(place.workspace), now=SystemClock().now())


def published_revision(store: Store) -> str:
    """The revision in force, "" before the first publish."""
    return fleet_of(store).current().revision


def require_published(store: Store) -> str:
    """The revision in force. Raises `NotFound` before the first publish."""
    revision = published_revision(store)
    if not revision:
        raise NotFound("nothing is published yet", mend="fairlead apply, or fairlead serve, which publishes first")
    return revision


def snapshot_in_force(store: Store) -> str:
    """The context that is published, "" before the first publish and where there is none."""
    revision = published_revision(store)
    return snapshot_of(store, revision) if revision else ""


def require_snapshot(store: Store) -> str:
    """The context that is published, "" where there is none. Raises `NotFound` before the first publish, `Broken` where
    what was published is damaged."""
    return load_revision(store, require_published(store), with_pages=False).snapshot
