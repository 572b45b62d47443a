"""Proofs that leave the house: JSON that shows a run to be in the log, or the log to have only grown since.

Each carries the checkpoints that it leads to and the key that signed them, so that one file and this package are enough
to check it. The key in the file shows that the file agrees with itself; who signed it shows only a key that was had
from elsewhere.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from fairlead.audit.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from fairlead.audit.malformed import Malformed
from fairlead.audit.merkle import consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion
from fairlead.audit.succession import Ring, ring_of


class ProvenRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """A record with its index in the log, its leaf hash, and the hashes that lead from it to the root."""

    seq: int
    record: str
    leaf: str
    proof: tuple[str, ...]


class RunProof(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Records of a run stand in the log that the checkpoint signs. That there are no others is not shown."""

    run: str
    size: int
    root: str
    checkpoint: str
    verifier_key: str
    records: tuple[ProvenRecord, ...]
    successions: tuple[str, ...] = ()


class GrowthProof(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The log of the new checkpoint begins with the whole log of the old one."""

    old: str
    new: str
    proof: tuple[str, ...]
    verifier_key: str
    successions: tuple[str, ...] = ()


Proof = RunProof | GrowthProof
_KINDS: tuple[type[RunProof] | type[GrowthProof], ...] = (RunProof, GrowthProof)


class _Said(Struct, frozen=True):
    run: str = ""


def prove_run(
    run: str,
    rows: Iterable[tuple[int, bytes]],
    leaves: list[bytes],
    note: str,
    verifier: str,
    successions: tuple[str, ...] = (),
) -> RunProof:
    """`rows` are (index, record) of the run, `leaves` the leaf hashes of all that the checkpoint covers, or more."""
    point = parse_checkpoint(note)
    records = tuple(
        ProvenRecord(seq, record.decode(), leaf_hash(record).hex(), _hex(inclusion_proof(leaves, seq, point.size)))
        for seq, record in rows
    )
    return RunProof(run, point.size, point.root.hex(), note, verifier, records, successions)


def prove_growth(
    leaves: Iterable[bytes], old: str, new: str, verifier: str, successions: tuple[str, ...] = ()
) -> GrowthProof:
    """`leaves` are the leaf hashes of the log. Raises Malformed for what is no checkpoint, or where the old one is the
    larger."""
    first, last = parse_checkpoint(old), parse_checkpoint(new)
    if first.size > last.size:
        raise Malformed(
            f"the older checkpoint covers {first.size} records and the newer {last.size}",
            mend="give them the other way round; else the log was cut off",
        )
    try:
        steps = consistency_proof(leaves, first.size, last.size)
    except ValueError as error:
        raise Malformed(str(error), mend="the log was cut off: compare with a backup") from None
    return GrowthProof(old, new, _hex(steps), verifier, successions)


def read_proof(text: bytes) -> Proof:
    """A proof, as `encode_proof` wrote it. Raises Malformed."""
    for kind in _KINDS:
        try:
            return msgspec.json.decode(text, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    raise Malformed(
        "it is no proof", mend="give a file as `fairlead audit prove` or `fairlead audit consistency` wrote it, whole"
    )


def encode_proof(proof: Proof) -> bytes:
    """The proof as JSON for people to look at, too."""
    return msgspec.json.format(msgspec.json.encode(proof), indent=2)


def check_proof(proof: Proof, key: str | Ring) -> list[str]:
    """What is wrong with a proof, in sentences; nothing where it holds. Raises Malformed for a malformed key."""
    if isinstance(key, str):
        key = ring_of(key, proof.successions)
    return _check_run(proof, key) if isinstance(proof, RunProof) else _check_growth(proof, key)


def _check_run(proof: RunProof, key: Ring) -> list[str]:
    try:
        point = verify_checkpoint(proof.checkpoint, key)
    except Malformed as error:
        return [error.message]
    problems = []
    if (proof.size, proof.root) != (point.size, point.root.hex()):
        problems.append("the size or the root written in it is not the one that its checkpoint signs")
    if not proof.records:
        problems.append("it holds no record")
    return problems + [each for record in proof.records for each in _check_record(record, proof.run, point)]


def _check_record(record: ProvenRecord, run: str, point: Checkpoint) -> list[str]:
    text, steps = record.record.encode(), _bytes(record.proof)
    if leaf_hash(text).hex() != record.leaf:
        return [f"record {record.seq} was changed: it does not hash to the leaf written beside it"]
    if _run_of(text) != run:
        return [f"record {record.seq} is not of {run}"]
    if steps is None or not verify_inclusion(leaf_hash(text), record.seq, point.size, steps, point.root):
        return [f"record {record.seq} does not stand in the log of {point.size} records at this place"]
    return []


def _check_growth(proof: GrowthProof, key: Ring) -> list[str]:
    try:
        old, new = verify_checkpoint(proof.old, key), verify_checkpoint(proof.new, key)
    except Malformed as error:
        return [error.message]
    steps = _bytes(proof.proof)
    if steps is None or not verify_consistency(old.size, new.size, old.root, new.root, steps):
        return [f"the log of {new.size} records does not begin with the one of {old.size}: its past was changed"]
    return []


def _run_of(record: bytes) -> str | None:
    try:
        return msgspec.json.decode(record, type=_Said).run
    except msgspec.DecodeError:
        return None


def _hex(steps: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(step.hex() for step in steps)


def _bytes(steps: Iterable[str]) -> list[bytes] | None:
    try:
        return [bytes.fromhex(step) for step in steps]
    except ValueError:
        return None
