"""Two who disagree about a policy: it is noticed, whoever was declared decides, and what they decide is checked."""

import asyncio
from pathlib import Path
from typing import Any

from tests.workflows.scripted import Scripted
from tests.workflows.walking import shop

DAYS = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}


def agent(id: str) -> dict[str, Any]:
    return {
        "id": id,
        "agent": {"goal": f"As {id}: within how many days?", "at_most": 3, "model": "small", "gives": DAYS},
    }


def both(**agree: Any) -> dict[str, Any]:
    said = {
        "branches": {"law": [agent("lawyer")], "shop": [agent("clerk")]},
        "agree": {"compare": "value.days", **agree},
    }
    check = {"rules": [{"that": "value.days <= 60", "otherwise": "nobody takes anything back so late"}]}
    return {"id": "both", "parallel": said, "check": check}


def says(call: Any) -> str:
    """The lawyer says 30, the clerk 60, and whoever decides between them 90."""
    asked = str(call.request.messages[-1].content)
    return f'{{"days": {30 if "lawyer" in asked else 60 if "clerk" in asked else 90}}}'


async def test_a_rule_decides(tmp_path: Path) -> None:
    rule = both(rule="values.law.days < values.shop.days ? values.law : values.shop")
    async with shop(tmp_path, rule) as s:
        Scripted(s.w, says)
        run = await s.bought()
        assert run["output"] == {"days": 30}
        assert len(s.w.records("call_model")) == 2
        drawn = await asyncio.to_thread(s.workflows.pictured, run["id"], s.w.caller("kim"), "text")
        assert "both: parallel  [done, branches disagreed]" in drawn["drawn"]
        Scripted(s.w, lambda call: '{"days": 30}')
        run = await s.bought()
        drawn = await asyncio.to_thread(s.workflows.pictured, run["id"], s.w.caller("kim"), "text")
        assert "disagreed]" not in drawn["drawn"]


async def test_a_stronger_model_decides_and_is_checked(tmp_path: Path) -> None:
    judge = {"prompt": "Law ${values.law.days}, shop ${values.shop.days}: which?", "model": "house", "gives": DAYS}
    async with shop(tmp_path, both(model=judge)) as s:
        heard = Scripted(s.w, says)
        run = await s.bought()
        assert "Law 30, shop 60" in heard.told()
        assert s.w.records("call_model")[-1].model == "house"
        assert (run["failure"]["kind"], run["failure"]["at"]) == ("check", "both")
        assert "so late" in run["failure"]["message"]
        Scripted(s.w, lambda call: says(call).replace("90", "45"))
        assert (await s.bought())["output"] == {"days": 45}
        Scripted(s.w, lambda call: says(call).replace("90", '"many"'))
        assert "does not fit" in (await s.bought())["failure"]["message"]


async def test_a_person_decides_and_sees_what_each_rests_on(tmp_path: Path) -> None:
    async with shop(tmp_path, both(role="clerk")) as s:
        Scripted(s.w, says)
        run = s.begin()
        await s.walked(run)
        (question,) = s.workflows.questions(s.w.caller("lee"))
        assert {name: each["value"] for name, each in question["show"].items()} == {
            "law": {"days": 30},
            "shop": {"days": 60},
        }
        assert question["show"]["law"]["rests_on"] == ["model:small"]
        assert question["show"]["law"]["run"] in {each.run for each in s.w.records("call_model")}
        s.order(run, "approve", "lee", at=question["at"], value="shop")
        done = await s.walked(run)
        assert done["output"] == {"days": 60}
        kept = s.runs.result(s.runs.open(run))
        assert kept["provenance"] == ["model:small", "person:lee"]
