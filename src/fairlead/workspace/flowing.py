"""Whether, and for whom, it is kept what agents read: where some policy looks at it, some agent is declared, or
something is remembered for later."""

from fairlead.execution.flow_path import FlowRules
from fairlead.policy import Policy
from fairlead.workspace.settings import WorkspaceSettings


def compile_flows(settings: WorkspaceSettings, policy: Policy) -> FlowRules | None:
    """None where nothing is kept: then nothing of it is done for any call."""
    if not (settings.systems or settings.memory) or not settings.flows.kept_for(settings.payloads):
        return None
    if not settings.agents and settings.memory is None and not policy.tools.reads_sources:
        return None
    return FlowRules(frozenset(name for name, each in settings.agents.items() if each.passes_words_on))
