"""An announcement between a decision and its first attempt: decided anew where only that changed, refused otherwise."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.conftest import AMPLE
from tests.world import World, world

from fairlead.errors import Overloaded, Stopped
from fairlead.execution import Deployment, model_call
from fairlead.policy.stops import Stop, compile_stops


def adds_up(w: World) -> bool:
    return w.holds() == [] and w.balance("organisation") == (0, sum(record.cost for record in w.records()))


def announced(
    w: World, monkeypatch: pytest.MonkeyPatch, changed: Callable[[Deployment], Deployment], times: int
) -> None:
    """Another deployment is taken up, so many times, while a call that was decided reserves its money."""
    reserved, left = model_call.reserved, [times]

    async def and_announced(*given: Any) -> Any:
        decided = await reserved(*given)
        if left[0]:
            left[0] -= 1
            w.fairlead.take_up(changed(w.fairlead.deployment))
        return decided

    monkeypatch.setattr(model_call, "reserved", and_announced)


async def test_a_call_is_decided_anew_where_the_revision_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world(tmp_path, budgets=AMPLE) as w:
        announced(w, monkeypatch, replace, times=2)
        answer = await w.ask("say 4")
        assert len(w.provider.received) == 1
        runs = {each.run: (each.outcome, each.error) for each in w.records() if each.outcome}
        assert [outcome for outcome, _ in runs.values()] == ["refused", "refused", "done"], runs
        assert answer.run == list(runs)[-1]
        assert adds_up(w)


def _stopped(deployment: Deployment) -> Deployment:
    stop = Stop(id="stop_1", kind="person", name="kim", reason="a lost laptop", by="test", at=1)
    return replace(deployment, stops=compile_stops([stop]))


def _another_key(deployment: Deployment) -> Deployment:
    authenticator = deployment.authenticator
    mine = authenticator._by_name["kim"]
    other = object.__new__(type(authenticator))
    other.__dict__.update(authenticator.__dict__)
    other._by_name = {**authenticator._by_name, "kim": msgspec.structs.replace(mine, digest=b"another")}
    return replace(deployment, authenticator=other)


@pytest.mark.parametrize(
    ("changed", "times", "error"),
    [
        (_stopped, 1, Stopped),
        (_another_key, 1, Overloaded),
        (lambda deployment: replace(deployment, revision="another"), 1, Overloaded),
        (replace, 9, Overloaded),
    ],
    ids=["a stop", "another key of that name", "another revision", "again and again"],
)
async def test_what_changed_holds_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: Any, times: int, error: type[Exception]
) -> None:
    async with world(tmp_path, budgets=AMPLE) as w:
        announced(w, monkeypatch, changed, times)
        with pytest.raises(error):
            await w.ask("say 4")
        assert not w.provider.received
        assert adds_up(w)
