"""What the drivers of sources and whoever asks them speak of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

MOST_ENTRIES: Final = 20_000  # as many files as a workspace may have


class Failure(Struct, frozen=True, kw_only=True):
    """Why a piece could not be read, and what its owner can do about it. `lasting`: it will fail again as long as it
    is the same piece, and is not tried until then."""

    why: str
    mend: str = ""
    lasting: bool = True


class Entry(Struct, frozen=True, kw_only=True):
    """One piece of a source. `path` names it there, with `/`; `mark` changes when its content does, "" where only
    reading it can tell. The rest is what the source knows of it: ISO day of the last change, owner, where it is."""

    path: str
    mark: str
    changed: str = ""
    owner: str = ""
    origin: str = ""
    media: str = ""  # its type, where the source tells one; else the ending of its name does
    name: str = ""  # what its page is named by, where that is not `path`


class Seen(Struct, frozen=True, kw_only=True):
    """What an earlier sync had learnt of a source, for it to tell only what is new. `entries` by path."""

    state: str = ""
    entries: Mapping[str, Entry] = {}


class Listing(Struct, frozen=True, kw_only=True):
    """All that a source has now. `skipped` are pieces that cannot be taken, `moved` the former paths of those of which
    the source itself knows that they moved. `state` is for its next listing."""

    entries: tuple[Entry, ...]
    skipped: Mapping[str, Failure] = {}
    moved: Mapping[str, str] = {}
    state: str = ""


class Source(Protocol):
    """A driver. Its methods raise a `FairleadError` where the source as a whole does not answer."""

    def listing(self, seen: Seen) -> Listing:
        """All that it has now, in view of what was seen before."""

    def read(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, bytes | Failure]]:
        """The content of each, in their order."""
        ...


class Resources(Protocol):
    """The resources of a system, asked for on the governed path. Raises `FairleadError` where the system as a whole
    cannot be asked."""

    def list(self, system: str) -> Iterable[Mapping[str, object]]:
        """All resources that a system offers, as it describes them."""

    def read(self, system: str, uri: str) -> bytes | Failure:
        """The content of one; a `Failure` where this one alone cannot be read."""


class Reach(Struct, frozen=True, kw_only=True):
    """What drivers are given of the world: the workspace's folder, a folder for copies, the environment of programs
    that they start, systems. `now` is in milliseconds."""

    workspace: Path
    copies: Path
    environment: Mapping[str, str]
    resources: Resources
    now: int
