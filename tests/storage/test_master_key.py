"""The master key comes from text or a private file, and a doubtful one is refused with a mend."""

import os
import stat
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path

import pytest

from fairlead.clock import SystemClock
from fairlead.errors import BadInput
from fairlead.storage.master_key import create_key_file, load_master_key

KEY = bytes(range(200, 232))
NOWHERE = Path("/nonexistent/key")


@pytest.mark.parametrize(
    "text",
    [
        b64encode(KEY).decode(),
        b64encode(KEY).decode().rstrip("="),
        urlsafe_b64encode(KEY).decode(),
        KEY.hex(),
        KEY.hex().upper(),
        f"  {KEY.hex()}\n",
    ],
)
def test_a_key_is_read_from_base64_and_from_hexadecimal(text: str) -> None:
    assert load_master_key(text, NOWHERE) == KEY


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "secret",
        KEY.hex()[:-2],
        KEY.hex()[:-1] + "g",
        b64encode(KEY + b"x").decode(),
        "A" * 43,
        "00" * 32,
        "é" * 44,
    ],
)
def test_text_that_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadInput, match="not a master key") as refused:
        load_master_key(text, NOWHERE)
    assert refused.value.mend
    assert not text.strip() or text not in repr(refused.value) + refused.value.why + refused.value.mend
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_made_key_file_is_private_and_gives_its_key_back(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    key = create_key_file(path, SystemClock())
    assert len(key) == 32
    assert load_master_key(None, path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["master.key"]


def test_text_counts_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    create_key_file(path, SystemClock())
    assert load_master_key(KEY.hex(), path) == KEY
    with pytest.raises(BadInput, match="not a master key"):
        load_master_key("", path)


def test_an_existing_key_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    key = create_key_file(path, SystemClock())
    with pytest.raises(BadInput, match="already"):
        create_key_file(path, SystemClock())
    assert load_master_key(None, path) == key
    assert os.listdir(tmp_path) == ["master.key"]


def test_a_dangling_link_is_not_followed_when_a_key_is_made(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="already"):
        create_key_file(path, SystemClock())
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666])
def test_a_key_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    create_key_file(path, SystemClock())
    path.chmod(mode)
    with pytest.raises(BadInput, match="by others") as refused:
        load_master_key(None, path)
    assert f"chmod 600 {path}" in refused.value.mend


def test_a_missing_key_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no master key") as refused:
        load_master_key(None, tmp_path / "absent")
    assert "fairlead init" in refused.value.mend


def test_what_is_not_a_plain_file_is_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (pipe, tmp_path):
        with pytest.raises(BadInput, match="key file"):
            load_master_key(None, path)


def test_an_empty_or_binary_key_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    for content in (b"", b"\xff" * 32, b"x" * 100_000):
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(BadInput, match="not a master key"):
            load_master_key(None, path)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot write the key file"):
        create_key_file(tmp_path / "absent" / "master.key", SystemClock())
