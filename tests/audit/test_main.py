"""`python -m fairlead.audit` tells an auditor, in words and by its exit status, whether a file holds."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairlead.audit import Frontier, canonical, leaf_hash, sign_checkpoint, verifier_key, write_export
from fairlead.audit.__main__ import main

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = verifier_key("audit.example", SIGNER.public_key())
RECORDS = [canonical({"run": number}) for number in range(3)]


def note(size: int) -> str:
    root = Frontier().extend(leaf_hash(record) for record in RECORDS[:size]).root()
    return sign_checkpoint("audit.example", size, root, SIGNER)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    out = io.BytesIO()
    assert write_export(enumerate(RECORDS), [note(3)], KEY, out) == 3
    path = tmp_path / "audit.jsonl"
    path.write_bytes(out.getvalue())
    return path


def test_a_good_file_holds(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(file), "--key", KEY]) == 0
    said = capsys.readouterr().out
    assert said.startswith("HOLDS: 3 records")
    assert "--key" not in said


def test_without_a_key_it_says_what_was_not_proven(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(file)]) == 0
    assert "give --key" in capsys.readouterr().out


def test_a_bad_file_does_not_hold_and_the_record_is_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(file.read_bytes().replace(b'{"run":1}', b'{"run":9}'))
    assert main(["verify", str(file), "--key", KEY]) == 1
    said = capsys.readouterr().out
    assert said.startswith("DOES NOT HOLD\n- record 1 was changed")


def test_a_checkpoint_kept_elsewhere_is_compared(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(note(2), encoding="utf-8")
    assert main(["verify", str(file), "--checkpoint", str(kept)]) == 0
    kept.write_text(sign_checkpoint("audit.example", 9, leaf_hash(b""), SIGNER), encoding="utf-8")
    assert main(["verify", str(file), "--checkpoint", str(kept)]) == 1
    assert "records 3 to 8 are missing" in capsys.readouterr().out


def test_what_cannot_be_checked_is_told_apart(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path / "absent")]) == 2
    assert main(["verify", str(file), "--key", "nonsense"]) == 2
    assert main(["verify", str(file), "--checkpoint", str(tmp_path / "absent")]) == 2
    assert "cannot check" in capsys.readouterr().err


def test_the_module_runs_alone_and_loads_nothing_else_of_fairlead(file: Path) -> None:
    script = (
        "import runpy, sys; sys.argv = ['audit', 'verify', sys.argv[1]]\n"
        "try: runpy.run_module('fairlead.audit', run_name='__main__')\n"
        "except SystemExit as left: status = left.code\n"
        "loaded = sorted(n for n in sys.modules if n.startswith('fairlead.') and not n.startswith('fairlead.audit'))\n"
        "print(status, loaded)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 ['fairlead.errors']"
