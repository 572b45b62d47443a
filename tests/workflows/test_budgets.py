"""A budget of a workflow is shared by all of its runs, by whoever begins them, and holds for nothing else."""

from collections import Counter
from pathlib import Path

import msgspec
from tests.workflows.walking import BANK, INPUT, PERMITS, PRICE, ROLES, Shop
from tests.world import world

from fairlead.workflows.definition import Definition

COSTS = {"bank": {"use": "python", "file": "systems/bank.py", "price": 0.25}}


async def test_all_runs_of_a_workflow_share_its_budget(tmp_path: Path) -> None:
    inner = {"id": "inner", "subflow": {"workflow": "look", "input": {"article": "${input.article}"}}}
    looks, buys = ({"input": INPUT, "steps": steps} for steps in ([PRICE], [PRICE, inner]))
    files = {
        f"workflows/{name}.yaml": msgspec.json.encode(msgspec.convert(each, Definition)).decode()
        for name, each in (("look", looks), ("buy", buys))
    }
    files |= {"systems/bank.py": BANK, "policies/all.cedar": PERMITS}
    caps = {"workflows": {"buy": {"total": 0.8}}}
    async with world(tmp_path, files, systems=COSTS, approvals=ROLES, budgets=caps) as w:
        found = Shop(w)
        assert (await found.bought())["status"] == "done"  # 0.25 itself, and as much in its subflow
        other = await found.bought(person="lee")
        assert other["status"] == "failed"
        assert other["failure"]["code"] == "over_budget"
        assert "workflow/buy" in other["failure"]["message"]
        assert (await found.bought(workflow="look"))["status"] == "done"  # begun for itself, it has no cap
        spent: Counter[str] = Counter()
        for each in w.records("call_tool"):
            spent[each.workflow] += each.cost
        assert spent == {"buy": 750_000_000, "look": 250_000_000}
        assert w.balance("workflow/buy") == (0, 750_000_000)
