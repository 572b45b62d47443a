"""The audit log at the command line: what holds, what does not, and what can be carried away."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.cli.conftest import HOTEL, Fairlead, ask

from fairlead.audit import leaf_hash, verify_checkpoint, verify_inclusion
from fairlead.audit.__main__ import main
from fairlead.execution import Answer


def tampered(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / ".fairlead" / "state.db")) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0


def unsigned(folder: Path) -> None:
    """Workers sign by themselves, now and then: start again without what they may have signed."""
    with closing(sqlite3.connect(folder / ".fairlead" / "state.db")) as connection, connection:
        connection.execute("DELETE FROM checkpoint")


def test_a_log_holds_and_says_how_much_of_it_is_signed(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    said = fairlead("audit", "verify")
    assert said.status == 0, said.out
    assert said.out.startswith("HOLDS: 1 records")
    assert fairlead("audit", "checkpoint").status == 0
    verdict = fairlead("audit", "verify", "--json").json["verdict"]
    assert (verdict["ok"], verdict["size"], verdict["signed"]) == (True, 1, 1)


def test_what_is_not_signed_yet_is_told_with_how_to_sign_it(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    unsigned(asked[0])
    for copy in (asked[0] / ".fairlead").glob("checkpoints/*"):
        copy.unlink()
    assert "signed up to 0" in fairlead("audit", "verify").err
    assert "fairlead audit checkpoint" in fairlead("audit", "verify").err


def test_a_changed_record_is_found_and_named(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    folder = asked[0]
    ask(folder, HOTEL)
    tampered(
        folder, 'UPDATE log SET record = replace(record, \'"outcome":"done"\', \'"outcome":"done "\') WHERE seq = 1'
    )
    said = fairlead("audit", "verify")
    assert said.status == 1
    assert said.out.startswith("DOES NOT HOLD")


def test_a_log_that_does_not_hold_is_never_signed(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    tampered(asked[0], "UPDATE log SET record = CAST(replace(record, 'local', 'other') AS BLOB)")
    said = fairlead("audit", "checkpoint")
    assert said.status == 70
    assert "was not signed" in said.err


def test_a_log_that_was_rewritten_whole_is_found_by_the_copy_in_the_data_folder(
    asked: tuple[Path, Answer], fairlead: Fairlead
) -> None:
    """Whoever owns the database can make a shorter log look whole, but not the copies of checkpoints elsewhere."""
    from fairlead.audit import Frontier

    folder = asked[0]
    ask(folder, HOTEL)
    fairlead("audit", "checkpoint")
    tampered(folder, "DELETE FROM checkpoint")
    tampered(folder, "DELETE FROM log WHERE seq = 1")
    with closing(sqlite3.connect(folder / ".fairlead" / "state.db")) as connection, connection:
        (record,) = connection.execute("SELECT record FROM log").fetchone()
        head = Frontier().append(leaf_hash(bytes(record)))
        connection.execute("UPDATE tree SET size = 1, peaks = ?", (head.to_bytes(),))
    said = fairlead("audit", "verify")
    assert said.status == 1
    assert "record 1 is missing: a checkpoint covers them" in said.out


def test_a_payload_that_was_exchanged_is_found(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    tampered(asked[0], "UPDATE payload SET ciphertext = zeroblob(64)")
    said = fairlead("audit", "verify")
    assert said.status == 1
    assert "the payload of record 0 was changed" in said.out


def test_a_run_can_be_proven_without_the_database(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    folder, answer = asked
    unsigned(folder)
    refused = fairlead("audit", "prove", answer.run)
    assert refused.status == 2
    assert "help: fairlead audit checkpoint" in refused.err
    ask(folder, HOTEL, HOTEL, HOTEL)
    fairlead("audit", "checkpoint")
    proof = fairlead("audit", "prove", answer.run).json
    point = verify_checkpoint(proof["checkpoint"], proof["verifier_key"])
    assert point.size == proof["size"] == 4
    (record,) = proof["records"]
    leaf = leaf_hash(record["record"].encode())
    steps = [bytes.fromhex(step) for step in record["proof"]]
    assert verify_inclusion(leaf, record["seq"], point.size, steps, point.root)
    assert answer.run in record["record"]
    file = folder / "proof.json"
    file.write_text(fairlead("audit", "prove", answer.run).out)
    assert main([str(file), "--key", proof["verifier_key"]]) == 0


def test_growth_since_a_kept_checkpoint_can_be_proven_without_the_database(
    asked: tuple[Path, Answer], fairlead: Fairlead, tmp_path: Path
) -> None:
    folder, _ = asked
    kept, growth = tmp_path / "kept.txt", tmp_path / "growth.json"
    first = fairlead("audit", "checkpoint", "--json").json
    kept.write_text(first["checkpoint"])
    ask(folder, HOTEL, HOTEL)
    fairlead("audit", "checkpoint")
    said = fairlead("audit", "consistency", kept)
    assert said.status == 0, said.err
    assert "the signed log of 3 records continues the one of 1" in said.err
    growth.write_text(said.out)
    latest = tmp_path / "latest.txt"
    latest.write_text(fairlead("audit", "checkpoint").out)
    assert main([str(growth), str(kept), str(latest), "--key", first["verifier_key"]]) == 0


def test_a_log_whose_past_was_rewritten_cannot_prove_its_growth(
    asked: tuple[Path, Answer], fairlead: Fairlead, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(fairlead("audit", "checkpoint", "--json").json["checkpoint"])
    ask(asked[0], HOTEL)
    fairlead("audit", "checkpoint")
    tampered(asked[0], "UPDATE log SET record = x'7b7d' WHERE seq = 0")
    tampered(asked[0], "UPDATE log SET record = x'7b7d' WHERE seq = 1")
    said = fairlead("audit", "consistency", kept)
    assert said.status == 70
    assert "has not only grown" in said.err
    kept.write_text("Dear auditor,")
    assert fairlead("audit", "consistency", kept).status == 2


def test_an_export_proves_itself_to_somebody_who_has_nothing_else(
    asked: tuple[Path, Answer], fairlead: Fairlead, tmp_path: Path
) -> None:
    file = tmp_path / "log.jsonl"
    assert fairlead("audit", "export", file, "--dry-run").status == 0
    assert not file.exists()
    said = fairlead("audit", "export", file)
    assert said.status == 0, said.err
    key = fairlead("audit", "checkpoint", "--json").json["verifier_key"]
    command = [sys.executable, "-m", "fairlead.audit", str(file), "--key", key]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert "1 records, all in place and unchanged" in checked.stdout
    again = fairlead("audit", "export", file)
    assert again.status == 2
    assert "exists already" in again.err


def test_a_checkpoint_is_written_where_it_can_be_taken_away(asked: tuple[Path, Answer], fairlead: Fairlead) -> None:
    said = fairlead("audit", "checkpoint", "--json")
    signed = said.json
    assert Path(signed["file"]).read_text() == signed["checkpoint"]
    assert verify_checkpoint(signed["checkpoint"], signed["verifier_key"]).origin == "fairlead/acme"
    assert fairlead("audit", "checkpoint").status == 0  # the same head again


def test_another_log_key_than_the_one_that_is_trusted_is_noticed(
    asked: tuple[Path, Answer], fairlead: Fairlead, tmp_path: Path
) -> None:
    fairlead("audit", "checkpoint")
    fairlead("init", tmp_path / "other", "--organisation", "acme")
    other = fairlead("audit", "checkpoint", "--json", "-w", tmp_path / "other")
    assert other.status == 2
    key = _key_of(tmp_path / "other")
    assert fairlead("audit", "verify", "--key", key).status == 1
    assert fairlead("audit", "verify", "--key", "nonsense").status == 2


def _key_of(folder: Path) -> str:
    from fairlead.cli.opening import open_store
    from fairlead.cli.place import find
    from fairlead.cli.sealing import log_key

    place = find(folder)
    with closing(open_store(place)) as store:
        return log_key(place, store)


@pytest.mark.parametrize("command", ["verify", "checkpoint"])
def test_an_empty_log_is_told_as_what_it_is(command: str, live: Path, fairlead: Fairlead) -> None:
    said = fairlead("audit", command)
    assert said.status == {"verify": 0, "checkpoint": 2}[command]


def test_the_signing_key_is_changed_and_everything_is_still_proven(
    asked: tuple[Path, Answer], fairlead: Fairlead, tmp_path: Path
) -> None:
    folder = asked[0]
    fairlead("audit", "checkpoint")
    pinned = fairlead("audit", "key").out.strip()
    kept = tmp_path / "kept.txt"
    kept.write_text(fairlead("audit", "checkpoint").out)
    assert fairlead("key", "rotate-signing", "--dry-run").status == 0
    said = fairlead("key", "rotate-signing", "--yes", "--json").json
    assert (said["old"], said["new"]) == (pinned, fairlead("audit", "key").out.strip())
    ask(folder, HOTEL)
    fairlead("audit", "checkpoint")
    assert [key["last"] for key in fairlead("audit", "key", "--json").json["keys"]] == [said["size"], None]
    assert fairlead("audit", "verify", "--key", pinned, "--checkpoint", kept).status == 0
    growth = tmp_path / "growth.json"
    growth.write_text(fairlead("audit", "consistency", kept).out)
    export = tmp_path / "log.jsonl"
    assert fairlead("audit", "export", export).status == 0
    run = tmp_path / "run.json"
    run.write_text(fairlead("audit", "prove", "last").out)
    assert main([str(growth), str(export), str(run), str(kept), "--key", pinned]) == 0
