"""What the doctor finds, and that each finding names its mend."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.certificates import Authority
from tests.cli.conftest import Fairlead

from fairlead.storage.store import SCHEMA_VERSION


def findings(fairlead: Fairlead, *more: str) -> dict[str, Any]:
    return {each["subject"]: each for each in fairlead("doctor", "--json", *more).json}


def test_a_sound_installation_has_nothing_bad(live: Path, fairlead: Fairlead) -> None:
    said = fairlead("doctor")
    assert said.status == 0, said.out
    assert "bad" not in {each["state"] for each in findings(fairlead).values()}
    assert findings(fairlead)["model local"]["said"] == "answers"


def test_everything_that_is_not_right_has_a_mend(acme: Path, fairlead: Fairlead) -> None:
    (acme / ".fairlead").chmod(0o755)
    (acme / ".fairlead" / "master.key").chmod(0o644)
    found = findings(fairlead)
    assert found["data folder"]["state"] == "bad"
    assert found["data folder"]["mend"].startswith("chmod 700")
    assert found["master key"]["state"] == "bad"
    assert found["revision"]["state"] == "warn"
    assert fairlead("doctor").status == 1
    assert all(each["mend"] for each in found.values() if each["state"] != "ok")


def test_a_master_key_of_another_deployment_is_noticed(acme: Path, fairlead: Fairlead, tmp_path: Path) -> None:
    fairlead("audit", "verify")  # makes the log's key under the right master key
    fairlead("init", tmp_path / "other")
    (acme / ".fairlead" / "master.key").write_bytes((tmp_path / "other" / ".fairlead" / "master.key").read_bytes())
    found = findings(fairlead)
    assert found["master key"]["state"] == "bad"
    assert "does not open" in found["master key"]["said"]


def test_what_keeps_the_doctor_from_looking_is_a_finding(acme: Path, fairlead: Fairlead) -> None:
    (acme / "fairlead.yaml").write_text("organisation: acme\nmodels: []\n")
    (acme / ".fairlead" / "state.db").unlink()
    found = findings(fairlead)
    assert found["workspace"]["state"] == "bad"
    assert found["database"]["state"] == "bad"
    assert found["program"]["state"] == "ok"


def test_a_folder_that_was_changed_since_the_publish_is_told(live: Path, fairlead: Fairlead) -> None:
    assert findings(fairlead)["revision"]["state"] == "ok"
    entry = live / "fairlead.yaml"
    entry.write_text(entry.read_text().replace("monthly: 200", "monthly: 300"))
    assert findings(fairlead)["revision"]["state"] == "warn"


def test_a_database_that_cannot_be_written_is_bad(live: Path, fairlead: Fairlead) -> None:
    with closing(sqlite3.connect(live / ".fairlead" / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert findings(fairlead)["database"]["state"] == "bad"


def test_a_clock_that_fell_back_is_noticed(live: Path, fairlead: Fairlead) -> None:
    with closing(sqlite3.connect(live / ".fairlead" / "state.db")) as connection, connection:
        connection.execute("INSERT INTO log (seq, run, at, record, spans) VALUES (0, 'r', 9e12, '{}', '')")
    assert findings(fairlead)["clock"]["state"] == "bad"


def test_migrate_makes_what_is_missing_and_repeats_safely(fairlead: Fairlead, acme: Path) -> None:
    (acme / ".fairlead" / "state.db").unlink()
    assert "none" in fairlead("migrate", "--dry-run").err
    assert not (acme / ".fairlead" / "state.db").exists()
    first = fairlead("migrate", "--json").json
    assert (first["before"], first["after"]) == (None, SCHEMA_VERSION)
    assert first["first_key"]
    assert fairlead("migrate", "--json").json["first_key"] is None
    assert "nothing to do" in fairlead("migrate", "--dry-run").err


def test_an_authority_for_peoples_certificates_is_looked_at(live: Path, fairlead: Fairlead, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "people")
    bundle = live / "people.pem"
    bundle.write_text(authority.bundle)
    certificate = {"certificate": {"ca": "file:people.pem"}}
    url, queries = "postgresql://db.example.com/shop", {"all": {"sql": "SELECT 1"}}
    system = {"use": "sql", "url": url, "queries": queries, "credential": certificate}
    entry = live / "fairlead.yaml"
    entry.write_text(entry.read_text() + f"\nsystems: {json.dumps({'shop': system})}\n")
    found = findings(fairlead)["certificates for shop"]
    assert (found["state"], found["said"]) == ("ok", "the authority ends in 364 d")
    bundle.write_text(authority.path.read_text())  # without its key
    found = findings(fairlead)["certificates for shop"]
    assert found["state"] == "bad"
    assert "private key" in found["said"]
