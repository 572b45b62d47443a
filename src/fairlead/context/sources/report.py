"""What a sync is done with, and what it came to."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from msgspec import Struct

from fairlead.context.settings import ContextSettings
from fairlead.context.sources.reading import Documents
from fairlead.context.sources.types import Reach
from fairlead.errors import FairleadError

Progress = Callable[[int, int], None]
What = Literal["added", "changed", "moved", "gone", "kept", "broken"]


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one piece. `page` is its page, "" where it has none; `before` the page that it was."""

    what: What
    path: str
    page: str = ""
    before: str = ""
    why: str = ""
    mend: str = ""


class Report(Struct, frozen=True, kw_only=True):
    """What a sync of one source came to. With a `failure` the source did not answer, or not to the end: what it had
    given until then is in place."""

    source: str
    outcomes: tuple[Outcome, ...] = ()
    unchanged: int = 0
    failure: FairleadError | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the source answered to its end and no page of it is broken."""
        return self.failure is None and not any(each.what == "broken" for each in self.outcomes)

    def of(self, what: What) -> list[Outcome]:
        """The outcomes of one kind."""
        return [each for each in self.outcomes if each.what == what]


class Work(Struct, frozen=True, kw_only=True):
    """What a sync is done with. `defaults` are those of the workspace, under which pages have to be sound."""

    context: Path
    defaults: ContextSettings
    reach: Reach
    documents: Documents
    progress: Progress = lambda done, total: None
    dry_run: bool = False
    accept_empty: bool = False
