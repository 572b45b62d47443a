"""What routing has learnt, kept for good and followed by every worker."""

import asyncio
import logging
from pathlib import Path

import pytest
from sqlalchemy import text as sql
from tests.world import again, until, world

from fairlead.errors import Broken, NotFound
from fairlead.routing.learned import Features, Observation, Predictor
from fairlead.routing.learned.training import train
from fairlead.storage import predictor_rows as rows
from fairlead.storage.fleet import Fleet
from fairlead.workspace.compile import compile_workspace
from fairlead.workspace.load import read_folder
from fairlead.workspace.predicting import kept_as, load, load_in_force, put_in_force

FILES = {"tasks/letter.yaml": "objective: {maximise: quality}\n"}


def learnt(score: float) -> Predictor:
    return train([Observation("letter", Features(), "house", score, group=str(number)) for number in range(3)])


async def test_a_predictor_is_followed_without_a_restart_and_a_damaged_one_decides_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path, FILES) as w:

        def put(predictor: Predictor) -> None:
            fleet, new = Fleet(w.store, w.clock), kept_as(predictor, 1, "test", b"{}")
            put_in_force(w.store, fleet, w.clock, predictor.version, by="test", new=new)

        first, second = learnt(0.5), learnt(0.9)
        for each in (first, second, first):
            await asyncio.to_thread(put, each)
            await until(lambda each=each: (w.fairlead.deployment.predictor or second).version == each.version)
        with w.store.reading() as connection:
            assert {one.version for one in rows.every(connection)} == {first.version, second.version}
            assert rows.in_force(connection) == first.version
        assert [one.about for one in w.records("predictor")][-1] == f"{first.version}, in place of {second.version}"
        with w.store.writing() as connection:
            connection.execute(sql("UPDATE predictor SET content = :new"), {"new": second.encoded()})
        with pytest.raises(Broken, match="is damaged"):
            load(w.store, first.version)
        with pytest.raises(NotFound, match="there is no predictor"):
            load(w.store, "0123")
        workspace = compile_workspace(read_folder(tmp_path / "acme"), lambda _: None, now=w.clock.now())
        with caplog.at_level(logging.ERROR):
            assert load_in_force(w.store, workspace) is None
        assert "models are taken as declared" in caplog.text
        await w.running.stop()
        running = await again(w)
        assert running.fairlead.deployment.predictor is None, "it starts all the same"
        await running.stop()
        with w.store.writing() as connection:
            rows.put_in_force(connection, "", at=2, by="test")
            assert rows.in_force(connection) == ""


async def test_where_no_objective_is_declared_nothing_is_read(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        predictor = learnt(0.5)
        new = kept_as(predictor, 1, "test", b"{}")
        fleet = Fleet(w.store, w.clock)
        await asyncio.to_thread(put_in_force, w.store, fleet, w.clock, predictor.version, by="test", new=new)
        await until(lambda: w.records("predictor"))
        assert w.fairlead.deployment.predictor is None
