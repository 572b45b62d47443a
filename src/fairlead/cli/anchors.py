"""The anchors of a place: delivering to them, and comparing the log with what they have."""

from fairlead.audit import ring_of
from fairlead.cli.compiled import in_folder
from fairlead.cli.opening import open_vault
from fairlead.cli.output import say
from fairlead.cli.place import Place, secrets, settings_of
from fairlead.cli.sealing import in_words, known_key, links_of
from fairlead.clock import SystemClock
from fairlead.errors import BadInput, FairleadError
from fairlead.storage.anchors import Kept, largest
from fairlead.storage.store import Store
from fairlead.workspace.anchoring import Anchoring, compile_anchors


def anchoring_of(place: Place, store: Store) -> Anchoring:
    """The anchors that the folder names. The published text is in the database, whose owner they are there to watch."""
    compiled = in_folder(place)
    made = Anchoring(store, open_vault(place, store), SystemClock(), secrets(place.workspace), compiled.organisation)
    made.anchors = compile_anchors(compiled.settings.audit.anchors)
    return made


def deliver(place: Place, store: Store) -> None:
    """Bring the anchors up to date now, and say which could not be reached: what was done before stays done."""
    if not settings_of(place.workspace).get("audit"):
        return
    try:
        failed = anchoring_of(place, store).deliver().failed
    except FairleadError as error:
        say(f"warning: nothing was delivered to the anchors: {error}")
        return
    for each in failed:
        say(f"warning: the anchor {each.name} was not reached and is tried again: {each.failure}")


class Anchored:
    """What the anchors of a place have, taken together, and what keeps them from being compared."""

    def __init__(self, place: Place, store: Store, pinned: str) -> None:
        """Raises BadInput where none is declared."""
        anchoring = anchoring_of(place, store)
        if not anchoring.anchors:
            raise BadInput("there are no anchors", mend="declare one under `audit.anchors` in fairlead.yaml")
        self.problems: list[str] = []
        self.said: list[str] = []
        self.checkpoints: list[str] = []
        self.successions: list[str] = []
        keys: dict[str, str] = {}
        for name, found in anchoring.read().items():
            if isinstance(found, FairleadError):
                self.problems.append(f"the anchor {name} could not be read: {found}")
                continue
            self._take(name, found)
            keys |= {name: found.key} if found.key else {}
        self.key = pinned or next(iter(keys.values()), "")
        self._compare_keys(store, keys)

    def _take(self, name: str, kept: Kept) -> None:
        self.checkpoints += kept.checkpoints
        self.successions += kept.successions
        self.said.append(f"the anchor {name} knows a log of {largest(kept)} records")

    def _compare_keys(self, store: Store, keys: dict[str, str]) -> None:
        """The database must sign with a key to which the one that is trusted leads."""
        if not self.key:
            return
        with in_words():
            known = {each.key for each in ring_of(self.key, [*links_of(store), *self.successions]).keys}
        signs = known_key(store)
        if signs is not None and signs not in known:
            self.problems.append(f"the database signs with {signs}, to which the key of the anchors does not lead")
        self.problems += [
            f"the anchor {name} began with another key: {key}" for name, key in keys.items() if key not in known
        ]
