"""What lies on the disk and in memory: nothing that is a key to anything, and nothing for other users' eyes."""

import os
import stat
from pathlib import Path

import httpx
import pytest
from tests.cli.conftest import program
from tests.world import key_of, served

ASKED = "a sentence that nobody else should read"


def test_a_loose_umask_opens_no_file_of_the_state(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert program("init", "acme", cwd=tmp_path).status == 0
        assert program("migrate", "-w", "acme", cwd=tmp_path).status == 0
    finally:
        os.umask(before)
    state = tmp_path / "acme" / ".fairlead"
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    for path in ("state.db", "master.key"):
        assert stat.S_IMODE((state / path).stat().st_mode) == 0o600


@pytest.mark.parametrize("secret", [ASKED, key_of("kim"), "test-key-of"])
def test_neither_text_nor_keys_nor_names_can_be_read_in_the_database(tmp_path: Path, secret: str) -> None:
    with served(tmp_path) as s:
        body = {"model": "small", "messages": [{"role": "user", "content": f"echo {ASKED}"}]}
        assert httpx.post(f"{s.url}/v1/chat/completions", headers=s.auth("kim"), json=body).status_code == 200
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_keys_are_looked_up_by_their_digest_so_that_no_comparison_can_be_timed(tmp_path: Path) -> None:
    with served(tmp_path) as s:
        keys = s.running.fairlead.current().authenticator._keys
    assert all(len(digest) == 32 for digest in keys)
    assert not any(key_of(person).encode() in digest for person in ("kim", "lee", "max") for digest in keys)
