"""Drawing a run as a tree: the nine stages in their order, what was inside them, and what came of it."""

import sys
from collections.abc import Sequence

from rich.text import Text
from rich.tree import Tree

from fairlead.cli.output import console, one_line
from fairlead.cli.people import Names
from fairlead.cli.when import duration, shown
from fairlead.costs.money import format_money
from fairlead.costs.record import Record
from fairlead.telemetry.trace import STAGES, Span

_GOOD, _BAD, _QUIET = "green", "bold red", "dim"
# Where each stage is decided, so that a trace is also a map of the source.
MODULES = {
    "authenticate": "identity/authenticate.py",
    "classify": "tasks/classify.py",
    "stitch": "context/stitch.py",
    "authorize": "policy/policy.py",
    "plan": "routing/plan.py",
    "reserve": "costs/attempting.py",
    "attempt": "execution/attempts.py",
    "check": "execution/release.py",
    "settle": "costs/ledger.py",
}


def draw(records: Sequence[Record], spans: Sequence[Span], currency: str, names: Names) -> None:
    """Print the tree of one run. The last record is the action's own; those before it are failed attempts."""
    final = records[-1]
    tree = Tree(_head(final, currency), guide_style=_QUIET)
    tree.add(_who(final, names))
    _add_spans(tree, spans, records, currency)
    for line in _notes(final):
        tree.add(line)
    if final.error is not None:
        tree.add(_failure(final))
    console(sys.stdout).print(tree, soft_wrap=False)  # a tree would be cut at the edge, not wrapped


def _head(record: Record, currency: str) -> Text:
    good = record.outcome in ("done", "estimated")
    line = _text(record.run, "bold")
    line.append_text(_text(f"  {record.outcome}", _GOOD if good else _BAD))
    return line.append_text(_text(f"  {shown(record.at)} UTC  {format_money(record.cost, currency)}"))


def _text(text: str, style: str = "") -> Text:
    """Everything that is drawn comes through here: spans and records may hold what drives a terminal."""
    return Text.assemble((one_line(text), style))


def _who(record: Record, names: Names) -> Text:
    parts = [
        f"for {names.of(record.person)}" if record.person else "",
        f"by {record.agent}" if record.agent else "",
        f"({record.department})" if record.department else "",
        f"through {record.door}",
        f"task {record.task}" if record.task else "",
        f"class {record.data_class}" if record.data_class else "",
        f"found {', '.join(record.categories)}" if record.categories else "",
        f"revision {record.revision}" if record.revision else "",
    ]
    return _text("  ".join(filter(None, parts)))


def _add_spans(tree: Tree, spans: Sequence[Span], records: Sequence[Record], currency: str) -> None:
    branches: list[Tree] = []
    attempts = {record.attempt: record for record in records if record.attempt}
    calls = 0
    for span in spans:
        parent = branches[span.parent] if span.parent >= 0 else tree
        branch = parent.add(_step(span))
        branches.append(branch)
        if span.name == "call":
            calls += 1
            if calls in attempts:
                branch.add(_attempt(attempts[calls], currency))
    if not calls:
        for record in attempts.values():
            tree.add(_attempt(record, currency))


def _step(span: Span) -> Text:
    waited = f"  waited {duration(span.waited)}, own {duration(span.own)}" if span.waited else ""
    noted = "".join(f"  {name} {value}" for name, value in span.attributes.items())
    line = _text(span.name, "bold" if span.name in STAGES else "")
    for text, style in (
        (f"  {duration(span.elapsed)}", ""),
        (waited, _QUIET),
        (noted, ""),
        (f"  {span.error}" if span.error else "", _BAD),
        (f"  {MODULES[span.name]}" if span.name in MODULES else "", _QUIET),
    ):
        line.append_text(_text(text, style))
    return line


def _attempt(record: Record, currency: str) -> Text:
    usage = record.usage
    tokens = f"{usage.input} tokens in, {usage.output} out{' (estimated)' if usage.estimated else ''}" if usage else ""
    parts = [
        f"attempt {record.attempt}: {record.model} ({record.placement})",
        f"held {format_money(record.held, currency)}, cost {format_money(record.cost, currency)} at {record.price}",
        tokens,
        f"taken out: {', '.join(record.redacted)}" if record.redacted else "",
        f"pseudonyms: {', '.join(f'{name} {count}' for name, count in record.pseudonyms)}" if record.pseudonyms else "",
        f"failed: {record.error.code}" if record.error else "",
    ]
    return _text("  ".join(filter(None, parts)), _BAD if record.error else "")


def _notes(record: Record) -> list[Text]:
    lines = []
    if record.citations:
        lines.append("cited from: " + ", ".join(record.citations))
    if record.required:
        lines.append("required: " + ", ".join(f"{need} ({state})" for need, state in record.required))
    if record.policies:
        lines.append("decided by: " + ", ".join(record.policies))
    lines += [f"dropped {model}: {by}" for model, by in record.dropped]
    if record.flags:
        lines.append("flags: " + ", ".join(record.flags))
    return [_text(line) for line in lines]


def _failure(record: Record) -> Text:
    """Which model, which step, which error, and how to see the input."""
    assert record.error is not None
    at = f" at step {record.error.step}" if record.error.step else ""
    model = f" with model {record.model}" if record.model else ""
    tell = f"fairlead explain {record.error.code}"
    see = f"; the input: fairlead trace {record.run} --payload" if record.payload else ""
    return _text(f"failed{at}{model}: {record.error.code}  ({tell}{see})", _BAD)
