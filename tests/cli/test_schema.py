"""Schemas at the command line."""

import json
from pathlib import Path

from tests.cli.conftest import Fairlead


def test_schemas_are_listed_printed_and_written(fairlead: Fairlead, tmp_path: Path) -> None:
    names = [line.split()[0] for line in fairlead("schema").out.splitlines()]
    assert "fairlead" in names
    printed = json.loads(fairlead("schema", "fairlead").out)
    assert "organisation" in json.dumps(printed)
    written = fairlead("schema", "--out", tmp_path).out.split()
    assert len(written) == len(names)
    assert json.loads((tmp_path / "fairlead.schema.json").read_text()) == printed
    assert fairlead("schema", "fairlaed").status == 2
