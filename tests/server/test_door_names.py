"""Policies speak of doors by the names that the doors themselves give to records."""

import ast
from pathlib import Path
from typing import get_args

import fairlead.server
from fairlead.execution.judging import DOOR as JUDGE
from fairlead.execution.page_embedding import DOOR as PAGES
from fairlead.execution.question_embedding import DOOR as QUESTION
from fairlead.execution.speed_probe import DOOR as MACHINE
from fairlead.models.door_names import DoorName
from fairlead.workflows.effects import DOOR as WORKFLOW

# Doors of what is shown or turned away, and of tools: rules with `doors:` are about what models are asked and say.
WITHOUT_POLICY = {
    "fairlead.sessions",
    "fairlead.approvals",
    "fairlead.grants",
    "fairlead.memory",
    "fairlead.proposals",
    "fairlead.workflows",
    "fairlead.pages",
    "mcp",
    "scim",
    "server",
}


def said_by_doors() -> set[str]:
    """Every constant `DOOR` and every attribute `door` below server/."""
    found = set()
    for path in Path(fairlead.server.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AnnAssign)
                else []
            )
            named = {each.id.strip("_").lower() for each in targets if isinstance(each, ast.Name)}
            value = getattr(node, "value", None)
            if "door" in named and isinstance(value, ast.Constant) and isinstance(value.value, str):
                found.add(value.value)
    return found


def test_rules_may_name_the_doors_that_there_are_and_no_other() -> None:
    known = set(get_args(get_args(DoorName)[0]))
    assert known == said_by_doors() - WITHOUT_POLICY | {"cli", JUDGE, MACHINE, PAGES, QUESTION, WORKFLOW}
