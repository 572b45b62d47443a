"""Opening systems: what is missing is told at once, with the extra to install."""

import sys
from typing import Any

import msgspec
import pytest
from tests.world import FixedClock

from fairlead.errors import BadInput
from fairlead.tools.registry import open_system
from fairlead.tools.settings import SqlSettings
from fairlead.tools.systems import System


def test_a_database_whose_driver_is_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    queries = {"count": {"sql": "SELECT 1 AS one"}}
    said = {"use": "sql", "url": "postgresql://db.inside/shop", "queries": queries}
    nothing: Any = None
    system = System(name="shop", settings=msgspec.convert(said, SqlSettings), tools={}, card=nothing, files={})
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(BadInput, match="shop needs the extra `sql`") as told:
        open_system(system, nothing, FixedClock())
    assert told.value.mend == "pip install 'fairlead[sql]'"
    assert "psycopg" in told.value.why
