"""Published revisions, compiled when they are first asked for and remembered: for looking back."""

from typing import TYPE_CHECKING

from fairlead.clock import Clock
from fairlead.errors import FairleadError
from fairlead.storage.store import Store
from fairlead.workspace.compile import Secrets, compile_workspace
from fairlead.workspace.published import load_revision
from fairlead.workspace.text import WorkspaceText

if TYPE_CHECKING:
    from fairlead.workspace.compile import Workspace


class Revisions:
    """Of one deployment."""

    def __init__(self, store: Store, secrets: Secrets, clock: Clock) -> None:
        self._store = store
        self._secrets = secrets
        self._clock = clock
        self._known: dict[str, Workspace | str] = {}

    def of(self, revision: str) -> "Workspace | str":
        """The workspace as it was published; or why that cannot be had."""
        if revision not in self._known:
            self._known[revision] = self._compiled(revision)
        return self._known[revision]

    def text(self, revision: str) -> WorkspaceText | None:
        """Its text without pages, None where that cannot be had."""
        try:
            return load_revision(self._store, revision, with_pages=False).text
        except FairleadError:
            return None

    def _compiled(self, revision: str) -> "Workspace | str":
        try:
            loaded = load_revision(self._store, revision, with_pages=False)
            return compile_workspace(
                loaded.text, self._secrets, now=self._clock.now(), pages_elsewhere=bool(loaded.snapshot)
            )
        except FairleadError as error:
            return f"the revision {revision[:16]} that decided cannot be compiled any more: {error.message}"
