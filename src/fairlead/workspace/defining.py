"""The workflows of a workspace: each a file below workflows/, checked against all that it names, and bundled with what
its runs need of the text. Nothing of the expressions' library is imported where there are none."""

from collections.abc import Iterator, Mapping, Set
from typing import Final

from fairlead.errors import BadInput
from fairlead.tasks.settings import BUILT_IN
from fairlead.tools.systems import System
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.definition import Definition, Step
from fairlead.workflows.graph import every_step, subflows_of
from fairlead.workflows.known import FIT_NAME, Known, KnownFunction, KnownTool, functions_in
from fairlead.workflows.nodes import CompensationSettings
from fairlead.workspace.findings import Findings
from fairlead.workspace.problems import Problem
from fairlead.workspace.settings import WorkspaceSettings
from fairlead.workspace.text import task_name
from fairlead.workspace.typed import read
from fairlead.workspace.written import written_in
from fairlead.workspace.yaml_lines import Document

FOLDER: Final = "workflows"


def compiled_workflows(
    findings: Findings, settings: WorkspaceSettings, systems: Mapping[str, System], tasks: frozenset[str]
) -> tuple[Mapping[str, Bundle] | None, list[str]]:
    """The workflows by name, and remarks on them. None where anything is wrong with one."""
    before = len(findings.problems)
    files = findings.below(FOLDER, Definition)
    modules = {path.rpartition("/")[2].removesuffix(".py"): (path, content.decode("utf-8", "replace"))
               for path, content in findings.text.below(FOLDER, ".py")}  # fmt: skip
    workflows = {task_name(path): one for path, one in files.items() if one is not None}
    documents = {name: findings.documents[f"{FOLDER}/{name}.yaml"] for name in workflows}
    for name, document, one in _written(findings, modules, workflows):
        workflows[name], documents[name] = one, document
    if not workflows:
        return (None, []) if len(findings.problems) > before else ({}, [])
    functions = _functions(findings, modules, {(document.file, name) for name, document in documents.items()})
    known = _known(settings, systems, tasks, workflows, functions)
    remarks = [
        said for name, each in workflows.items() for said in _checked(findings, name, each, documents[name], known)
    ]
    if len(findings.problems) > before:
        return None, remarks
    sources = {name: source for name, (_, source) in modules.items()}
    return {name: _bundle(name, workflows, sources, known) for name in workflows}, remarks


def _written(
    findings: Findings, modules: Mapping[str, tuple[str, str]], known: Mapping[str, Definition]
) -> Iterator[tuple[str, Document, Definition]]:
    """The workflows that are written as Python."""
    seen = set(known)
    for path, source in modules.values():
        for name, document in written_in(path, source):
            if isinstance(document, Problem):
                findings.problems.append(document)
                continue
            if name in seen:
                message = f"there is a workflow `{name}` already"
                findings.problems.append(document.problem((), message, "give the function another name"))
            seen.add(name)
            one = read(document, Definition, findings.problems)
            if one is not None:
                yield name, document, one


def _checked(findings: Findings, name: str, definition: Definition, document: Document, known: Known) -> Iterator[str]:
    """Note what is wrong with a workflow; gives what may be meant."""
    from fairlead.workflows.checks import faults_of

    if not FIT_NAME.fullmatch(name):
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


def _functions(
    findings: Findings, modules: Mapping[str, tuple[str, str]], written: Set[tuple[str, str]]
) -> dict[str, Mapping[str, KnownFunction]]:
    """What `python` steps may call, by file: not the functions that are workflows themselves."""
    found: dict[str, Mapping[str, KnownFunction]] = {}
    for name, (path, source) in modules.items():
        try:
            every = functions_in(source, path)
            found[name] = {each: known for each, known in every.items() if (path, each) not in written}
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
