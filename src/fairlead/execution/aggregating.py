"""A table of groups of people in place of the rows about each of them: reckoned here, kept, and told alike ever after.

The rows are read by a call of the rule's own query and go no further. What is told of a period is kept before anybody
gets it, so that two who ask can set nothing against each other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from fairlead.clock import Clock
from fairlead.costs.ledger import Action
from fairlead.costs.record import Declassified
from fairlead.errors import BadInput, Denied
from fairlead.execution.deployment import Deployment, Fairlead
from fairlead.labels import DataClass
from fairlead.policy.aggregates import Aggregate, Released, gathered, judged, released
from fairlead.policy.declassification import SINCE, UNTIL, Decision, Rule
from fairlead.policy.periods import Window, day_before, last_over
from fairlead.policy.suppression import Draw
from fairlead.policy.tool_rights import ToolAsked
from fairlead.storage.store import Store
from fairlead.tools.failures import SystemFailed
from fairlead.tools.types import Definition, SystemCall, Text, ToolResult

Ask = Callable[[SystemCall], Awaitable[ToolResult]]

TRIES: Final = "declassify"
"""The door of whoever runs the deployment and wants to see which groups would be left out: nothing is kept or told."""

_KEPT_DAYS: Final = 1100  # of what is told again; of days before that nobody can ask any more


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule tells of a period, with what the record says of it."""

    window: Window
    groups: int
    suppressed: int
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


class Releases:
    """What was told of groups of people. Every method reads or writes the database: call it in a thread."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def told(self, rule: Aggregate, window: Window) -> Told | None:
        """What was told of this period, None for nothing. Raises `Denied` where that was by another rule, or of days
        that overlap with these: the two could be set against each other."""
        from fairlead.storage.release_rows import overlapping

        with self._store.reading() as connection:
            found = overlapping(connection, rule.setting.source, window.since, window.until)
        for each in found:
            if each.digest != rule.digest or (each.since, each.until) != (window.since, window.until):
                raise Denied(
                    f"{rule.tool} tells nothing of {window.since} to {window.until}",
                    why=f"{each.since} to {each.until} was told of by another version of the rule or of its query, and "
                    "two tables of the same days can be set against each other",
                    mend="ask again when the next period is over, or bring the rule back as it was",
                    subject=rule.tool,
                )
            content = msgspec.json.decode(each.content, type=_Content)
            return Told(
                window=window, groups=each.groups, suppressed=each.suppressed, columns=content.columns,
                rows=content.rows,
            )  # fmt: skip
        return None

    def keep(self, rule: Aggregate, window: Window, new: Released) -> Told:
        """Keep what is about to be told; what another has kept meanwhile is told instead."""
        from fairlead.storage.release_rows import KeptRelease, forget, keep, overlapping

        now = self._clock.now()
        row = KeptRelease(
            source=rule.setting.source,
            since=window.since,
            until=window.until,
            rule=rule.tool,
            digest=rule.digest,
            at=now,
            groups=new.groups,
            suppressed=new.suppressed,
            content=msgspec.json.encode(_Content(new.columns, new.rows)),
        )
        with self._store.writing() as connection:
            if not overlapping(connection, row.source, row.since, row.until):
                forget(connection, day_before(now, _KEPT_DAYS))
                keep(connection, row)
        told = self.told(rule, window)
        assert told is not None
        return told

    def draw(self) -> Draw:
        """Numbers that nobody can foresee."""
        secret, drawn = self._clock.random_bytes(16), 0

        def draw(below: int) -> int:
            nonlocal drawn
            drawn += 1
            digest = blake2b(drawn.to_bytes(8, "big"), key=secret, digest_size=8).digest()
            return int.from_bytes(digest, "big") % below

        return draw


class _Content(msgspec.Struct, frozen=True):
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


async def taken_down(fairlead: Fairlead, action: Action, rule: Rule, call: SystemCall, ask: Ask) -> ToolResult:
    """What a rule gives, with the record of it: a table of groups, or a text that somebody has let pass."""
    if isinstance(rule, Aggregate):
        return await aggregated(fairlead, action, rule, call, ask)
    result = await ask(call)
    action.declassified = Declassified(
        digest=rule.digest,
        groups=0,
        rule=rule.tool,
        since="",
        suppressed=0,
        to=rule.setting.to,
        until="",
        was=rule.setting.take_down,
    )
    return result


def refuse_higher(deployment: Deployment, asked: ToolAsked) -> None:
    """Raises `Denied` for a text of a higher class than a decision may be asked for."""
    rule = deployment.declassify.get(asked.tool.name)
    if isinstance(rule, Decision) and asked.labels.data_class > DataClass[rule.setting.take_down]:
        raise Denied(
            f"{asked.tool.name} is not for {asked.labels.data_class.name} texts",
            why=f"it takes down from {rule.setting.take_down} at the highest; the text, or where it came from, is "
            f"{asked.labels.data_class.name}",
            mend="take out what makes it so, or leave it in the house",
            subject=asked.tool.name,
        )


async def aggregated(fairlead: Fairlead, action: Action, rule: Aggregate, call: SystemCall, ask: Ask) -> ToolResult:
    """What the rule tells of the last period that is over. `ask` reads the rows where it was not told yet. Raises
    `Denied`, `SystemFailed`, and what the call of the source raises."""
    window = last_over(rule.setting.period, action.at)
    releases = fairlead.releases
    if action.arrival.door == TRIES:
        return tried(rule, window, rows_of(rule, await ask(source_call(rule, window, call))), releases.draw())
    told = await asyncio.to_thread(releases.told, rule, window)
    if told is None and not action.arrival.keep:
        raise Denied(
            f"{rule.tool} has told nothing of {window.since} to {window.until} yet",
            why="what it tells is kept, and nothing of this run may be",
            mend="have it told once outside of a run with `secrecy: memory`: it is told again as it is",
            subject=rule.tool,
        )
    if told is None:
        rows = rows_of(rule, await ask(source_call(rule, window, call)))
        told = await asyncio.to_thread(lambda: releases.keep(rule, window, reckoned(rule, rows, releases.draw())))
    action.declassified = Declassified(
        digest=rule.digest,
        groups=told.groups,
        rule=rule.tool,
        since=window.since,
        suppressed=told.suppressed,
        to=rule.setting.to,
        until=window.until,
        was=rule.setting.take_down,
    )
    return _result(rule, told)


def source_call(rule: Aggregate, window: Window, call: SystemCall) -> SystemCall:
    """The call of the rule's source for this period: always the same."""
    stands = {SINCE: window.since, UNTIL: window.until}
    given = {
        name: stands.get(value, value) if isinstance(value, str) else value
        for name, value in rule.setting.arguments.items()
    }
    query = rule.setting.source.partition(".")[2]
    return replace(call, tool=Definition(name=query, effect="read"), arguments=given, talk=None)


def rows_of(rule: Aggregate, result: ToolResult) -> list[Mapping[str, Any]]:
    """All rows of the source. Raises `SystemFailed` where it did not give them all: a part of them is no group."""
    whole = result.structured
    if result.failed or not isinstance(whole, Mapping) or whole.get("truncated", True):
        why = "it fails" if result.failed else "it has more rows than `most_rows` of its system"
        raise SystemFailed(
            f"{rule.setting.source} did not give all of its rows",
            why=why,
            mend="raise `most_rows`, or have the query give one row for each subject and group",
            subject=rule.tool,
            retryable=False,
        )
    return list(whole["rows"])


def reckoned(rule: Aggregate, rows: list[Mapping[str, Any]], draw: Draw) -> Released:
    """As `released`. Raises `SystemFailed` where the rows are not as the rule says."""
    try:
        return released(rule.setting, rows, draw)
    except BadInput as error:
        raise _unfit(rule, error) from None


def tried(rule: Aggregate, window: Window, rows: list[Mapping[str, Any]], draw: Draw) -> ToolResult:
    """Which groups would be told of and which not, with why, and no value."""
    try:
        members, nameless = gathered(rule.setting, rows)
    except BadInput as error:
        raise _unfit(rule, error) from None
    hidden = {each.group: each.why for each in judged(rule.setting, members, draw)}
    groups = [{"group": list(group), "why": hidden.get(group, "")} for group in sorted(members)]
    data = {"since": window.since, "until": window.until, "groups": groups, "nameless": nameless}
    return ToolResult(structured=data)


def _unfit(rule: Aggregate, error: BadInput) -> SystemFailed:
    return SystemFailed(error.message, why=error.why, mend=error.mend, subject=rule.tool, retryable=False)


def _result(rule: Aggregate, told: Told) -> ToolResult:
    rows = [dict(zip(told.columns, row, strict=True)) for row in told.rows]
    lines = [f"{told.window.since} to {told.window.until} (days before the last), groups of at least "
             f"{rule.setting.at_least}", " | ".join(told.columns)]  # fmt: skip
    lines += [" | ".join("all" if value is None else str(value) for value in row) for row in told.rows]
    if not rows:
        lines.append("(no group that may be told of)")
    data = {"since": told.window.since, "until": told.window.until, "rows": rows}
    return ToolResult(pieces=(Text("\n".join(lines)),), structured=data)
