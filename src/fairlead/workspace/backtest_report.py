"""A back-test over the log: what is supposed to be in force, every record since a moment, and what came of it."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.costs.payload import decode_payload
from fairlead.costs.record import Record, decode_record
from fairlead.errors import BadInput, FairleadError
from fairlead.storage import workflow_step_rows
from fairlead.storage.log import KeptPayload, Log
from fairlead.storage.store import Store
from fairlead.storage.vault import SubjectKey, Vault
from fairlead.workflows.programs import bundle_of
from fairlead.workflows.runs import Runs
from fairlead.workspace.backtesting import Backtest, Change, Differs, Kept
from fairlead.workspace.compile import Secrets, compile_workspace
from fairlead.workspace.load import read_folder
from fairlead.workspace.published import load_revision
from fairlead.workspace.revisions_compiled import Revisions
from fairlead.workspace.starts_again import BegunRun
from fairlead.workspace.text import ENTRY, WorkspaceText, belongs

if TYPE_CHECKING:
    from fairlead.workspace.backtesting import Outcome

_EXAMPLES: Final = 20  # that are kept of each kind of difference
_TOLD_AT_ONCE: Final = 2000  # differences whose places are looked up together
_WORKFLOW: Final = "wf_"
_KEYS_FOR: Final = 2000  # payloads that are opened with the same keys


@dataclass
class Report:
    """What came of a back-test, added up. `runs` are those of workflows with their first decision that differs."""

    actions: int = 0
    decisions: int = 0
    same: int = 0
    differing: int = 0
    undecided: int = 0
    not_spent: int = 0
    tools_not_called: int = 0
    kinds: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    undecided_by: Counter[str] = field(default_factory=Counter)
    examples: dict[tuple[str, str, str], list[Differs]] = field(default_factory=dict)
    persons: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    runs: dict[str, Differs] = field(default_factory=dict)

    def add(self, outcome: "Outcome") -> None:
        """Counts what came of one decision: the same (None), another, or none that could be made."""
        self.decisions += 1
        if outcome is None:
            self.same += 1
        elif isinstance(outcome, Differs):
            self._differs(outcome)
        else:
            self.undecided += 1
            self.undecided_by[f"{outcome.what}: {outcome.why}"] += 1

    def place(self, placed: Differs, run: str) -> None:
        """Note where a difference is, as an example of its kind and for its run."""
        if len(kept := self.examples.setdefault((placed.what, placed.was, placed.would_be), [])) < _EXAMPLES:
            kept.append(placed)
        if run:
            self.runs.setdefault(run, placed)

    def _differs(self, outcome: Differs) -> None:
        kind = (outcome.what, outcome.was, outcome.would_be)
        self.differing += 1
        self.kinds[kind] += 1
        self.not_spent += outcome.cost
        self.tools_not_called += outcome.what == "tool call" and outcome.would_be.startswith(("refused", "asked"))
        self.persons.add(outcome.person)
        self.agents.add(outcome.agent)


def changed_text(store: Store, clock: Clock, policy: Path) -> WorkspaceText:
    """The text that is supposed to be in force: a whole workspace's folder, or what is published with other files.
    Raises `BadInput`."""
    if (policy / ENTRY).is_file():
        return read_folder(policy)
    revision = _in_force(store, clock)
    if not revision:
        raise BadInput("nothing is published yet, so there is nothing to compare with", mend="fairlead apply")
    text = load_revision(store, revision, with_pages=False).text
    return WorkspaceText({**text.files, **_replaced(policy)})


def _in_force(store: Store, clock: Clock) -> str:
    from fairlead.storage.fleet import Fleet

    return Fleet(store, clock).current().revision


def _replaced(policy: Path) -> dict[str, bytes]:
    """The files of policies and rules that a path names, where they would lie in a workspace. Raises `BadInput`."""
    found = sorted(policy.rglob("*")) if policy.is_dir() else [policy]
    files = {}
    for each in found:
        where = "policies" if each.suffix == ".cedar" else "rules"
        path = f"{where}/{each.name}"
        if each.is_file() and belongs(path):
            files[path] = each.read_bytes()
    if not files:
        raise BadInput(
            f"{policy} is no policy",
            why="it is a .cedar file, a file of rules, a folder of them, or a workspace with its fairlead.yaml",
            mend="name one of these",
        )
    return files


def backtested(
    store: Store,
    vault: Vault,
    text: WorkspaceText,
    start: int,
    secrets: Secrets,
    clock: Clock,
    report: Report,
    done: Callable[..., None],
) -> Generator[Differs, None, None]:
    """Every decision that would differ, as it is found; `report` adds up the rest. Raises `InvalidWorkspace` for a
    text that could not be published."""
    pages = not any(path.startswith("context/") for path in text.files)
    workspace = compile_workspace(text, secrets, now=clock.now(), pages_elsewhere=pages)
    revisions = Revisions(store, secrets, clock)
    test = Backtest(Change(workspace, text), revisions, _in_force(store, clock), _begun_in(Runs(store, vault, clock)))
    open_ = _Opening(vault)
    found: list[Differs] = []
    for record, sealed in _rows(store, start):
        done()
        before = report.decisions
        for outcome in test.decisions(open_(record, sealed)):
            report.add(outcome)
            if isinstance(outcome, Differs):
                found.append(outcome)
        report.actions += report.decisions > before
        if len(found) >= _TOLD_AT_ONCE:
            yield from _placed(store, found, report)
            found.clear()
    yield from _placed(store, found, report)


def _placed(store: Store, found: Sequence[Differs], report: Report) -> Iterator[Differs]:
    """These with where in a run of a workflow each of them is; the first of a run is noted."""
    actions = [each.run for each in found if not each.run.startswith(_WORKFLOW)]
    with store.reading() as connection:
        places = workflow_step_rows.places_of(connection, actions) if actions else {}
    for each in found:
        run, place = places.get(each.run, (each.run, "its start") if each.run.startswith(_WORKFLOW) else ("", ""))
        placed = replace(each, step=place)
        report.place(placed, run)
        yield placed


def _begun_in(runs: Runs) -> Callable[[str], BegunRun | str]:
    """What is known of a run's start, or why that is not."""

    def begun(id_: str) -> BegunRun | str:
        try:
            opened = runs.open(id_)
        except FairleadError as error:
            return f"the run cannot be opened: {type(error).__name__.lower()}"
        return BegunRun(opened.begun, opened.run.workflow, bundle_of(opened.definition))

    return begun


class _Opening:
    """Opens payloads. Persons' keys are asked for again every so many, so that an erasure counts meanwhile."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._keys: dict[str, SubjectKey | None] = {}
        self._opened = 0

    def __call__(self, record: Record, sealed: KeptPayload | None) -> Kept:
        if sealed is None:
            return Kept(record, why="its payload was deleted" if record.payload else "")
        key = self._key(sealed.subject)
        if key is None:
            return Kept(record, why="its payload was erased with its person")
        try:
            return Kept(record, decode_payload(self._vault.open_own(key, sealed.ciphertext, record.run.encode())))
        except (FairleadError, msgspec.MsgspecError):
            return Kept(record, why="its payload does not open: it was changed, or is of another version")

    def _key(self, subject: str) -> SubjectKey | None:
        self._opened += 1
        if self._opened % _KEYS_FOR == 0:
            self._keys.clear()
        if subject not in self._keys:
            self._keys[subject] = self._vault.key_of(subject)
        return self._keys[subject]


def _rows(store: Store, start: int) -> Iterator[tuple[Record, KeptPayload | None]]:
    for row, sealed in Log(store).with_payloads(start):
        yield decode_record(row), sealed
