"""The Merkle tree of RFC 9162 (and 6962): SHA-256, 0x00 before a leaf's data, 0x01 before an inner node's children.

The log keeps only a `Frontier`; a proof is made by one pass over the leaf hashes. Proofs and their checks share one
description of the tree's shape: which ranges of leaves a proof's hashes stand for.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import islice
from typing import Final

from msgspec import Struct

EMPTY_ROOT: Final = sha256(b"").digest()
_HASH: Final = 32
_SIZE: Final = 8


def leaf_hash(data: bytes) -> bytes:
    """The hash that stands for a record in the tree."""
    return sha256(b"\x00" + data).digest()


class Frontier(Struct, frozen=True):
    """All that an append-only tree must remember: its size and the roots of its perfect subtrees, largest first.

    A value: appending gives a new frontier, so that a rolled back transaction simply keeps the old one.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> "Frontier":
        """The frontier once this leaf hash is in the tree."""
        carry, peaks, kept = self.size, self.peaks, len(self.peaks)
        while carry & 1:
            kept -= 1
            leaf = sha256(b"\x01" + peaks[kept] + leaf).digest()
            carry >>= 1
        return Frontier(self.size + 1, (*peaks[:kept], leaf))

    def extend(self, leaves: Iterable[bytes]) -> "Frontier":
        """The frontier once these leaf hashes are in the tree, in their order."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            node, carry = leaf, size
            while carry & 1:
                node = sha256(b"\x01" + peaks.pop() + node).digest()
                carry >>= 1
            peaks.append(node)
            size += 1
        return Frontier(size, tuple(peaks))

    def root(self) -> bytes:
        """The tree's root hash; that of the empty tree is the hash of nothing."""
        if not self.peaks:
            return EMPTY_ROOT
        node = self.peaks[-1]
        for peak in self.peaks[-2::-1]:
            node = _node(peak, node)
        return node

    def to_bytes(self) -> bytes:
        """For the database: the size in eight bytes, then the peaks."""
        return self.size.to_bytes(_SIZE, "big") + b"".join(self.peaks)

    @staticmethod
    def from_bytes(stored: bytes) -> "Frontier":
        """The frontier that `to_bytes` wrote. Raises ValueError if the length does not fit the size."""
        size = int.from_bytes(stored[:_SIZE], "big")
        if len(stored) != _SIZE + _HASH * size.bit_count():
            raise ValueError(f"a frontier over {size} records cannot have {len(stored)} bytes")
        return Frontier(size, tuple(stored[at : at + _HASH] for at in range(_SIZE, len(stored), _HASH)))


def inclusion_proof(leaves: Iterable[bytes], index: int, size: int) -> tuple[bytes, ...]:
    """The hashes that lead from leaf `index` to the root of the first `size` leaves (RFC 9162, 2.1.3).

    Reads the leaf hashes once, from the log's first, and keeps O(log n) of them. Raises ValueError if there are fewer.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    return _roots(leaves, _inclusion_ranges(index, size))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Does the proof show that this leaf hash stands at `index` in the tree with this size and root?"""
    if not 0 <= index < size:
        return False
    ranges = _inclusion_ranges(index, size)
    if len(proof) != len(ranges):
        return False
    for (start, _), sibling in zip(ranges, proof, strict=True):
        leaf = _node(sibling, leaf) if start <= index else _node(leaf, sibling)
    return leaf == root


def consistency_proof(leaves: Iterable[bytes], old_size: int, new_size: int) -> tuple[bytes, ...]:
    """The hashes that show the tree of `new_size` to begin with the tree of `old_size` (RFC 9162, 2.1.4).

    Reads the leaf hashes once, from the log's first. Every tree begins with the empty one: that proof is empty.
    """
    if not 0 <= old_size <= new_size:
        raise ValueError(f"a tree of {new_size} cannot begin with one of {old_size}")
    return _roots(leaves, _consistency_ranges(old_size, new_size))


def verify_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Does the proof show that the log with the new root only appended to the log with the old one?"""
    if not 0 <= old_size <= new_size:
        return False
    ranges = _consistency_ranges(old_size, new_size)
    if len(proof) != len(ranges):
        return False
    if old_size == 0:
        return old_root == EMPTY_ROOT and (new_size > 0 or new_root == EMPTY_ROOT)
    steps = list(zip(ranges, proof, strict=True))
    # Where the old tree is itself a subtree of the new one, the proof leaves its root out: who checks it knows it.
    old = new = old_root
    if steps and steps[0][0][1] == old_size:
        old = new = steps.pop(0)[1]
    for (_, end), sibling in steps:
        if end <= old_size:
            old, new = _node(sibling, old), _node(sibling, new)
        else:
            new = _node(new, sibling)
    return old == old_root and new == new_root


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def _middle(start: int, end: int) -> int:
    """Where RFC 9162 splits a range: its left side is the largest power of two below its length."""
    return start + (1 << ((end - start - 1).bit_length() - 1))


def _inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The siblings on the way from a leaf to the root, lowest first."""
    start, end, ranges = 0, size, []
    while end - start > 1:
        middle = _middle(start, end)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def _consistency_ranges(old_size: int, new_size: int) -> list[tuple[int, int]]:
    """The subtrees of which both trees can be built, lowest first; without the old tree where it is one of them."""
    if old_size == 0:
        return []
    start, end, ranges = 0, new_size, []
    while old_size < end:
        middle = _middle(start, end)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start > 0:
        ranges.append((start, end))
    return ranges[::-1]


def _roots(leaves: Iterable[bytes], ranges: list[tuple[int, int]]) -> tuple[bytes, ...]:
    """The root over each range, in the order given, by one pass over the leaves."""
    stream, position, roots = iter(leaves), 0, {}
    for start, end in sorted(ranges):
        deque(islice(stream, start - position), maxlen=0)
        tree = Frontier().extend(islice(stream, end - start))
        if tree.size != end - start:
            raise ValueError(f"the log ends before leaf {end - 1}")
        roots[start] = tree.root()
        position = end
    return tuple(roots[start] for start, _ in ranges)
