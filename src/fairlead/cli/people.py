"""Whose records these are: names by subject id, where the master key is at hand. The log itself holds no names."""

from fairlead.cli.opening import open_vault
from fairlead.cli.place import Place
from fairlead.errors import FairleadError
from fairlead.storage.store import Store
from fairlead.storage.vault import Vault


class Names:
    """Names of persons by the id that stands in the log. Without the master key, and once erased, the id stays."""

    def __init__(self, place: Place, store: Store) -> None:
        self._known: dict[str, str] = {}
        self._vault: Vault | None = None
        try:
            self._vault = open_vault(place, store)
        except FairleadError:
            return

    def of(self, subject: str) -> str:
        """The name behind a subject's id; the id itself without the master key, or once they were erased."""
        if self._vault is None or not subject:
            return subject
        if subject not in self._known:
            self._known[subject] = self._vault.name_of(subject) or f"{subject} (erased)"
        return self._known[subject]
