"""Outcomes are gathered from the log once, go on from where the last gathering ended, and go with their person."""

from pathlib import Path

from tests.erased import erase
from tests.world import FixedClock, World, world

from fairlead.learning.gathering import Gathering
from fairlead.learning.settings import OutcomesSettings
from fairlead.storage import outcome_rows


def gathering(w: World) -> Gathering:
    made = Gathering(w.store, w.fairlead.ledger.vault, w.clock)
    made.settings, made.organisation = OutcomesSettings(seen=("check", "retry")), "acme"
    return made


def outcomes(w: World) -> list[tuple[str, str, int]]:
    with w.store.reading() as connection:
        return sorted((each.run, each.by, each.score) for each in outcome_rows.outcomes_since(connection, 0))


async def test_what_the_log_tells_is_an_outcome_once(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        office = gathering(w)
        first = (await w.ask("When do we  ship?")).run
        assert office.run() == 1
        second = (await w.ask("when do we ship?")).run
        third = (await w.ask("when do we ship?", person="lee")).run
        assert office.run() == 3
        assert office.run() == 0
        expected = [(first, "check", 10_000), (first, "retry", 0), (second, "check", 10_000), (third, "check", 10_000)]
        assert outcomes(w) == sorted(expected)
        assert gathering(w).run() == 0  # another process goes on from the mark
        erase(w.store, w.fairlead.ledger.vault, "kim")
        assert outcomes(w) == [(third, "check", 10_000)]
        with w.store.writing() as connection:
            outcome_rows.set_mark(connection, -1)
        gathering(w).run()  # from the beginning: of the erased nothing comes back
        assert outcomes(w) == [(third, "check", 10_000)]


async def test_outcomes_are_forgotten_once_nobody_looks_back_to_them_and_not_before(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.ask("When do we ship?")
        assert gathering(w).run() == 1
        left = []
        for days in (29, 31):
            office = Gathering(w.store, w.fairlead.ledger.vault, FixedClock(w.clock.now() + days * 86_400_000))
            office.settings = OutcomesSettings(keep=30)
            office.sweep()
            left.append(len(outcomes(w)))
        assert left == [1, 0], "also where nothing is looked for any more"


async def test_where_nothing_is_named_nothing_is_done(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        await w.ask()
        office = Gathering(w.store, w.fairlead.ledger.vault, w.clock)
        await office.chore()
        assert outcomes(w) == []
