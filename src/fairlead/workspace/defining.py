"""The workflows of a workspace: each a file below workflows/, checked against all that it names, and bundled with what
its runs need of the text. Nothing of the expressions' library is imported where there are none."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from fairlead.errors import BadInput
from fairlead.tasks.settings import BUILT_IN
from fairlead.tools.settings import System
from fairlead.workflows.definition import Bundle, Definition, Step
from fairlead.workflows.graph import every_step, subflows_of
from fairlead.workflows.known import Known, KnownFunction, KnownTool, functions_in
from fairlead.workflows.nodes import CompensationSettings
from fairlead.workspace.findings import Findings
from fairlead.workspace.problems import Problem
from fairlead.workspace.settings import WorkspaceSettings
from fairlead.workspace.text import task_name

FOLDER: Final = "workflows"
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def compiled_workflows(
    findings: Findings, settings: WorkspaceSettings, systems: Mapping[str, System], tasks: frozenset[str]
) -> tuple[Mapping[str, Bundle] | None, list[str]]:
    """The workflows by name, and remarks on them. None where anything is wrong with one."""
    before = len(findings.problems)
    files = findings.below(FOLDER, Definition)
    if not files:
        return {}, []
    workflows = {task_name(path): one for path, one in files.items() if one is not None}
    modules = {path.rpartition("/")[2].removesuffix(".py"): (path, content.decode("utf-8", "replace"))
               for path, content in findings.text.below(FOLDER, ".py")}  # fmt: skip
    known = _known(settings, systems, tasks, workflows, _functions(findings, modules))
    remarks = [said for name, each in workflows.items() for said in _checked(findings, name, each, known)]
    if len(findings.problems) > before:
        return None, remarks
    sources = {name: source for name, (_, source) in modules.items()}
    return {name: _bundle(name, workflows, sources, known) for name in workflows}, remarks


def _checked(findings: Findings, name: str, definition: Definition, known: Known) -> Iterator[str]:
    """Note what is wrong with a workflow; gives what may be meant."""
    from fairlead.workflows.checks import faults_of

    document = findings.documents[f"{FOLDER}/{name}.yaml"]
    if not _NAME.fullmatch(name):
        mend = "use small letters, digits, - and _, beginning with a letter"
        findings.problems.append(Problem(file=document.file, message=f"{name!r} is no fit name", mend=mend))
    try:
        faults = faults_of(name, definition, known)
    except BadInput as error:  # the library for expressions is not installed
        findings.problems.append(document.problem((), f"{error.message}: {error.why}", error.mend))
        return
    for fault in faults:
        problem = document.problem(fault.path, fault.message, fault.mend)
        if fault.remark:
            yield str(problem)
        else:
            findings.problems.append(problem)


def _functions(findings: Findings, modules: Mapping[str, tuple[str, str]]) -> dict[str, Mapping[str, KnownFunction]]:
    found: dict[str, Mapping[str, KnownFunction]] = {}
    for name, (path, source) in modules.items():
        try:
            found[name] = functions_in(source, path)
        except BadInput as error:
            line, _, said = error.message.removeprefix(f"{path}:").partition(": ")
            findings.problems.append(Problem(file=path, line=int(line), message=said, mend=error.mend))
    return found


def _known(
    settings: WorkspaceSettings,
    systems: Mapping[str, System],
    tasks: frozenset[str],
    workflows: Mapping[str, Definition],
    functions: Mapping[str, Mapping[str, KnownFunction]],
) -> Known:
    roles = {*settings.approvals.roles, *(role for key in settings.keys.values() for role in key.roles)}
    return Known(
        tasks=tasks | {BUILT_IN},
        models=frozenset(
            name for name, each in settings.models.items() if isinstance(each, str) or each.embeddings is None
        ),
        tools={
            tool.name: KnownTool(
                input=tool.definition.input,
                output=tool.definition.output,
                writes=tool.definition.effect == "write",
                asks=frozenset(
                    each.approval for each in system.card_of(tool.definition.name).requires.values() if each.approval
                ),
            )
            for system in systems.values()
            for tool in system.tools.values()
        },
        opening=frozenset(name for name, system in systems.items() if not system.tools),
        roles=frozenset(roles),
        keys=frozenset(settings.keys),
        queues=frozenset(settings.workflows.queues),
        workflows=workflows,
        functions=functions,
    )


def _bundle(name: str, workflows: Mapping[str, Definition], sources: Mapping[str, str], known: Known) -> Bundle:
    """A workflow with all that it uses, and what these use."""
    inner: dict[str, Definition] = {}
    left = [name]
    while left:
        for each in sorted(subflows_of(workflows[left.pop()].steps) - inner.keys() - {name}):
            inner[each] = workflows[each]
            left.append(each)
    every = [step for each in (workflows[name], *inner.values()) for _, step in every_step(each.steps)]
    doing: list[Step | CompensationSettings] = [*every, *(each.compensate for each in every if each.compensate)]
    functions = [each.python.function for each in doing if each.python is not None]
    calls = [each.tool.call for each in doing if each.tool is not None]
    return Bundle(
        name=name,
        definition=workflows[name],
        subflows=dict(sorted(inner.items())),
        modules={module: sources[module] for module in sorted({each.partition(":")[0] for each in functions})},
        results={call: dict(output) for call in sorted(set(calls))
                 if call in known.tools and (output := known.tools[call].output) is not None},
    )  # fmt: skip
