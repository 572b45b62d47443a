"""Recorded work under a revision that is not in force: every decision that would come out otherwise, and every one of
which nothing can be said. Changes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.costs.payload import Payload, decode_payload
from fairlead.costs.record import Record
from fairlead.errors import FairleadError
from fairlead.execution.told_policies import Told, decode_told
from fairlead.labels import Labels
from fairlead.storage.log import KeptPayload
from fairlead.storage.vault import Vault
from fairlead.workspace.caps_again import Caps
from fairlead.workspace.deciding_again import Again, differing_rules
from fairlead.workspace.decisions_made import Made, Undecided, decided, is_decided, made, replied
from fairlead.workspace.looked_for import detecting, said_in
from fairlead.workspace.revisions_compiled import Revisions
from fairlead.workspace.starts_again import KINDS, BegunRun, began, decided_start, start_of
from fairlead.workspace.text import WorkspaceText

if TYPE_CHECKING:
    from fairlead.workspace.compile import Workspace

_REPLY: Final = "reply"


class Differs(Struct, frozen=True, kw_only=True):
    """A decision that would be another. `rules` are those that make the difference, each with `new`, `changed` or
    `gone`; `cost` is what was billed for what would not have been, in nano-units."""

    run: str
    at: int
    what: str
    was: str
    would_be: str
    rules: tuple[tuple[str, str], ...]
    person: str
    agent: str
    department: str
    subject: str
    task: str
    cost: int = 0
    step: str = ""


class Undone(Struct, frozen=True, kw_only=True):
    """A decision of which nothing can be said, and why."""

    run: str
    at: int
    what: str
    why: str


Outcome = Differs | Undone | None
"""None: the same."""


class Change(Struct, frozen=True):
    """What is supposed to be in force: compiled, and its text."""

    workspace: "Workspace"
    text: WorkspaceText


class Kept(Struct, frozen=True):
    """A record with what was kept beside it, opened; `why` says why there is nothing."""

    record: Record
    payload: Payload | None = None
    why: str = ""


class Backtest:
    """Decides recorded actions anew, one after the other in the order of the log."""

    def __init__(
        self, change: Change, revisions: Revisions, in_force: str, begun: Callable[[str], BegunRun | str]
    ) -> None:
        """`in_force` is the revision of now. `begun` tells of a run of a workflow, or why nothing is known of it."""
        self._begun = begun
        self._in_force = in_force
        self._new = Again(change.workspace)
        self._revisions = revisions
        self._looks: dict[str, bool] = {}
        self._looking = detecting(change.text)
        self._caps = Caps(change.workspace)

    def decisions(self, kept: Kept) -> Iterator[Outcome]:
        """What becomes of each decision about one action."""
        record = kept.record
        if record.kind in KINDS:
            yield self._start(record)
            return
        if not is_decided(record):
            return
        old = self._old(record.revision)
        told = told_of(kept.payload)
        if isinstance(old, Undecided):
            yield _undone(record, _what(record), old.why)
            return
        was = made(record, told, old)
        labels = self._labels(kept, old)
        if isinstance(was, Undecided) or isinstance(labels, Undecided):
            why = was.why if isinstance(was, Undecided) else labels.why if isinstance(labels, Undecided) else ""
            yield _undone(record, _what(record), kept.why or why)
        else:
            yield self._compared(record, _what(record), old, was, decided(record, told, self._new, labels))
        yield from self._replies(kept, told, old)
        capped = self._caps.outcome(record, told, old)
        if capped is not None:
            yield (
                _undone(record, "budget", capped.why)
                if isinstance(capped, Undecided)
                else self._capped(record, *capped)
            )

    def _compared(self, record: Record, what: str, old: Again, was: Made, now: Made | Undecided) -> Outcome:
        if isinstance(now, Undecided):
            return _undone(record, what, now.why)
        if (was.effect, was.detail) == (now.effect, now.detail):
            return None
        rules = differing_rules(old, self._new, (*now.rules, *was.rules))
        named = rules or tuple((each, "gone" if each.startswith("workflows/") else "decides") for each in now.rules)
        return _differs(record, what, was.shown, now.shown, named, _spared(record, was, now))

    def _capped(self, record: Record, was: str, now: str, scope: str) -> Outcome:
        if was == now:
            return None
        return _differs(record, "budget", was, now, ((scope, "changed"),), record.cost if now != "fits" else 0)

    # ---- replies ---------------------------------------------------------------------------------------------------

    def _replies(self, kept: Kept, told: Told | None, old: Again) -> Iterator[Outcome]:
        record = kept.record
        if record.kind != "call_model" or not record.model or (record.error and record.error.code != "withheld"):
            return
        if self._release_alike(old):
            yield None
            return
        if record.error is not None:
            yield self._withheld(record, old)
        elif kept.payload is None:
            yield _undone(record, _REPLY, kept.why or "the reply was not kept")
        else:
            was = replied(record, told, kept.payload.reply, old)
            if isinstance(was, Undecided) or was != Made("released"):
                why = was.why if isinstance(was, Undecided) else "what its revision blacks out of it stands in it"
                yield _undone(record, _REPLY, why)
            else:
                yield self._compared(record, _REPLY, old, was, replied(record, told, kept.payload.reply, self._new))

    def _withheld(self, record: Record, old: Again) -> Outcome:
        if not differing_rules(old, self._new, record.policies):
            return None
        return _undone(record, _REPLY, "what was withheld was not kept")

    def _release_alike(self, old: Again) -> bool:
        """Whether the same policies look at replies with the same detectors."""
        return _about_replies(old) == _about_replies(self._new) and self._looks_alike(old)

    # ---- what was found --------------------------------------------------------------------------------------------

    def _labels(self, kept: Kept, old: Again) -> Labels | Undecided | None:
        """The labels under the detectors of now; None where they are those of the record."""
        if self._looks_alike(old):
            return None
        texts = said_in(kept.payload)
        if texts is None:
            return Undecided("other detectors look, and what was sent was not kept as it could be looked at")
        before = old.workspace.policy.detect_text(texts).labels
        now = self._new.workspace.policy.detect_text(texts).labels
        if before == now:
            return None
        if kept.record.citations:
            return Undecided("other detectors look, and its context was not looked at again")
        if kept.record.data_class != before.data_class.name or set(kept.record.categories) != before.categories:
            return Undecided("other detectors look, and more was found in it than stands in what was kept")
        return now

    def _looks_alike(self, old: Again) -> bool:
        if old.revision not in self._looks:
            text = self._revisions.text(old.revision)
            self._looks[old.revision] = text is not None and detecting(text) == self._looking
        return self._looks[old.revision]

    # ---- starts ----------------------------------------------------------------------------------------------------

    def _start(self, record: Record) -> Outcome:
        """Whether a run would have been begun. Records of before had no revision: these are held against the one in
        force."""
        old = self._old(record.revision or self._in_force)
        if isinstance(old, Undecided):
            return _undone(record, "start", old.why)
        start = start_of(record, old, self._begun)
        if isinstance(start, Undecided):
            return _undone(record, "start", start.why)
        was, now = began(start, old), decided_start(start, self._new)
        if isinstance(was, Undecided):
            return _undone(record, start.what, was.why)
        if now is None:
            now = Made("refused", rules=(f"workflows/{start.workflow}.yaml",))
        found = self._compared(record, start.what, old, was, now)
        if not isinstance(found, Differs):
            return found
        who = start.caller
        return replace(
            found, run=start.run or record.run, subject=start.workflow, agent=who.agent, department=who.department
        )

    def _old(self, revision: str) -> Again | Undecided:
        found = self._revisions.of(revision)
        return Undecided(found) if isinstance(found, str) else found


def told_in(vault: Vault, sealed: KeptPayload | None, run: str) -> Told | None:
    """What policies were told of an action, as it was kept; None where it was not, or was erased."""
    if sealed is None:
        return None
    try:
        return told_of(decode_payload(vault.open_sealed(sealed.subject, sealed.ciphertext, run.encode())))
    except (FairleadError, msgspec.MsgspecError):
        return None


def told_of(payload: Payload | None) -> Told | None:
    """What policies were told; None where that was not kept, or by another version."""
    if payload is None or not payload.told:
        return None
    try:
        return decode_told(payload.told)
    except msgspec.MsgspecError:  # by another version, in another form
        return None


def _about_replies(again: Again) -> list[tuple[str, str]]:
    policy = again.workspace.policy
    mine = [each for each in policy.statements if each.actions is None or "release_reply" in each.actions]
    return sorted((each.id, each.text) for each in mine)


def _what(record: Record) -> str:
    return "tool call" if record.kind == "call_tool" else "model call"


def _spared(record: Record, was: Made, now: Made) -> int:
    return (
        record.cost if was.effect in ("let pass", "asked", "released") and now.effect in ("refused", "withheld") else 0
    )


def _differs(
    record: Record, what: str, was: str, would_be: str, rules: Iterable[tuple[str, str]], cost: int
) -> Differs:
    return Differs(
        run=record.run, at=record.at, what=what, was=was, would_be=would_be, rules=tuple(rules), person=record.person,
        agent=record.agent, department=record.department, subject=record.tool or record.model, task=record.task,
        cost=cost,
    )  # fmt: skip


def _undone(record: Record, what: str, why: str) -> Undone:
    return Undone(run=record.run, at=record.at, what=what, why=why)
