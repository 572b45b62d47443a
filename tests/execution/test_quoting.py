"""What many requests would cost, whatever changes meanwhile."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.world import asked, world

from fairlead.costs.told import Arrival
from fairlead.execution.quoting import quote_batch
from fairlead.models.types import ChatRequest


async def test_a_request_counts_at_the_price_it_was_decided_by_though_its_model_is_gone_since(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        before = w.fairlead.deployment

        def two() -> Iterator[ChatRequest]:
            yield asked("hello", model="small")[0]
            w.fairlead.deployment = replace(before, rates={})

        made = await quote_batch(w.fairlead, w.caller(), two(), Arrival(door="cli", dry_run=True))
        assert [(part.model, part.requests) for part in made.parts] == [("small", 1)]
        assert made.most > 0
        assert made.refused == ()
