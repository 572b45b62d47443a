"""`fairlead policy hits`: how often each rule applied, and what those that only watch would have done."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec
import typer
from msgspec import Struct

from fairlead.cli.compiled import published_revision
from fairlead.cli.opening import log_of, open_store
from fairlead.cli.output import Json, json_data, say, table
from fairlead.cli.place import Data, Place, Workspace, find, secrets
from fairlead.cli.records import record_of
from fairlead.cli.when import moment_ago
from fairlead.clock import SystemClock
from fairlead.costs.record import Record
from fairlead.errors import FairleadError
from fairlead.storage.store import Store
from fairlead.workspace.compile import compile_workspace
from fairlead.workspace.published import load_revision

EXAMPLES: Final = 3
_ANSWERED: Final = ("done", "abandoned")


class AskedOf(Struct, frozen=True):
    """A rule of a revision: its mode, and whether it is asked of calls, of replies, or of both."""

    mode: str
    calls: bool
    replies: bool


class RuleHits(Struct, frozen=True, kw_only=True):
    """What the log says of a rule in one mode.

    `evaluated` and `hits` count runs, `effects` what became of them, or would have if the rule were enforced.
    """

    rule: str
    mode: str
    evaluated: int = 0
    hits: int = 0
    share: float = 0.0
    effects: Mapping[str, int] = {}
    runs: tuple[str, ...] = ()


@dataclass(slots=True)
class _Count:
    """Of one rule in one mode, under way."""

    evaluated: int = 0
    hits: int = 0
    effects: "Counter[str]" = field(default_factory=Counter)
    runs: list[str] = field(default_factory=list)

    def add(self, run: str, effects: Iterable[str]) -> None:
        self.hits += 1
        self.effects.update(effects)
        self.runs = [run, *self.runs][:EXAMPLES]

    def of(self, rule: str, mode: str) -> RuleHits:
        return RuleHits(
            rule=rule,
            mode=mode,
            evaluated=self.evaluated,
            hits=self.hits,
            share=self.hits / self.evaluated if self.evaluated else 0.0,
            effects=dict(sorted(self.effects.items())),
            runs=tuple(self.runs),
        )


def counted(records: Iterable[Record], rules: Mapping[str, Mapping[str, AskedOf]]) -> list[RuleHits]:
    """How often the rules of each revision were asked and applied. Pure; the newest runs are the examples."""
    found: dict[tuple[str, str], _Count] = {}
    for record in records:
        if record.kind != "call_model" or not record.data_class:
            continue
        hits = _hits(record, rules.get(record.revision, {}))
        for name, rule in rules.get(record.revision, {}).items():
            row = found.setdefault((name, rule.mode), _Count())
            row.evaluated += rule.calls or _judged(record)
            if effects := hits.get(name):
                row.add(record.run, effects)
    rows = [count.of(name, mode) for (name, mode), count in found.items()]
    return sorted(rows, key=lambda row: (row.mode != "shadow", row.mode != "warn", -row.hits, row.rule))


def _judged(record: Record) -> bool:
    return record.outcome in _ANSWERED or (record.error is not None and record.error.code == "withheld")


def _hits(record: Record, rules: Mapping[str, AskedOf]) -> dict[str, set[str]]:
    """The rules that applied to a run, with their effects. What was refused has the enforced ones as its policies."""
    hits: dict[str, set[str]] = {}
    for name, _, effect in record.hits:
        hits.setdefault(name, set()).add(effect)
    code = record.error.code if record.error is not None else ""
    if code in ("denied", "withheld"):
        effect = "refuse" if code == "denied" else "withhold"
        for name in record.policies:
            if name in rules and rules[name].mode == "enforce":
                hits.setdefault(name, set()).add(effect)
    return hits


def hits(
    since: Annotated[str, typer.Option(help="From when: `7d`, `12h`, or a day such as 2026-11-21.")] = "7d",
    workspace: Workspace = None,
    data_folder: Data = None,
    json: Json = False,
) -> None:
    """How often each rule applied, and what those in shadow and warn mode would have done: to see before enforcing."""
    place = find(workspace, data_folder)
    start = moment_ago(since, "--since", SystemClock().now())
    with closing(open_store(place)) as store:
        records = [record_of(row) for row in log_of(store).since(start)]
        revisions = {record.revision for record in records if record.kind == "call_model" and record.revision}
        current = published_revision(store)
        rules = {each: _rules(place, store, each) for each in sorted({*revisions, current} - {""})}
    rows = counted(records, rules)
    seen = {(row.rule, row.mode) for row in rows}
    rows += [
        RuleHits(rule=name, mode=rule.mode)
        for name, rule in rules.get(current, {}).items()
        if (name, rule.mode) not in seen
    ]
    if json:
        json_data([msgspec.to_builtins(row) for row in rows])
        return
    table(
        ["rule", "mode", "evaluated", "applied", "share", "enforced it does, or would", "for example"],
        [_line(row) for row in rows],
        right=["evaluated", "applied", "share"],
    )
    say("rules in shadow and warn mode change nothing; `fairlead policy explain RUN` shows what applied to a run")


def _line(row: RuleHits) -> list[str]:
    effects = ", ".join(f"{effect} {count}" for effect, count in row.effects.items())
    return [row.rule, row.mode, str(row.evaluated), str(row.hits), f"{row.share:.1%}", effects, " ".join(row.runs)]


def _rules(place: Place, store: Store, revision: str) -> dict[str, AskedOf]:
    """The forbids of a revision; none where it can no longer be read, which is told."""
    try:
        text = load_revision(store, revision).text
        compiled = compile_workspace(text, secrets(place.workspace), now=SystemClock().now())
    except FairleadError as error:
        say(f"revision {revision} is left out: {error}")
        return {}
    return {
        each.id: AskedOf(
            each.mode,
            each.actions is None or "call_model" in each.actions,
            each.actions is None or "release_reply" in each.actions,
        )
        for each in compiled.policy.statements
        if each.effect == "forbid"
    }
