"""What a trace is told beside the run's own records: what the log, the pages and the policies say of its actions."""

from typing import Any, Protocol

from msgspec import Struct

from fairlead.workflows.tracing.from_records import Met


class Page(Struct, frozen=True, kw_only=True):
    """A section that was put before a model. `newer` is what it says by now, None where it says the same; `newer_at` is
    when that was published (milliseconds since 1970). `expired` was it when it was read."""

    citation: str
    text: str
    newer: str | None = None
    newer_at: int = 0
    expired: str = ""


class Attempt(Struct, frozen=True):
    """A try of an action: which model, and the code of what it failed of, "" for none."""

    model: str
    error: str


class Action(Struct, frozen=True, kw_only=True):
    """A governed action of a run, as the log has it. `at` is when it began."""

    run: str
    at: int
    model: str = ""
    revision: str = ""
    outcome: str = ""
    error: str = ""
    attempts: tuple[Attempt, ...] = ()
    policies: tuple[str, ...] = ()
    citations: tuple[str, ...] = ()
    task: str = ""
    cost: int = 0


class Change(Struct, frozen=True, kw_only=True):
    """A decision that would have been another under the revision that the run began under. `rules` are those that made
    the difference, by id, each with what became of it: `new`, `changed` or `gone`."""

    was: str
    now: str
    began_under: str
    decided_under: str
    rules: tuple[tuple[str, str], ...]

    @property
    def rule(self) -> str:
        """What made the difference, as an input of the step: `policy:ID`."""
        return f"policy:{self.rules[0][0] if self.rules else ''}"

    @property
    def said(self) -> str:
        """For people."""
        return f"under {self.began_under} it was {self.was}, under {self.decided_under} it is {self.now}"


class Unread(Struct, frozen=True, kw_only=True):
    """A page that might be read when the run began, and not any more when a model was asked."""

    text: str
    change: Change


class Facts(Protocol):
    """Of one run."""

    def action(self, run: str) -> Action | None:
        """What the log has of an action, None where there is none."""
        ...

    def pages(self, run: str) -> tuple[Page, ...]:
        """The sections that were put before the model of an action."""
        ...

    def earlier(self, call: Met) -> tuple[Any, ...]:
        """What the very same call of a tool gave in other runs before, the latest last."""
        ...

    def changed(self, run: str) -> Change | None:
        """Whether the decision about an action differs from that of the revision that the run began under."""
        ...

    def unread(self, run: str) -> tuple[Unread, ...]:
        """The pages that the model of an action was not given because of a rule that came while the run went on."""
        ...
