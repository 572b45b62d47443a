"""`python -m fairlead.audit` tells an auditor, in words and by its exit status, whether what they hold holds."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fairlead.audit import Frontier, canonical, leaf_hash, sign_checkpoint, verifier_key, write_export
from fairlead.audit.__main__ import main
from fairlead.audit.proof import encode_proof, prove_growth, prove_run

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = verifier_key("audit.example", SIGNER.public_key())
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
OTHER_KEY = verifier_key("audit.example", OTHER.public_key())
RECORDS = [canonical({"run": f"run_{number}"}) for number in range(5)]
LEAVES = [leaf_hash(record) for record in RECORDS]

Said = tuple[int, str, str]


def note(size: int, leaves: list[bytes] = LEAVES, signer: Ed25519PrivateKey = SIGNER) -> str:
    return sign_checkpoint("audit.example", size, Frontier().extend(leaves[:size]).root(), signer)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An export of five records, a proof of one, a proof of growth, and checkpoints."""
    out = io.BytesIO()
    write_export(enumerate(RECORDS), [note(2), note(5)], KEY, out)
    (tmp_path / "log.jsonl").write_bytes(out.getvalue())
    (tmp_path / "run.json").write_bytes(encode_proof(prove_run("run_1", [(1, RECORDS[1])], LEAVES, note(5), KEY)))
    (tmp_path / "growth.json").write_bytes(encode_proof(prove_growth(LEAVES, note(3), note(5), KEY)))
    for size in (3, 4, 5):
        (tmp_path / f"{size}.txt").write_text(note(size), encoding="utf-8")
    (tmp_path / "forged.txt").write_text(note(3, LEAVES[::-1]), encoding="utf-8")
    (tmp_path / "other.txt").write_text(note(3, signer=OTHER), encoding="utf-8")
    (tmp_path / "prose.txt").write_text("Dear auditor,\n", encoding="utf-8")
    return tmp_path


def checked(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> Said:
    capsys.readouterr()
    status = main([str(folder / each) if "." in each and "+" not in each else each for each in arguments])
    captured = capsys.readouterr()
    return status, captured.out.replace(f"{folder}/", ""), captured.err.replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["log.jsonl"], "HOLDS: log.jsonl\n- 5 records, all in place and unchanged"),
        (["run.json"], "HOLDS: run.json\n- 1 record(s) of run_1 stand in the signed log of 5 records"),
        (["growth.json"], "HOLDS: growth.json\n- the signed log of 5 records continues the one of 3"),
        (["3.txt"], "HOLDS: 3.txt\n- a signed checkpoint over 3 records"),
        (["log.jsonl", "run.json", "growth.json", "3.txt", "4.txt"], "HOLDS: 4.txt"),
        (["3.txt", "growth.json", "5.txt", "run.json"], "HOLDS: run.json"),
    ],
)
def test_what_is_whole_holds(folder: Path, capsys: pytest.CaptureFixture[str], files: list[str], said: str) -> None:
    status, out, err = checked(folder, capsys, *files, "--key", KEY)
    assert (status, err) == (0, "")
    assert said in out
    assert "--key" not in out


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (["3.txt", "forged.txt"], "two checkpoints over 3 records have different roots"),
        (["3.txt", "5.txt"], "nothing shows that the log of 5 records continues the one of 3"),
        (["run.json", "3.txt"], "nothing shows"),
        (["growth.json", "4.txt"], "nothing shows that the log of 4 records continues the one of 3"),
        (["log.jsonl", "forged.txt"], "not agree with the checkpoint over 3 records"),
        (["log.jsonl", "other.txt"], "did not sign it"),
        (["other.txt"], "did not sign it"),
    ],
)
def test_what_is_not_of_one_history_does_not_hold(
    folder: Path, capsys: pytest.CaptureFixture[str], files: list[str], said: str
) -> None:
    status, out, _ = checked(folder, capsys, *files, "--key", KEY)
    assert status == 1
    assert "DOES NOT HOLD: " in out
    assert said in out


def test_another_key_than_the_files_own_finds_out_who_did_not_sign(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in ("log.jsonl", "run.json", "growth.json", "3.txt"):
        assert checked(folder, capsys, file, "--key", OTHER_KEY)[0] == 1


def test_without_a_key_it_says_what_was_not_proven(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = checked(folder, capsys, "log.jsonl", "run.json")
    assert status == 0
    assert "give --key" in out


def test_a_bad_file_does_not_hold_and_the_record_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = folder / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b'{"run":"run_1"}', b'{"run":"run_9"}'))
    assert "- record 1 was changed" in checked(folder, capsys, "log.jsonl", "--key", KEY)[1]
    proof = folder / "run.json"
    proof.write_bytes(proof.read_bytes().replace(b'\\"run_1\\"', b'\\"run_9\\"'))
    status, out, _ = checked(folder, capsys, "run.json", "--key", KEY)
    assert status == 1
    assert "- record 1 was changed" in out


@pytest.mark.parametrize(
    ("arguments", "why", "mend"),
    [
        (["absent.txt"], "No such file", "correct the path"),
        (["prose.txt"], "no audit export", "fairlead audit export"),
        (["3.txt"], "does not say who signed it", "--key"),
        (["log.jsonl", "--key", "nonsense"], "verifier key is malformed", "copy it whole"),
    ],
)
def test_what_cannot_be_checked_is_told_apart_with_its_mend(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str, mend: str
) -> None:
    status, out, err = checked(folder, capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("error: cannot check")
    assert why in err
    assert mend in err.partition("help: ")[2]


def test_files_that_name_different_keys_need_one_from_elsewhere(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = prove_growth(LEAVES, note(3, signer=OTHER), note(5, signer=OTHER), OTHER_KEY)
    (folder / "theirs.json").write_bytes(encode_proof(other))
    status, _, err = checked(folder, capsys, "growth.json", "theirs.json")
    assert status == 2
    assert "2 different keys" in err


def test_the_help_tells_the_files_and_the_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("fairlead audit consistency", "--key", "status 0", "1 if", "2 if"))


def test_the_module_runs_alone_and_loads_nothing_else_of_fairlead(folder: Path) -> None:
    script = (
        "import runpy, sys; sys.argv = ['audit', *sys.argv[1:]]\n"
        "try: runpy.run_module('fairlead.audit', run_name='__main__')\n"
        "except SystemExit as left: status = left.code\n"
        "loaded = sorted(n for n in sys.modules if n.startswith('fairlead.') and not n.startswith('fairlead.audit'))\n"
        "print(status, loaded)"
    )
    files = [str(folder / name) for name in ("log.jsonl", "run.json", "growth.json")]
    done = subprocess.run([sys.executable, "-c", script, *files], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
