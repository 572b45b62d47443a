"""Checking what was carried away: exports, proofs and checkpoints, each by itself and all of them against each other.

Two checkpoints that one key signed must belong to one history. Of equal size they must agree; of different size the
larger must be shown to continue the smaller, by an export or by a proof of growth. A log that shows one history to one
reader and another to the next is found by nothing else.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from msgspec import Struct

from fairlead.audit.bundle import FORMAT, Header, read_line
from fairlead.audit.checkpoint import Checkpoint, parse_checkpoint, verify_checkpoint
from fairlead.audit.malformed import Malformed
from fairlead.audit.proof import GrowthProof, Proof, RunProof, check_proof, read_proof
from fairlead.audit.succession import TITLE, Ring, Succession, read_succession, ring_of
from fairlead.audit.verify import Verdict, verify_export

_LARGEST = 1 << 26  # bytes of a proof: thousands of records


class Export(Struct, frozen=True):
    """An exported log, which is read line by line and never whole."""

    path: Path
    verifier_key: str
    successions: tuple[str, ...] = ()


class Note(Struct, frozen=True):
    """A checkpoint by itself. It names its log and not its key."""

    text: str


class Link(Struct, frozen=True):
    """A succession of signing keys by itself."""

    text: str


Document = Export | Proof | Note | Link


class Finding(Struct, frozen=True):
    """What came of one file, or of all together (`about` is then empty). It holds where there are no problems."""

    about: str
    said: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def read_document(path: Path) -> Document:
    """What a file is, by what stands in it. Raises OSError, or Malformed where it is none of the three."""
    with path.open("rb") as file:
        first = file.readline(_LARGEST)
        header = read_line(first.removesuffix(b"\n"))
        if isinstance(header, Header):
            return Export(path, header.verifier_key, header.successions)
        text = first + file.read(_LARGEST)
    if text.lstrip().startswith(b"{"):
        return read_proof(text)
    try:
        said = text.decode()
        if said.startswith(TITLE):
            read_succession(said)
            return Link(said)
        note = Note(said)
        parse_checkpoint(note.text)
    except (UnicodeDecodeError, Malformed):
        raise Malformed(
            f"it is no audit export ({FORMAT}), no proof and no checkpoint",
            mend="give files as `fairlead audit export`, `prove`, `consistency` and `checkpoint` wrote them, whole",
        ) from None
    return note


def key_for(documents: Iterable[Document]) -> str:
    """The key that the documents themselves name, for want of one from elsewhere. Raises Malformed."""
    documents = list(documents)
    keys = {each.verifier_key for each in documents if not isinstance(each, Note | Link)}
    if keys:
        ring = ring_of(min(keys), _successions(documents))
        known = [each.key for each in ring.keys if each.key in keys]
        if len(known) == len(keys):
            return known[-1]
    if not keys:
        raise Malformed("a checkpoint does not say who signed it", mend="give the log's verifier key with --key")
    raise Malformed(
        f"the files name {len(keys)} different keys: {', '.join(sorted(keys))}",
        mend="give the log's verifier key with --key, from a source you trust",
    )


def check_documents(documents: Sequence[tuple[str, Document]], key: str) -> list[Finding]:
    """Each document by its name, and how they fit together. Raises Malformed for a malformed key, OSError."""
    links = _successions(each for _, each in documents)
    ring = ring_of(key, links)
    notes = [note for _, each in documents for note in _notes(each)]
    findings = [_checked(name, each, key, ring, links, notes) for name, each in documents]
    if not any(each.problems for each in findings) and not any(isinstance(each, Export) for _, each in documents):
        together = _together([each for _, each in documents])
        if together:
            findings.append(Finding("", problems=tuple(together)))
    return findings


def _checked(name: str, document: Document, key: str, ring: Ring, links: list[str], notes: list[str]) -> Finding:
    if isinstance(document, Export):
        verdict = verify_export(document.path, key, notes, links)
        return Finding(name, () if verdict.problems else _said(verdict), verdict.problems)
    if isinstance(document, Note):
        try:
            point = verify_checkpoint(document.text, ring)
        except Malformed as error:
            return Finding(name, problems=(error.message,))
        return Finding(name, (f"a signed checkpoint over {point.size} records, root {point.root.hex()}",))
    if isinstance(document, Link):
        return _linked(name, read_succession(document.text), ring)
    return (
        Finding(name, problems=problems) if (problems := tuple(check_proof(document, ring))) else _shown(name, document)
    )


def _linked(name: str, link: Succession, ring: Ring) -> Finding:
    if not {link.old, link.new} <= {each.key for each in ring.keys}:
        return Finding(name, problems=("it links keys that the one given here does not lead to",))
    return Finding(name, (f"from {link.size} records on, {link.new} signs in place of {link.old}",))


def _shown(name: str, proof: Proof) -> Finding:
    if isinstance(proof, RunProof):
        said = f"{len(proof.records)} record(s) of {proof.run} stand in the signed log of {proof.size} records"
    else:
        old, new = parse_checkpoint(proof.old), parse_checkpoint(proof.new)
        said = f"the signed log of {new.size} records continues the one of {old.size}"
    return Finding(name, (said,))


def _said(verdict: Verdict) -> tuple[str, ...]:
    return (f"{verdict.size} records, all in place and unchanged", f"root {verdict.root}")


def _notes(document: Document) -> list[str]:
    if isinstance(document, Note):
        return [document.text]
    if isinstance(document, RunProof):
        return [document.checkpoint]
    return [document.old, document.new] if isinstance(document, GrowthProof) else []


def _successions(documents: Iterable[Document]) -> list[str]:
    found = []
    for each in documents:
        if isinstance(each, Link):
            found.append(each.text)
        elif not isinstance(each, Note):
            found += each.successions
    return found


def _together(documents: Sequence[Document]) -> list[str]:
    """What keeps documents that hold, each by itself, from being of one history."""
    points = sorted({(point.size, point.root) for each in documents for point in map(parse_checkpoint, _notes(each))})
    home = {point: point for point in points}

    def find(point: tuple[int, bytes]) -> tuple[int, bytes]:
        while home[point] != point:
            point = home[point]
        return point

    for each in documents:
        if isinstance(each, GrowthProof):
            old, new = map(_point, map(parse_checkpoint, (each.old, each.new)))
            home[find(old)] = find(new)
    problems = []
    for (size, root), (next_size, next_root) in pairwise(points):
        if size == next_size:
            problems.append(f"two checkpoints over {size} records have different roots: the log has two histories")
        elif find((size, root)) != find((next_size, next_root)):
            problems.append(_UNLINKED.format(size, next_size))
    return problems


def _point(checkpoint: Checkpoint) -> tuple[int, bytes]:
    return checkpoint.size, checkpoint.root


_UNLINKED = (
    "nothing shows that the log of {1} records continues the one of {0}: add the export, or the proof that `fairlead "
    "audit consistency` gives for the older checkpoint"
)
