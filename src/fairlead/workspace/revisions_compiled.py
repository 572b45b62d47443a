"""Published revisions, compiled when they are first asked for, the last ones remembered: for looking back."""

from typing import Final

from fairlead.clock import Clock
from fairlead.errors import FairleadError
from fairlead.kept import Kept
from fairlead.storage.store import Store
from fairlead.workspace.compile import Secrets, compile_workspace
from fairlead.workspace.deciding_again import Again
from fairlead.workspace.published import load_revision
from fairlead.workspace.text import WorkspaceText

_REMEMBERED: Final = 8  # the log goes through revisions in their order, and a trace sees two at a time


class Revisions:
    """Of one deployment."""

    def __init__(self, store: Store, secrets: Secrets, clock: Clock) -> None:
        self._store = store
        self._secrets = secrets
        self._clock = clock
        self._known: Kept[str, Again | str] = Kept(_REMEMBERED)

    def of(self, revision: str) -> Again | str:
        """What decides as it was published; or why that cannot be had."""
        found = self._known.get(revision)
        return found if found is not None else self._known.keep(revision, self._compiled(revision), 1)

    def text(self, revision: str) -> WorkspaceText | None:
        """Its text without pages, None where that cannot be had."""
        try:
            return load_revision(self._store, revision, with_pages=False).text
        except FairleadError:
            return None

    def _compiled(self, revision: str) -> Again | str:
        try:
            loaded = load_revision(self._store, revision, with_pages=False)
            workspace = compile_workspace(
                loaded.text, self._secrets, now=self._clock.now(), pages_elsewhere=bool(loaded.snapshot)
            )
        except FairleadError as error:
            return f"the revision {revision[:16]} that decided cannot be compiled any more: {error.message}"
        return Again(workspace, revision)
