"""Where a value came from: through which steps and models, from which tool, page, person or input; of runs that ended
well too."""

from pathlib import Path
from typing import Any

import pytest
from tests.workflows.tracing.test_attributing import CUT, NET, OFFER, says
from tests.workflows.walking import PRICE, Shop, shop
from tests.world import secret_of

from fairlead.errors import BadInput, NotFound
from fairlead.workflows.tracing.slicing import origins
from fairlead.workflows.tracing.tree import origins_data
from fairlead.workspace.tracing import LoggedFacts, opened_again

OUTPUT = {
    "offer": {"total": "${steps.offer.value.total}", "for": "${input.article}"},
    "nets": ["${steps.net.value.net}"],
}


async def sources(s: Shop, run: str, asked: str) -> dict[str, Any]:
    back = await opened_again(s.runs, run)
    facts = LoggedFacts(s.w.store, s.w.fairlead.ledger.vault, s.w.clock, secret_of, back)
    (found,) = origins(back, facts, asked)
    return origins_data(found)


async def test_a_value_of_a_run_that_ended_well_is_followed_back(tmp_path: Path) -> None:
    async with shop(tmp_path, PRICE, NET, CUT, OFFER, output=OUTPUT) as s:
        says(s)
        run = await s.bought()
        assert run["output"]["offer"] == {"total": 108.0, "for": "lamp"}
        found = await sources(s, run["id"], "result.offer.total")
        by = {each["input"]: each for each in found["sources"]}
        assert found["value"] == 108.0
        price = by["tool:bank.price"]
        assert (price["at"], price["value"], price["run"] is not None) == ("price", 40, True)
        first = price["chain"][0]
        assert (first["at"], first["model"]) == ("offer", "small")
        assert price["chain"][-1]["at"] == "price"
        assert "input.article" in by, "what the price was asked for"
        rate = by["value.rate"]
        assert (rate["at"], rate["model"], rate["value"]) == ("cut", "small", 10)
        assert "first" in rate["what"]


async def test_a_value_is_named_by_its_path_or_as_it_stands(tmp_path: Path) -> None:
    async with shop(tmp_path, PRICE, NET, CUT, OFFER, output=OUTPUT) as s:
        says(s)
        run = (await s.bought())["id"]
        asked = ("108.00", "steps.net.value.net", "net.net", "output.nets[0]", "price", "input.article")
        names = {each: (await sources(s, run, each))["value"] for each in asked}
        assert names == {"108.00": 108.0, "steps.net.value.net": 120.0, "net.net": 120.0, "output.nets[0]": 120.0,
                         "price": 40, "input.article": "lamp"}  # fmt: skip
        (given,) = (await sources(s, run, "result.offer.for"))["sources"]
        assert (given["what"], given["input"]) == ("the run was given it", "input.article")
        with pytest.raises(NotFound, match="nowhere"):
            await sources(s, run, "7,777.00")
        with pytest.raises(BadInput, match="no value at result"):
            await sources(s, run, "result.nothing")
