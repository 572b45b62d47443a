"""Anchors: whoever owns the database, and the key that signs it, cannot rewrite what others have a copy of."""

import json
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from tests.cli.conftest import HOTEL, Fairlead, ask

from fairlead.audit import Frontier, leaf_hash, ring_of, sign_checkpoint
from fairlead.cli.opening import open_store, open_vault
from fairlead.cli.place import find
from fairlead.cli.sealing import log_name
from fairlead.execution import Answer
from fairlead.storage.anchor_folders import read_files
from fairlead.storage.anchors import read_tombstones

ENTRY = "fairlead.yaml"


class Store(BaseHTTPRequestHandler):
    """Keeps what is put, and gives it back to who has the token."""

    files: dict[str, bytes]
    works: bool

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.admitted():
            type(self).files[self.path] = body
            self.answer(201, b"")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.admitted():
            type(self).files[body["name"]] = body["text"].encode()
            self.answer(204, b"")

    def do_GET(self) -> None:
        if self.admitted():
            found = type(self).files.get(self.path)
            self.answer(404 if found is None else 200, found or b"")

    def admitted(self) -> bool:
        fits = type(self).works and self.headers["authorization"] == "Bearer t0ken"
        if not fits:
            self.answer(503, b"")
        return fits

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None: ...


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[Store]]]:
    """An address at which somebody else keeps files."""
    monkeypatch.setenv("ANCHOR_TOKEN", "t0ken")
    handler = type("Kept", (Store,), {"files": {}, "works": True})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/worm", handler
    server.shutdown()
    thread.join()
    server.server_close()


def declare(folder: Path, **anchors: dict[str, object]) -> None:
    settings = yaml.safe_load((folder / ENTRY).read_text())
    (folder / ENTRY).write_text(json.dumps(settings | {"audit": {"anchors": anchors}}))


def database(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / ".fairlead" / "state.db")


def rewrite(folder: Path, *, drop: int = 0) -> None:
    """What somebody does who owns the database and the master key: another past, with sound hashes and signatures, and
    no trace of the former one in the data folder. `drop` cuts records off instead."""
    with closing(open_store(find(folder))) as store:
        vault = open_vault(find(folder), store)
        origin = log_name(find(folder), store)
        key = vault.signing_key(origin)
    with closing(database(folder)) as connection, connection:
        if drop:
            connection.execute("DELETE FROM log WHERE seq >= (SELECT max(seq) FROM log) + 1 - ?", (drop,))
            connection.execute("DELETE FROM payload WHERE seq NOT IN (SELECT seq FROM log)")
        else:
            connection.execute("UPDATE log SET record = CAST(replace(record, 'sales', 'legal') AS BLOB) WHERE seq = 0")
        records = [bytes(row[0]) for row in connection.execute("SELECT record FROM log ORDER BY seq")]
        tree = Frontier().extend(map(leaf_hash, records))
        connection.execute("UPDATE tree SET size = ?, peaks = ?", (tree.size, tree.to_bytes()))
        connection.execute("DELETE FROM checkpoint")
        note = sign_checkpoint(origin, tree.size, tree.root(), key)
        connection.execute("INSERT INTO checkpoint VALUES (?, 1, ?)", (tree.size, note))
    for copy in (folder / ".fairlead" / "checkpoints").glob("*"):
        copy.unlink()


def repository(path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(path)], check=True)
    return path


@pytest.fixture
def anchored(
    asked: tuple[Path, Answer], fairlead: Fairlead, tmp_path: Path, elsewhere: tuple[str, type[Store]]
) -> Path:
    """A workspace with an anchor of each kind, all of which have its log of two records."""
    folder = asked[0]
    (tmp_path / "worm").mkdir()
    repository(tmp_path / "repository")
    declare(
        folder,
        worm={"folder": str(tmp_path / "worm")},
        history={"git": str(tmp_path / "repository")},
        partner={"url": elsewhere[0], "key": "env:ANCHOR_TOKEN"},
    )
    ask(folder, HOTEL)
    assert fairlead("audit", "checkpoint").err.count("warning") == 0
    return folder


def test_every_anchor_gets_the_key_and_the_checkpoint(
    anchored: Path, fairlead: Fairlead, tmp_path: Path, elsewhere: tuple[str, type[Store]]
) -> None:
    key = fairlead("audit", "key").out
    assert (tmp_path / "worm" / "key.txt").read_text() == key
    assert sorted(path.name for path in (tmp_path / "worm" / "checkpoints").iterdir())[-1] == "000000000002.txt"
    log = subprocess.check_output(["git", "-C", tmp_path / "repository", "log", "--format=%s"], text=True)
    assert "The log of 2 records" in log
    assert elsewhere[1].files["/worm/key.txt"].decode() == key
    said = fairlead("audit", "verify", "--anchors")
    assert (said.status, said.err.count("knows a log of 2 records")) == (0, 3), said
    assert {found["state"] for found in fairlead("doctor", "--json").json if found["subject"].startswith("anchor")} == {
        "ok"
    }


@pytest.mark.parametrize("drop", [0, 1])
def test_an_owner_of_database_and_key_who_rewrites_or_cuts_the_log_is_caught(
    anchored: Path, fairlead: Fairlead, drop: int
) -> None:
    rewrite(anchored, drop=drop)
    assert fairlead("audit", "verify").status == 0, "by itself the log looks whole"
    said = fairlead("audit", "verify", "--anchors")
    assert said.status == 1
    assert ("missing: a checkpoint covers them" if drop else "agree with the checkpoint over") in said.out


def test_a_rewritten_log_that_has_grown_past_the_anchors_is_caught_and_not_delivered_over_them(
    anchored: Path, fairlead: Fairlead, tmp_path: Path
) -> None:
    rewrite(anchored, drop=1)
    with closing(database(anchored)) as connection, connection:
        connection.execute("UPDATE anchored SET size = 0")
    ask(anchored, HOTEL)
    assert "says something else already" in fairlead("audit", "checkpoint").err
    assert fairlead("audit", "verify", "--anchors").status == 1
    failures = [found for found in fairlead("doctor", "--json").json if found["subject"] == "anchor worm"]
    assert failures[0]["state"] == "bad"


def test_another_signing_key_in_the_database_is_caught(anchored: Path, fairlead: Fairlead) -> None:
    with closing(database(anchored)) as connection, connection:
        connection.execute("DELETE FROM signing_key")
        connection.execute("DELETE FROM checkpoint")
    fairlead("audit", "checkpoint")
    said = fairlead("audit", "verify", "--anchors")
    assert said.status == 1
    assert "to which the key of the anchors does not lead" in said.out


def test_a_change_of_the_signing_key_is_followed_through_the_anchors(
    anchored: Path, fairlead: Fairlead, tmp_path: Path
) -> None:
    assert fairlead("key", "rotate-signing", "--yes").status == 0
    assert len(list((tmp_path / "worm" / "successions").iterdir())) == 1
    assert fairlead("audit", "verify", "--anchors").status == 0


def test_an_anchor_that_cannot_be_reached_is_tried_again_and_told(
    anchored: Path, fairlead: Fairlead, elsewhere: tuple[str, type[Store]]
) -> None:
    elsewhere[1].works = False
    ask(anchored, HOTEL)
    assert "partner was not reached" in fairlead("audit", "checkpoint").err
    assert "anchor partner" in fairlead("doctor").out
    said = fairlead("audit", "verify", "--anchors")
    assert (said.status, "partner could not be read" in said.out) == (1, True)
    elsewhere[1].works = True
    assert "warning" not in fairlead("audit", "checkpoint").err
    assert "/worm/checkpoints/000000000003.txt" in elsewhere[1].files
    assert fairlead("audit", "verify", "--anchors").status == 0


@pytest.mark.parametrize("first", [True, False])
def test_a_delivery_that_broke_off_before_the_signing_key_was_changed_is_gone_on_with(
    asked: tuple[Path, Answer], fairlead: Fairlead, tmp_path: Path, first: bool
) -> None:
    worm = tmp_path / "worm"
    declare(asked[0], worm={"folder": str(worm)})
    if not first:
        worm.mkdir()
        assert "warning" not in fairlead("audit", "checkpoint").err
        worm.rename(tmp_path / "away")
    fairlead("key", "add", "app", "--person", "kim")
    assert "was not reached" in fairlead("key", "revoke", "app").err
    assert "was not reached" in fairlead("audit", "checkpoint").err
    if first:
        worm.mkdir()
    else:
        (tmp_path / "away").rename(worm)
        (worm / "checkpoints").rename(tmp_path / "aside")
    (worm / "checkpoints").write_text("nothing can be put below a file")
    assert "was not reached" in fairlead("audit", "checkpoint").err
    assert len(list((worm / "tombstones").iterdir())) == 1
    began = (worm / "key.txt").read_text()
    assert "was not reached" in fairlead("key", "rotate-signing", "--yes").err
    (worm / "checkpoints").unlink()
    if not first:
        (tmp_path / "aside").rename(worm / "checkpoints")
    assert "warning" not in fairlead("audit", "checkpoint").err
    assert (worm / "key.txt").read_text() == began
    assert fairlead("audit", "verify", "--anchors").status == 0
    assert buried(worm) == 1


def buried(worm: Path) -> int:
    kept = read_files(worm)
    return len(read_tombstones(kept.tombstones, ring_of(kept.key, kept.successions)))


def test_an_address_keeps_the_key_it_was_given_first_and_nothing_is_put_over_what_it_has(
    anchored: Path, fairlead: Fairlead, elsewhere: tuple[str, type[Store]]
) -> None:
    files = elsewhere[1].files
    began = files["/worm/key.txt"]
    files["/worm/checkpoints/000000000003.txt"] = b"another history"
    with closing(database(anchored)) as connection, connection:
        connection.execute("UPDATE anchored SET done_at = 0 WHERE name = 'partner'")
    fairlead("key", "rotate-signing", "--yes")
    assert "says something else already" in fairlead("audit", "checkpoint").err
    assert files["/worm/key.txt"] == began
    assert files["/worm/checkpoints/000000000003.txt"] == b"another history"


def test_a_posted_copy_arrives_and_cannot_be_read_back(
    asked: tuple[Path, Answer], fairlead: Fairlead, elsewhere: tuple[str, type[Store]]
) -> None:
    declare(asked[0], inbox={"url": elsewhere[0], "key": "env:ANCHOR_TOKEN", "method": "post"})
    fairlead("audit", "checkpoint")
    assert "checkpoints/000000000001.txt" in elsewhere[1].files
    assert "cannot be read back" in fairlead("audit", "verify", "--anchors").out


def test_who_is_erased_is_told_to_the_anchors_at_once(anchored: Path, fairlead: Fairlead, tmp_path: Path) -> None:
    fairlead("key", "add", "app", "--person", "kim")
    fairlead("key", "revoke", "app")
    fairlead("data", "erase", "kim", "--yes")
    texts = "".join(path.read_text() for path in sorted((tmp_path / "worm" / "tombstones").iterdir()))
    assert (" key " in texts, " subject s_" in texts, "kim" in texts) == (True, True, False)


@pytest.mark.parametrize(
    ("anchor", "said"),
    [
        ({}, "not exactly one"),
        ({"folder": "/a", "git": "/b"}, "not exactly one"),
        ({"url": "http://example.com/"}, "unencrypted"),
        ({"url": "https://169.254.169.254/"}, "credentials"),
        ({"url": "https://10.0.0.1/"}, "private network"),
        ({"url": "https://example.com/", "key": "secret"}, "no reference"),
    ],
)
def test_an_anchor_that_cannot_be_one_is_refused(
    acme: Path, fairlead: Fairlead, anchor: dict[str, object], said: str
) -> None:
    declare(acme, worm=anchor)
    checked = fairlead("check")
    assert checked.status == 1
    assert said in checked.out + checked.err


def test_a_link_in_an_anchor_leads_no_writing_elsewhere(anchored: Path, fairlead: Fairlead, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "worm" / "checkpoints" / ".000000000003.txt.part").symlink_to(precious)
    ask(anchored, HOTEL)
    fairlead("audit", "checkpoint")
    assert precious.read_text() == "mine"
    assert (tmp_path / "worm" / "checkpoints" / "000000000003.txt").is_file()
