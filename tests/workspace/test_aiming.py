"""Objectives and tiers, held against the models and prices of the workspace."""

import pytest
from tests.workspace.test_compile import LEAN, compiled, problems

TIERS = LEAN + "routing:\n  tiers: {local: [small], mid: [large, small]}\n"


def test_tiers_in_a_line_are_the_order_in_which_models_are_tried() -> None:
    found = compiled({"fairlead.yaml": TIERS.replace("prefer: [small, large]\n", "")})
    assert found.preferences.prefer == ("small", "large")
    assert found.preferences.tiers == {"local": ("small",), "mid": ("large", "small")}


def test_a_workspace_without_any_of_it_compiles_to_nothing_to_look_at() -> None:
    found = compiled({"fairlead.yaml": LEAN, "tasks/q.yaml": "description: A question.\n"})
    assert found.preferences.tiers == {}
    assert found.preferences.objective_of(found.tasks.default) is None


def test_a_task_types_own_objective_comes_before_the_workspaces() -> None:
    usual = LEAN + "routing: {objective: {maximise: quality, cost_at_most: 0.5}}\n"
    kinds = {
        "tasks/own.yaml": "objective: {minimise: cost, quality_at_least: 0.9}\n",
        "tasks/as_declared.yaml": "objective: declared\n",
        "tasks/silent.yaml": "description: Says nothing.\n",
    }
    found = compiled({"fairlead.yaml": usual, **kinds})
    objectives = {
        name: found.preferences.objective_of(found.tasks.types[name]) for name in ("own", "as_declared", "silent")
    }
    assert [objectives["own"] and objectives["own"].aim, objectives["as_declared"]] == ["cost", None]
    assert objectives["silent"] is found.preferences.objective


@pytest.mark.parametrize(
    ("entry", "task", "said"),
    [
        ("routing: {tiers: {mid: [larg]}}\n", "", "fairlead.yaml:10:25: routing.tiers.mid names 'larg'"),
        ("routing: {tiers: {Local: [small]}}\n", "", "fairlead.yaml:10:19: routing.tiers.Local"),
        ("routing: {tiers: {none: []}}\n", "", "fairlead.yaml:10:19: routing.tiers.none has no model"),
        ("routing: {tiers: {local: [small]}}\n", "tier: loca\n", "tasks/q.yaml:1:1: there is no tier `loca`"),
        ("routing: {tiers: {local: [small]}}\n", "tiers: [local, x]\n", "tasks/q.yaml:1:16: there is no tier `x`"),
        ("", "tier: mid\n", "declare it under `routing.tiers` in fairlead.yaml"),
        ("routing: {tiers: {a: [small]}}\n", "tier: a\ntiers: [a]\n", "say the same thing twice"),
        ("routing: {tiers: {a: [small]}}\n", "tier: a\nprefer: [large]\n", "tasks/q.yaml:2:10: `large` is in none"),
        ("", "objective:\n  minimise: cost\n", "tasks/q.yaml:2:3: objective.minimise has no bound beside it"),
        ("", "objective: declare\n", "tasks/q.yaml:1:1: `objective` must be one of `declared`"),
        (
            "routing:\n  objective: {maximise: quality, cost_at_most: 0.000000001}\n",
            "",
            "fairlead.yaml:11:34: no model can stay below it",
        ),
        (
            "routing:\n  tiers: {a: [large]}\n",
            "tier: a\nobjective: {maximise: quality, cost_at_most: 0.000003}\n",
            "with `large`, the cheapest",
        ),
    ],
)
def test_what_cannot_be_meant_is_told_at_its_line_with_the_mend(entry: str, task: str, said: str) -> None:
    found = "\n".join(problems({"fairlead.yaml": LEAN + entry, "tasks/q.yaml": task}))
    assert said in found, found
