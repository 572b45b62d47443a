"""From the text of a workspace to its policy. Pure: the same text gives the same policy."""

import functools
from collections.abc import Iterable, Mapping, Sequence

from fairlead.errors import BadInput
from fairlead.labels import UNSCREENED, DataClass
from fairlead.policy import detectors, endings, facts, injection, preconditions, rules, tool_schema, words
from fairlead.policy.deciding import decisive
from fairlead.policy.detect import Detection
from fairlead.policy.detectors import Detector
from fairlead.policy.endings import Ending
from fairlead.policy.name_lists import names_in, refuse_replies
from fairlead.policy.names import Name, Names
from fairlead.policy.policy import Policy
from fairlead.policy.settings import FactSetting, Rule, RulesFile
from fairlead.policy.sources import Statement, schema_text, statements
from fairlead.policy.tool_rights import ToolRights
from fairlead.policy.ways import START
from fairlead.policy.words import Words
from fairlead.tools.memory import MEMORY
from fairlead.tools.systems import System


def compile_policy(
    sources: Mapping[str, str],
    lean: Sequence[Rule] = (),
    files: Mapping[str, RulesFile] | None = None,
    systems: Mapping[str, System] = {},
    lists: Mapping[str, bytes] = {},
    *,
    workflows: bool = False,
) -> Policy:
    """The policy of a revision.

    `sources` are the Cedar files by their path in the workspace, `lean` the `rules:` of fairlead.yaml, `files` those of
    `rules/` by their path, `lists` the lists of names beside them, `systems` those whose tools policies speak of.
    `workflows`: there are some. Raises BadInput naming the file and line, the rule, the detector, the register or the
    fact.
    """
    files = files or {}
    own = _detectors(files)
    declared = [fact for file in files.values() for fact in file.facts]
    suspects = all(injection.NAME not in file.without for file in files.values())
    registered = names_in(files, lists)
    names = _compiled_names(registered) if registered else None
    known = _found_in_requests(own, files.values(), names, suspects=suspects)
    spoken = _words(files, known)
    last = _endings(files, known | spoken.keys())
    known |= spoken.keys() | last.keys()
    written = [(path, each.cedar) for path, each in spoken.values()]
    written += [(path, each.cedar) for path, each in last.values()]
    texts = _texts(sources, lean, known, written, systems)
    asked = tuple(each.detector for _, each in spoken.values() if each.asked)
    classes = {**dict.fromkeys([*spoken, *last], DataClass.public), **_classes(files)}
    detection = Detection((*own, *asked), classes, injection.suspicion() if suspects else None, names)
    answered = tuple(each.detector for _, each in spoken.values() if not each.asked)
    instead = {name: each.instead for name, (_, each) in spoken.items() if each.instead}
    tools = tool_schema.actions(systems.values())
    found = _statements(texts, declared, tools, workflows)
    if names is not None:
        refuse_replies(found, names.categories - {each.category for each in (*own, *answered)})
    return Policy(
        found,
        detection,
        facts.compiled(declared),
        schema_text(declared, tools),
        answered=answered,
        instead=instead,
        endings=tuple(each for _, each in last.values()),
        categories=known,
        tools=ToolRights(
            found,
            [each.name for each in systems.values() if each.settings.trusted],
            decisive(systems.values()),
        ),
    )


def _texts(
    sources: Mapping[str, str],
    lean: Sequence[Rule],
    known: frozenset[str],
    written: Iterable[tuple[str, str]],
    systems: Mapping[str, System],
) -> dict[str, str]:
    """All Cedar of a revision, by the file that it comes from; `written` is what the files of `rules/` stand for."""
    texts = {rules.FILE: rules.to_cedar(lean, known), **sources}
    for path, text in written:
        texts[path] = texts.get(path, "") + text
    texts |= preconditions.written(systems.values())
    if not sources:
        texts["defaults"] = rules.defaults(lean, tools=bool(systems), memory=MEMORY in systems)
    return texts


def _statements(
    texts: dict[str, str], declared: Sequence[FactSetting], tools: str, workflows: bool
) -> tuple[Statement, ...]:
    """All policies. Where none says who may begin workflows, everybody may."""
    found = statements(texts, declared, tools)
    if workflows and not any(each.effect == "permit" and START in (each.actions or {START}) for each in found):
        texts["defaults"] = texts.get("defaults", "") + rules.DEFAULT_START
        found = statements(texts, declared, tools)
    return found


@functools.lru_cache(maxsize=2)
def _compiled_names(registered: tuple[Name, ...]) -> Names:
    """The same names are compiled once: a hundred thousand take seconds, and most revisions leave them alone."""
    return Names(registered)


def _found_in_requests(
    own: Iterable[Detector], files: Iterable[RulesFile], names: Names | None, *, suspects: bool
) -> frozenset[str]:
    """The categories that a request can have, apart from those of words and endings."""
    known = {each.category for each in own} | {category for file in files for category in file.classes} | {UNSCREENED}
    known |= names.categories if names is not None else frozenset()
    return frozenset(known | {injection.CATEGORY} if suspects else known)


def _endings(files: Mapping[str, RulesFile], known: frozenset[str]) -> dict[str, tuple[str, Ending]]:
    found: dict[str, tuple[str, Ending]] = {}
    for path, each in endings.compiled(files):
        if each.name in found or each.name in known:
            raise BadInput(f"{path}: {each.name!r}: this category exists already", mend="rename the rule")
        found[each.name] = path, each
    return found


def _words(files: Mapping[str, RulesFile], known: frozenset[str]) -> dict[str, tuple[str, Words]]:
    found: dict[str, tuple[str, Words]] = {}
    for path, each in words.compiled(files):
        name = each.detector.name
        if name in found or name in known:
            raise BadInput(f"{path}: words {name!r}: this category exists already", mend="rename the rule")
        found[name] = path, each
    return found


def _detectors(files: Mapping[str, RulesFile]) -> tuple[Detector, ...]:
    built_in = {each.name: each for each in detectors.built_in()}
    off = {name for file in files.values() for name in file.without}
    also = {name for file in files.values() for name in file.also}
    for key, names in (("without", off), ("also", also)):
        if unknown := sorted(names - built_in.keys() - {injection.NAME}):
            mend = "use " + ", ".join([*built_in, injection.NAME])
            raise BadInput(f"{key}: there is no built-in detector {unknown[0]!r}", mend=mend)
    if both := sorted(off & also):
        raise BadInput(f"{both[0]!r} stands under `without:` and under `also:`", mend="take it from one of them")
    wanted = {each.name for each in detectors.ENTRIES if each.on} - off | also
    found = {name: each for name, each in built_in.items() if name in wanted}
    for path, file in files.items():
        for each in detectors.own(file.detectors):
            if each.name in found or each.name == injection.NAME:
                raise BadInput(
                    f"{path}: detector {each.name!r} exists already",
                    mend="rename it; to replace a built-in one, name that under `without:`",
                )
            found[each.name] = each
    return tuple(found.values())


def _classes(files: Mapping[str, RulesFile]) -> Mapping[str, DataClass]:
    classes = dict(detectors.CLASSES)
    for file in files.values():
        classes |= {category: DataClass[name] for category, name in file.classes.items()}
    return classes
