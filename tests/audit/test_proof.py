"""A proof that was carried away holds for exactly what it says, and for nothing that was changed since."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from fairlead.audit import Frontier, canonical, leaf_hash, sign_checkpoint, verifier_key
from fairlead.audit.malformed import Malformed
from fairlead.audit.proof import RunProof, check_proof, encode_proof, prove_growth, prove_run, read_proof

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = verifier_key("audit.example", SIGNER.public_key())
RECORDS = [canonical({"run": f"run_{number // 2}", "n": number}) for number in range(20)]
LEAVES = [leaf_hash(record) for record in RECORDS]
RUN_3 = [(6, RECORDS[6]), (7, RECORDS[7])]


def note(size: int) -> str:
    return sign_checkpoint("audit.example", size, Frontier().extend(LEAVES[:size]).root(), SIGNER)


def a_proof(size: int = 20) -> RunProof:
    return prove_run("run_3", RUN_3, LEAVES, note(size), KEY)


@given(st.integers(8, 20))
def test_a_run_is_proven_under_every_checkpoint_that_covers_it(size: int) -> None:
    proof = a_proof(size)
    assert check_proof(proof, KEY) == []
    assert read_proof(encode_proof(proof)) == proof


@given(st.integers(0, 20), st.integers(0, 20))
def test_growth_is_proven_from_every_checkpoint_to_every_later_one(one: int, other: int) -> None:
    old, new = sorted((one, other))
    proof = prove_growth(LEAVES, note(old), note(new), KEY)
    assert check_proof(proof, KEY) == []
    assert read_proof(encode_proof(proof)) == proof


@given(st.data())
def test_whatever_is_changed_in_a_proof_it_no_longer_holds(data: st.DataObject) -> None:
    proof = a_proof()
    first = proof.records[0]
    place = data.draw(st.integers(0, len(first.proof) - 1))
    steps = list(first.proof)
    steps[place] = bytes(32).hex()
    changed = data.draw(
        st.sampled_from(
            [
                replace(proof, run="run_4"),
                replace(proof, size=19),
                replace(proof, root=bytes(32).hex()),
                replace(proof, checkpoint=note(19)),
                replace(proof, records=()),
                replace(proof, records=(replace(first, seq=7), proof.records[1])),
                replace(proof, records=(replace(first, record=RECORDS[8].decode()),)),
                replace(proof, records=(replace(first, record=RECORDS[8].decode(), leaf=LEAVES[8].hex()),)),
                replace(proof, records=(replace(first, leaf="zz"),)),
                replace(proof, records=(replace(first, proof=tuple(steps)),)),
                replace(proof, records=(replace(first, proof=("no hash",)),)),
            ]
        )
    )
    assert check_proof(changed, KEY) != []


def test_growth_of_another_history_does_not_hold() -> None:
    other = Frontier().extend(LEAVES[::-1][:5]).root()
    forged = sign_checkpoint("audit.example", 5, other, SIGNER)
    proof = prove_growth(LEAVES, forged, note(20), KEY)
    assert "its past was changed" in check_proof(proof, KEY)[0]


def test_a_log_that_is_too_short_for_its_checkpoints_proves_nothing() -> None:
    with pytest.raises(Malformed, match="the older checkpoint covers 9"):
        prove_growth(LEAVES, note(9), note(8), KEY)
    with pytest.raises(Malformed, match="ends before"):
        prove_growth(LEAVES[:10], note(9), note(20), KEY)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b"\xff", b'{"old":"","new":"","proof":[1],"verifier_key":""}'])
def test_what_is_no_proof_is_told_with_what_is(text: bytes) -> None:
    with pytest.raises(Malformed, match="no proof") as told:
        read_proof(text)
    assert "fairlead audit prove" in told.value.mend
