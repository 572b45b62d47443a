"""Signing keys that follow one another: whoever pinned any of them can check them all, each within its span."""

import io
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fairlead.audit import (
    Frontier,
    leaf_hash,
    ring_of,
    sign_checkpoint,
    sign_succession,
    verifier_key,
    verify_checkpoint,
    verify_export,
    write_export,
)
from fairlead.audit.__main__ import main
from fairlead.audit.malformed import Malformed
from fairlead.audit.proof import encode_proof, prove_growth
from fairlead.audit.succession import read_succession

ORIGIN = "example.com/log"
SIGNERS = [Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(1, 6)]
KEYS = [verifier_key(ORIGIN, each.public_key()) for each in SIGNERS]
RECORDS = [b'{"run":"%d"}' % number for number in range(30)]
ROOT = bytes(32)


def chain(*sizes: int) -> list[str]:
    """The first keys, each taking over at one of these sizes."""
    return [sign_succession(ORIGIN, size, SIGNERS[n], SIGNERS[n + 1]) for n, size in enumerate(sizes)]


def head(size: int, by: int) -> str:
    root = Frontier().extend(map(leaf_hash, RECORDS[:size])).root()
    return sign_checkpoint(ORIGIN, size, root, SIGNERS[by])


@given(pinned=st.integers(0, 3), sizes=st.lists(st.integers(0, 50), min_size=3, max_size=3, unique=True))
def test_any_pinned_key_leads_to_the_same_ring(pinned: int, sizes: list[int]) -> None:
    links = chain(*sorted(sizes))
    assert ring_of(KEYS[pinned], reversed(links)) == ring_of(KEYS[0], links)
    assert [each.key for each in ring_of(KEYS[0], links).keys] == KEYS[:4]


@given(size=st.integers(0, 40), by=st.integers(0, 2))
def test_a_key_signs_only_within_its_span(size: int, by: int) -> None:
    ring = ring_of(KEYS[2], chain(10, 20))
    note = sign_checkpoint(ORIGIN, size, ROOT, SIGNERS[by])
    if (0, 10, 20)[by] <= size <= (10, 20, 99)[by]:
        assert verify_checkpoint(note, ring).size == size
    else:
        with pytest.raises(Malformed, match="did not speak for a log"):
            verify_checkpoint(note, ring)


def test_a_succession_that_one_of_its_keys_did_not_sign_is_refused() -> None:
    (link,) = chain(10)
    lines = link.splitlines(keepends=True)
    with pytest.raises(Malformed, match="did not sign"):
        read_succession("".join(lines[:-1]))
    with pytest.raises(Malformed, match="did not sign"):
        read_succession("".join([*lines[:-2], lines[-1]]))
    with pytest.raises(Malformed, match="false"):
        read_succession(link.replace("\n10\n", "\n11\n"))
    with pytest.raises(Malformed, match="no succession"):
        read_succession(head(3, 0))
    with pytest.raises(Malformed):
        verify_checkpoint(link, KEYS[0])


def test_a_key_with_two_successors_is_trusted_no_further() -> None:
    links = [*chain(10), sign_succession(ORIGIN, 12, SIGNERS[0], SIGNERS[4])]
    with pytest.raises(Malformed, match="fork"):
        ring_of(KEYS[0], links)


def test_keys_that_follow_in_a_circle_are_refused() -> None:
    links = [*chain(10), sign_succession(ORIGIN, 20, SIGNERS[1], SIGNERS[0])]
    with pytest.raises(Malformed, match="circle"):
        ring_of(KEYS[0], links)


@pytest.mark.parametrize("pinned", [*KEYS[:3], None])
def test_an_export_holds_under_every_key_that_ever_signed(pinned: str | None) -> None:
    out = io.BytesIO()
    notes = [head(5, 0), head(15, 1), head(30, 2)]
    write_export(enumerate(RECORDS), notes, KEYS[2], out, tuple(chain(10, 20)))
    verdict = verify_export(out.getvalue().splitlines(keepends=True), pinned)
    assert (verdict.problems, verdict.signed) == ((), 30)
    assert not verify_export(out.getvalue().splitlines(keepends=True), KEYS[4]).ok


def test_a_later_head_that_a_replaced_key_has_signed_is_found() -> None:
    out = io.BytesIO()
    write_export(enumerate(RECORDS), [head(5, 0), head(30, 0)], KEYS[1], out, tuple(chain(10)))
    verdict = verify_export(out.getvalue().splitlines(keepends=True), KEYS[0])
    assert "did not speak for a log of 30" in verdict.problems[0]


def test_documents_are_checked_across_a_change_of_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = head(5, 0), head(30, 1)
    (link,) = chain(10)
    proof = prove_growth(map(leaf_hash, RECORDS), old, new, KEYS[1], (link,))
    (tmp_path / "growth").write_bytes(encode_proof(proof))
    (tmp_path / "old").write_text(old)
    (tmp_path / "new").write_text(new)
    (tmp_path / "link").write_text(link)
    files = [str(tmp_path / name) for name in ("old", "new", "link")]
    for key in KEYS[:2]:
        assert main([str(tmp_path / "growth"), *files, "--key", key]) == 0, capsys.readouterr().out
        assert main([*files[1:], "--key", key]) == 0
    assert main([files[2], "--key", KEYS[4]]) == 1
    assert main([files[1], "--key", KEYS[0]]) == 1
    assert main([str(tmp_path / "growth")]) == 0
