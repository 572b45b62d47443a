"""What the doctor says of who scores vectors, on each kind of database."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fairlead.cli import scoring
from fairlead.cli.checks import Looked
from fairlead.context.settings import ContextSettings
from fairlead.storage import postgres_vectors
from fairlead.storage.database import Where
from fairlead.storage.store import Store


def test_the_doctor_says_who_scores_vectors_and_why(
    scored_where: Where, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.open(scored_where, beside=tmp_path)
    settings = SimpleNamespace(context=ContextSettings(embeddings="local"))
    looked = cast(Looked, SimpleNamespace(store=store, compiled=SimpleNamespace(settings=settings)))
    said: Any = {"embedder_of": lambda _: SimpleNamespace(model="test/toy"), "snapshot_of": lambda *_: "none"}
    for name, stand_in in {**said, "published_revision": lambda _: "r1"}.items():
        monkeypatch.setattr(scoring, name, stand_in)
    (found,) = scoring.vectors(looked)
    with store.reading() as connection:
        version = postgres_vectors.extension(connection)
    if version:
        assert (found.state, found.said) == ("ok", f"the database scores them (pgvector {version})")
        with store.writing() as connection:
            connection.exec_driver_sql("DROP TABLE context_pgvector")
        (found,) = scoring.vectors(looked)
        assert (found.state, found.mend) == ("warn", "fairlead apply")
        with store.writing() as connection:
            connection.exec_driver_sql("DROP EXTENSION vector")
        (found,) = scoring.vectors(looked)
        assert (found.state, found.mend[:24]) == ("warn", "CREATE EXTENSION vector;")
    else:
        assert found.state == "ok"
        assert "in memory" in found.said
    store.close()
