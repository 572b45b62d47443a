"""`fairlead memory` and `/v1/memory` over one deployment: people see and forget their own, operators anybody's."""

from pathlib import Path

import httpx
import pytest
from tests.cli.conftest import Fairlead
from tests.execution.test_memory import noted, whose
from tests.world import MASTER_KEY, served

from fairlead.cli.place import MASTER_KEY as VARIABLE


def test_people_and_operators_see_and_forget_what_is_remembered(
    tmp_path: Path, fairlead: Fairlead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, MASTER_KEY.hex())
    monkeypatch.setenv("TEST_KEY", "test-key")
    with served(tmp_path, memory={}) as s:
        monkeypatch.chdir(tmp_path / "acme")
        memories = s.running.fairlead.memories
        for key, scope, person in (
            ("tone", "person", "kim"),
            ("order", "session:chat", "kim"),
            ("rule", "team:staff", "kim"),
            ("tone", "person", "lee"),
        ):
            memories.remember(whose(scope, person), noted(key, f"{key} of {person}", scope))
        with httpx.Client(base_url=s.url, headers=s.auth("kim")) as client:
            told = client.get("/v1/memory").json()["data"]
            assert {(each["scope"], each["key"]) for each in told} == {
                ("person", "tone"), ("session:chat", "order"), ("team:staff", "rule")
            }  # fmt: skip
            first = client.get("/v1/memory?limit=2").json()
            assert ([each["key"] for each in first["data"]], first["has_more"]) == (["rule", "order"], True)
            rest = client.get(f"/v1/memory?limit=2&after={first['data'][-1]['id']}").json()
            assert ([each["key"] for each in rest["data"]], rest["has_more"]) == (["tone"], False)
            (other,) = memories.about("lee")
            assert client.get(f"/v1/memory?after={other.id}").status_code == 404
            assert client.get("/v1/memory?limit=0").status_code == 400
            (tone,) = client.get("/v1/memory?scope=person").json()["data"]
            assert (tone["value"], tone["sources"], tone["class"]) == ("tone of kim", ["user"], "public")
            (others,) = memories.about("lee")
            assert client.delete(f"/v1/memory/{others.id}").status_code == 404
            assert client.delete(f"/v1/memory/{tone['id']}").json() == {"object": "memory", "deleted": 1}
            assert client.get(f"/v1/memory/{tone['id']}").status_code == 404
            assert client.get("/v1/memory", headers={"authorization": "Bearer no"}).status_code == 401
        at = ("--data", str(tmp_path / "data"))
        assert fairlead("memory", "show", "tone", "--json", *at).json[0]["person"] == "lee"
        rows = fairlead("memory", "show", "--limit", "2", "--json", *at).json
        assert [each["key"] for each in rows] == ["tone", "rule"], "the youngest first"
        assert "rule of kim" in fairlead("memory", "show", "--team", "staff", *at).out
        assert fairlead("memory", "forget", "--all", *at).status == 2
        assert "say which" in fairlead("memory", "forget", "--person", "kim", *at).err
        assert (
            "would forget 2 entries" in fairlead("memory", "forget", "--all", "--person", "kim", "--dry-run", *at).err
        )
        where = fairlead("data", "where", "kim", "--json", *at).json
        assert [each["count"] for each in where["kept"] if each["place"] == "table memory"] == [2]
        done = fairlead("memory", "forget", "order", "--session", "chat", "--yes", "--json", *at)
        assert done.json == {"forgotten": 1}
        assert [each.about for each in s.records("memory_forgotten")] == ["1 entries"] * 2
        assert "1 memories" in fairlead("data", "erase", "kim", "--yes", *at).err
        assert [each.person for each in memories.everything()] == ["lee"]
        assert fairlead("audit", "verify", *at).status == 0
