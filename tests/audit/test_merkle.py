"""The tree is RFC 9162's, checked against its own definition and against pymerkle."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from fairlead.audit import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)

RECORDS = [b"record %d" % number for number in range(130)]
LEAVES = [leaf_hash(record) for record in RECORDS]


@pytest.fixture(scope="module")
def theirs() -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    tree.append_entries(RECORDS)
    return tree


def test_every_root_is_the_one_that_pymerkle_computes(theirs: InmemoryTree) -> None:
    frontier = Frontier()
    for size in range(len(LEAVES)):
        assert frontier.root() == theirs.get_root(size)
        frontier = frontier.append(LEAVES[size])


def test_known_roots_of_certificate_transparency() -> None:
    """The test vectors that come with the reference implementation of RFC 6962."""
    entries = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(entry)) for entry in entries]
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert (
        Frontier().extend(leaves[:1]).root().hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert Frontier().extend(leaves).root().hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(st.integers(0, 130), st.integers(0, 130))
def test_appending_one_by_one_or_together_gives_the_same_frontier(start: int, more: int) -> None:
    base = Frontier().extend(LEAVES[:start])
    together, single = base.extend(LEAVES[start : start + more]), base
    for leaf in LEAVES[start : start + more]:
        single = single.append(leaf)
    assert together == single
    assert base == Frontier().extend(LEAVES[:start])


@given(st.integers(0, 130))
def test_a_frontier_survives_storage(size: int) -> None:
    frontier = Frontier().extend(LEAVES[:size])
    assert Frontier.from_bytes(frontier.to_bytes()) == frontier


@pytest.mark.parametrize("stored", [b"", b"\x00" * 7, b"\x00" * 9, (3).to_bytes(8, "big") + b"\x01" * 63])
def test_a_stored_frontier_of_the_wrong_length_is_refused(stored: bytes) -> None:
    with pytest.raises(ValueError, match="frontier"):
        Frontier.from_bytes(stored)


@settings(max_examples=200)
@given(st.integers(1, 130).flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))))
def test_inclusion_proofs_are_those_of_pymerkle_and_hold(theirs: InmemoryTree, at: tuple[int, int]) -> None:
    index, size = at
    proof = inclusion_proof(iter(LEAVES), index, size)
    assert list(proof) == theirs.prove_inclusion(index + 1, size).path[1:]
    assert verify_inclusion(LEAVES[index], index, size, proof, Frontier().extend(LEAVES[:size]).root())


@settings(max_examples=200)
@given(st.integers(1, 130).flatmap(lambda new: st.tuples(st.integers(1, new), st.just(new))))
def test_consistency_proofs_are_those_of_the_rfc_and_hold(theirs: InmemoryTree, sizes: tuple[int, int]) -> None:
    """pymerkle splits a consistency proof otherwise, so the RFC's recursive definition stands beside ours."""
    old, new = sizes
    proof = consistency_proof(iter(LEAVES), old, new)
    assert list(proof) == subproof(old, LEAVES[:new], whole=True)
    assert verify_consistency(old, new, theirs.get_root(old), theirs.get_root(new), proof)


def subproof(old: int, leaves: list[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 9162, 2.1.4.1."""
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    split = 1
    while 2 * split < len(leaves):
        split *= 2
    if old <= split:
        return [*subproof(old, leaves[:split], whole=whole), root_of(leaves[split:])]
    return [*subproof(old - split, leaves[split:], whole=False), root_of(leaves[:split])]


def root_of(leaves: list[bytes]) -> bytes:
    return Frontier().extend(leaves).root()


def test_every_tree_begins_with_the_empty_one() -> None:
    root = Frontier().extend(LEAVES).root()
    assert consistency_proof(LEAVES, 0, 130) == ()
    assert verify_consistency(0, 130, EMPTY_ROOT, root, ())
    assert not verify_consistency(0, 130, root, root, ())
    assert not verify_consistency(0, 0, EMPTY_ROOT, root, ())


@given(st.data())
def test_no_altered_inclusion_proof_holds(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 130))
    index = data.draw(st.integers(0, size - 1))
    proof = list(inclusion_proof(LEAVES, index, size))
    root = Frontier().extend(LEAVES[:size]).root()
    wrong = data.draw(st.integers(0, size - 1).filter(lambda other: other != index))
    assert not verify_inclusion(LEAVES[index], wrong, size, proof, root)
    assert not verify_inclusion(LEAVES[wrong], index, size, proof, root)
    assert not verify_inclusion(LEAVES[index], index, size, proof[:-1], root)
    assert not verify_inclusion(LEAVES[index], index, size, [*proof, proof[-1]], root)
    at = data.draw(st.integers(0, len(proof) - 1))
    proof[at] = sha256(proof[at]).digest()
    assert not verify_inclusion(LEAVES[index], index, size, proof, root)


@given(st.data())
def test_a_log_that_was_rewritten_is_not_consistent(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 130))
    old = data.draw(st.integers(1, new - 1))
    changed = data.draw(st.integers(0, old - 1))
    rewritten = [*LEAVES[:changed], leaf_hash(b"forged"), *LEAVES[changed + 1 : new]]
    roots = [Frontier().extend(LEAVES[:old]).root(), Frontier().extend(rewritten).root()]
    assert not verify_consistency(old, new, *roots, consistency_proof(rewritten, old, new))
    assert not verify_consistency(old, new, *roots, consistency_proof(LEAVES, old, new))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(LEAVES, index, size)
    assert not verify_inclusion(LEAVES[0], index, size, (), LEAVES[0])


def test_a_log_that_is_too_short_cannot_prove_anything() -> None:
    with pytest.raises(ValueError, match="ends before leaf 7"):
        inclusion_proof(LEAVES[:7], 2, 10)
    with pytest.raises(ValueError, match="cannot begin"):
        consistency_proof(LEAVES, 8, 7)
    assert not verify_consistency(8, 7, EMPTY_ROOT, EMPTY_ROOT, ())


def test_a_proof_is_made_while_reading_and_reads_no_further_than_it_must() -> None:
    stream = iter(LEAVES)
    inclusion_proof(stream, 0, 64)
    assert next(stream) == LEAVES[64]
