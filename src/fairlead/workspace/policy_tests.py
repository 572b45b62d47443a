"""The cases of `policies/tests.yaml`: how they come out, and that a workspace is not published against them."""

from fairlead.policy import CaseResult, run_policy_tests
from fairlead.policy.tool_cases import CaseTool
from fairlead.workspace.compile import Workspace
from fairlead.workspace.problems import InvalidWorkspace
from fairlead.workspace.text import POLICY_TESTS, WorkspaceText
from fairlead.workspace.yaml_lines import Document, parse_yaml


def policy_results(workspace: Workspace) -> list[CaseResult]:
    """How the cases of `policies/tests.yaml` come out."""
    tools = {
        tool.name: CaseTool(
            tool, {name: fact.type for name, fact in system.card_of(tool.definition.name).facts.items()}
        )
        for system in workspace.systems.values()
        for tool in system.tools.values()
    }
    return run_policy_tests(workspace.policy, workspace.policy_cases, workspace.models.models, tools)


def require_policy_tests(workspace: Workspace, text: WorkspaceText) -> None:
    """Raise `InvalidWorkspace` with every case of `policies/tests.yaml` that comes out otherwise than expected."""
    document = parse_yaml(POLICY_TESTS, text.files.get(POLICY_TESTS, b""))
    assert isinstance(document, Document)
    failed = [
        document.problem(("tests", number), f"policy test {result.name!r}: {result.said}")
        for number, result in enumerate(policy_results(workspace))
        if not result.passed
    ]
    if failed:
        raise InvalidWorkspace(failed)
