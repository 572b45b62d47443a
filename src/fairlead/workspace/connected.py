"""What a workspace reaches beside models: systems with their cards, sources of pages, and what is read live. Each with
all that is wrong with it noted, and None where it cannot be decided by."""

from collections.abc import Mapping
from functools import partial

from fairlead.context.sources.live import LiveSource, compile_live
from fairlead.context.sources.settings import SourcesFile, compile_sources
from fairlead.errors import BadInput
from fairlead.execution.extraction import check_schema
from fairlead.policy import RulesFile
from fairlead.policy.declassification import Rule, check_apart, compile_aggregate, compile_decision, with_tools
from fairlead.policy.declassify_settings import DecisionSetting
from fairlead.tools.cards import SystemCard
from fairlead.tools.memory import MEMORY, memory_system
from fairlead.tools.systems import System
from fairlead.workspace import crossings
from fairlead.workspace.findings import Findings
from fairlead.workspace.places import placed
from fairlead.workspace.settings import WorkspaceSettings
from fairlead.workspace.systems import card_path, files_of, one_system, refuse_unreadable
from fairlead.workspace.systems import crossings as crossings_of_systems
from fairlead.workspace.text import ENTRY, SOURCES


def compiled_systems(findings: Findings, settings: WorkspaceSettings) -> Mapping[str, System] | None:
    """The systems by name, each with its card, once what their cards say of each other's tools can be."""
    files, cards = files_of(findings.text.files), dict[str, SystemCard]()
    found: dict[str, System] = {}
    before = len(findings.problems)
    for name, each in settings.systems.items():
        path = card_path(name)
        card = findings.read(path, SystemCard) if path in files else None
        if path in files and card is None:
            continue
        if card is not None:
            cards[path] = card
        system = findings.tried(partial(one_system, name, each, card, files), ("systems", name))
        if system is not None:
            found[name] = system
    if settings.memory is not None:
        if MEMORY in found:
            taken = BadInput(f"a system is called {MEMORY}", mend=f"give it another name, or leave out `{MEMORY}:`")
            findings.tried(partial(_raise, taken), ("systems", MEMORY))
        found[MEMORY] = memory_system(settings.memory)
    for path, one in cards.items():
        for tool, said in one.tools.items():
            check = partial(check_schema, f"tools.{tool}.extracts", said.extracts)
            findings.checked(path, check)
    for error in crossings_of_systems(found):
        findings.tried(partial(_raise, error), ("systems",))
    findings.problems += crossings.limited_tools(settings, found, findings.documents[ENTRY])
    return found if len(findings.problems) == before else None


def compiled_declassify(
    findings: Findings, files: Mapping[str, RulesFile | None], systems: Mapping[str, System] | None
) -> tuple[Mapping[str, Rule], Mapping[str, System] | None]:
    """The ways to a lower class, by the tool that each of them makes, and the systems with those tools."""
    rules, keys = dict[str, Rule](), dict[str, Rule]()
    for path, file in files.items() if systems is not None else ():
        for number, setting in enumerate(file.declassify if file is not None else ()):
            key = f"declassify[{number}]"
            rule: Rule
            try:
                assert systems is not None
                there = with_tools(systems, rules)
                if isinstance(setting, DecisionSetting):
                    rule = compile_decision(key, setting, there)
                else:
                    rule = compile_aggregate(key, setting, there)
                    check_apart(key, rule, keys)
            except BadInput as error:
                findings.problems.append(placed(error, findings.documents[path]))
            else:
                rules[rule.tool] = keys[f"{path}: {key}"] = rule
    return rules, systems if systems is None or not rules else with_tools(systems, rules)


def compiled_sources(findings: Findings, settings: WorkspaceSettings) -> SourcesFile | None:
    """The sources of pages, each looked at by itself. None where the file cannot be read."""
    file = findings.read(SOURCES, SourcesFile) if SOURCES in findings.text.files else SourcesFile()
    systems = {name: "resources" in getattr(each, "offers", ()) for name, each in settings.systems.items()}
    for name, each in file.sources.items() if file else ():
        one = SourcesFile(sources={name: each})
        findings.checked(SOURCES, partial(compile_sources, one, systems))
    return file


def compiled_live(
    findings: Findings, sources: SourcesFile | None, systems: Mapping[str, System] | None
) -> Mapping[str, LiveSource] | None:
    """The live sources, each with a tool that there is and that only reads."""
    if sources is None or systems is None:
        return None
    before = len(findings.problems)
    found: dict[str, LiveSource] = {}
    for name, each in sources.live.items():
        try:
            found.update(compile_live({name: each}))
            refuse_unreadable(f"live.{name}", each.tool, systems)
        except BadInput as error:
            findings.problems.append(placed(error, findings.documents[SOURCES]))
    return found if len(findings.problems) == before else None


def _raise(error: BadInput) -> None:
    raise error
