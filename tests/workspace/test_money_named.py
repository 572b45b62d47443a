"""Names in the settings of reports about money, held against the rest of the workspace."""

import pytest
from tests.workspace.test_compile import LEAN, compiled, problems

Q = {"tasks/q.yaml": "description: A question.\n"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("forecast: {drivers: {task/w: {file: drivers/o.csv}}}\n", "there is no task type `w`"),
        ("forecast: {drivers: {model/larg: {file: drivers/o.csv}}}\n", "did you mean `large`?"),
        ("forecast: {drivers: {planet/earth: {file: drivers/o.csv}}}\n", "is nothing whose spending is forecast"),
        ("forecast: {drivers: {task/q: {file: drivers/../o.csv}}}\n", "does not lie in the folder drivers"),
        ("bills: {providers: {big: {columns: {time: a+b}}}}\n", "is one column"),
        ("bills: {providers: {big: {columns: {when: a}}}}\n", "when"),
        ("bills: {providers: {big: {tolerance: much}}}\n", "tolerance"),
    ],
)
def test_what_can_mean_nothing_is_a_problem_at_its_line(entry: str, said: str) -> None:
    found = problems({"fairlead.yaml": LEAN + entry, **Q})
    assert said in "\n".join(found)


def test_what_may_still_be_meant_is_a_warning() -> None:
    more = (
        "value: {baselines: {qq: {minutes: 1, rate: 1}, q: {minutes: 1, rate: 1}}}\n"
        "bills: {providers: {big: {models: {theirs: lare}, vendor: nobody}}}\n"
        "forecast: {drivers: {department/salse: {file: drivers/o.csv}, organisation: {file: drivers/o.csv}}}\n"
    )
    found = compiled({"fairlead.yaml": LEAN + "budgets: {departments: {sales: {monthly: 1}}}\n" + more, **Q})
    said = "\n".join(found.warnings)
    for words in (
        "value.baselines.qq is of no task type here", "did you mean `large`?", "no model is served by `nobody`",
        "forecast.drivers.department/salse: did you mean `sales`?",
    ):  # fmt: skip
        assert words in said, said
    assert "baselines.q " not in said
