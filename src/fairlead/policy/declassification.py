"""The declared ways to a lower class, checked, and the tools that they make. Labels fall by nothing else."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.errors import BadInput, closest
from fairlead.labels import DataClass
from fairlead.policy.aggregates import Aggregate, columns_of, digest_of
from fairlead.policy.declassify_settings import AggregateSetting, DecisionSetting
from fairlead.tools.cards import Precondition, SystemCard, ToolCard
from fairlead.tools.settings import DecidedSettings, SqlSettings
from fairlead.tools.systems import System
from fairlead.tools.types import Definition, Tool

SINCE: Final = "$since"
UNTIL: Final = "$until"
DECIDED: Final = "declassify"
"""The system whose tools are the declared decisions."""

_PERSON: Final = ":person"
_LONGEST: Final = 100_000  # letters of a text that somebody is to read


class Decision(Struct, frozen=True, kw_only=True):
    """A declared decision in force."""

    setting: DecisionSetting
    tool: str  # as callers know it: `declassify.name`
    digest: str

    @property
    def to(self) -> DataClass:
        """The class that a text has once it is decided on."""
        return DataClass[self.setting.to]


Rule = Aggregate | Decision


def compile_aggregate(key: str, setting: AggregateSetting, systems: Mapping[str, System]) -> Aggregate:
    """One rule. Raises `BadInput` naming the key, which begins with `key`."""
    name, _, query = setting.source.partition(".")
    system = systems.get(name)
    if system is None or not isinstance(system.settings, SqlSettings) or query not in system.settings.queries:
        known = [f"{one.name}.{each}" for one in systems.values() for each in getattr(one.settings, "queries", ())]
        raise BadInput(
            f"{key}.of: {setting.source!r} is no declared query of an SQL system",
            why="only of a fixed query is it known whose rows it gives, and that it gives them all",
            mend=closest(setting.source, known) or "declare it under `queries:` of a system with `use: sql`",
        )
    said = system.settings.queries[query]
    _check_source(key, system, query)
    _check_arguments(key, setting)
    _check_columns(key, setting)
    if not DataClass[setting.to] < system.data_class <= DataClass[setting.take_down]:
        raise BadInput(
            f"{key}.to: {system.name} gives {system.data_class.name} data, which this may take down from "
            f"{setting.take_down} to {setting.to}",
            why="a class is lowered, and from no higher one than the rule says",
            mend="correct `to` and `take_down`, or the system's `data_class`",
        )
    if setting.name in system.tools:
        raise BadInput(f"{key}.name: {name}.{setting.name} is a tool already", mend="choose another name")
    return Aggregate(
        setting=setting,
        tool=f"{name}.{setting.name}",
        digest=digest_of(setting, (said.sql, said.parameters, system.settings.url)),
    )


def _check_source(key: str, system: System, query: str) -> None:
    settings = system.settings
    assert isinstance(settings, SqlSettings)
    if settings.queries[query].effect != "read":
        raise BadInput(f"{key}.of: {system.name}.{query} may change something", mend="name a query that reads")
    ways = settings.credential
    if ways.exchange or ways.grant or ways.certificate or ways.login or _PERSON in settings.queries[query].sql:
        raise BadInput(
            f"{key}.of: {system.name}.{query} gives each person other rows",
            why="what is told is one for everybody: from two tables that differ by a person, theirs could be reckoned",
            mend="read it by a `service` account in a system of its own, and without `:person`",
        )


def _check_arguments(key: str, setting: AggregateSetting) -> None:
    given = [value for value in setting.arguments.values() if isinstance(value, str)]
    if SINCE not in given or UNTIL not in given:
        raise BadInput(
            f"{key}.arguments lacks {SINCE if SINCE not in given else UNTIL}",
            why="from two results over times that overlap, what one person did in between could be reckoned",
            mend=f"have the query take the first day and the day after the last: {{from: {SINCE}, to: {UNTIL}}}",
        )


def _check_columns(key: str, setting: AggregateSetting) -> None:
    columns = (setting.subject, *setting.by, *setting.values)
    for name in columns:
        if columns.count(name) > 1:
            raise BadInput(
                f"{key}: the column {name!r} is named twice",
                why="who is in a group, what it is a group of and what is reckoned are three things",
                mend="have the query give a column for each",
            )
    for name, value in setting.values.items():
        if value.within[0] >= value.within[1]:
            raise BadInput(f"{key}.values.{name}.within: the first bound is not below the second", mend="swap them")
        if len(set(value.gives)) < len(value.gives):
            raise BadInput(f"{key}.values.{name}.gives says one thing twice", mend="leave one out")


def compile_decision(key: str, setting: DecisionSetting, systems: Mapping[str, System]) -> Decision:
    """One decision. Raises `BadInput` naming the key, which begins with `key`."""
    if DataClass[setting.to] >= DataClass[setting.take_down]:
        raise BadInput(
            f"{key}.to: {setting.to} is no lower class than {setting.take_down}", mend="correct `to` or `take_down`"
        )
    there = systems.get(DECIDED)
    if there is not None and not isinstance(there.settings, DecidedSettings):
        raise BadInput(f"{key}: a system is called {DECIDED}", mend="give that system another name")
    if there is not None and setting.name in there.tools:
        raise BadInput(f"{key}.name: there is a decision {setting.name!r} already", mend="choose another name")
    digest = hashlib.sha256(msgspec.json.encode(setting, order="sorted")).hexdigest()[:32]
    return Decision(setting=setting, tool=f"{DECIDED}.{setting.name}", digest=digest)


def check_apart(key: str, rule: Aggregate, others: Mapping[str, Rule]) -> None:
    """Raises `BadInput` where another rule has the same source: two tables of the same rows can be set against each
    other."""
    for other, each in others.items():
        if isinstance(each, Aggregate) and each.setting.source == rule.setting.source:
            raise BadInput(
                f"{key}.of: {rule.setting.source} is the source of {other} already",
                why="from two tables of the same rows, groups could be reckoned that neither tells of",
                mend="have one rule tell what both did",
            )


def with_tools(systems: Mapping[str, System], rules: Mapping[str, Rule]) -> Mapping[str, System]:
    """The systems with the tools that the rules make, by the name of the tool."""
    found = dict(systems)
    for rule in rules.values():
        if isinstance(rule, Decision):
            found[DECIDED] = _with_decision(found.get(DECIDED), rule.setting)
            continue
        name = rule.tool.partition(".")[0]
        definition = _definition(rule.setting)
        tool = Tool(system=name, definition=definition, digest=definition.digest)
        found[name] = replace(found[name], tools={**found[name].tools, definition.name: tool})
    return found


def _with_decision(before: System | None, setting: DecisionSetting) -> System:
    """The system of decisions with one more. That somebody must let a call pass is a precondition like any other."""
    text = {"type": "string", "minLength": 1, "maxLength": _LONGEST, "description": "The text, as it will be used."}
    reason = {"type": "string", "minLength": 1, "maxLength": 2000, "description": "Why it may have a lower class."}
    about = f"{setting.about} " if setting.about else ""
    definition = Definition(
        name=setting.name,
        description=f"{about}Gives the text back as {setting.to}, once {setting.role} has let this very text pass.",
        input={
            "type": "object",
            "properties": {"text": text, "reason": reason},
            "required": ["text", "reason"],
            "additionalProperties": False,
        },
        effect="read",
    )
    tool = Tool(system=DECIDED, definition=definition, digest=definition.digest)
    asks = Precondition(that="false", instead=f"have {setting.role} decide about this text", approval=setting.role)
    card = ToolCard(requires={"decided": asks})
    if before is None:
        settings = DecidedSettings(data_class="restricted")
        return System(
            name=DECIDED, settings=settings, tools={setting.name: tool}, card=SystemCard(tools={setting.name: card}),
            files={},
        )  # fmt: skip
    return replace(
        before,
        tools={**before.tools, setting.name: tool},
        card=replace(before.card, tools={**before.card.tools, setting.name: card}),
    )


def _definition(setting: AggregateSetting) -> Definition:
    columns = ", ".join((*setting.by, *columns_of(setting)))
    about = (
        f"{setting.about} " if setting.about else ""
    ) + f"Groups of at least {setting.at_least}, of the last {setting.period} that is over: {columns}."
    rows: dict[str, Any] = {"type": "array", "items": {"type": "object"}}
    properties = {"since": {"type": "string"}, "until": {"type": "string"}, "rows": rows}
    return Definition(
        name=setting.name,
        description=about,
        input={"type": "object", "properties": {}, "additionalProperties": False},
        output={"type": "object", "properties": properties, "required": ["since", "until", "rows"]},
        effect="read",
        idempotent=True,
    )
