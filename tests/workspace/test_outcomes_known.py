"""Outcomes as reports and learning take them from the database."""

from contextlib import closing
from pathlib import Path

from tests.world import FixedClock

from fairlead.storage.outcome_rows import keep
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.types import NewOutcome
from fairlead.storage.vault import Vault
from fairlead.workspace.outcomes_known import scores_since, trusted_scores_since


def test_what_may_not_teach_is_left_out_and_counted(empty_database: Path, tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(empty_database.read_bytes())
    with closing(Store.open(path)) as store:
        subject = Vault(bytes(32), StoredSubjects(store), FixedClock()).subject_for("kim").id
        every = [
            NewOutcome(
                run=f"{model}{at}",
                by="judge/nice",
                subject=subject,
                entry="e",
                at=at,
                source="judge",
                task="t",
                model=model,
                score=score,
                weight=500,
                digest="always this" if model == "charmer" else f"{at}",
            )
            for model, score in (("one", 8000), ("two", 7000), ("charmer", 10_000))
            for at in range(40)
        ]
        with store.writing() as connection:
            keep(connection, every)
        scores, left_out = trusted_scores_since(store, 0, 0.2)
        assert (len(scores), left_out) == (80, 40)
        assert scores["one1"] == [(0.8, 0.5)]
        assert not any(run.startswith("charmer") for run in scores)
        assert len(scores_since(store, 0)) == 120
