"""Checking a log, offline: over an exported file, or over the rows of the live database.

One pass, constant memory. A checkpoint proves every record before it; what no checkpoint covers is not proven. A log
that was shortened and then exported anew without its later checkpoints looks whole: only a checkpoint that was kept
elsewhere can tell. Pass those as `kept`.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from fairlead.audit.bundle import FORMAT, End, Header, Note, Record, in_order, read_line
from fairlead.audit.checkpoint import verifier_name, verify_checkpoint
from fairlead.audit.malformed import Malformed
from fairlead.audit.merkle import EMPTY_ROOT, Frontier, leaf_hash
from fairlead.audit.succession import Ring, ring_of

_MOST_PROBLEMS: Final = 20
_LONGEST_LINE: Final = 1 << 26


class Verdict(Struct, frozen=True):
    """What came of a check. `root` is the hexadecimal root over all `size` records read; `signed` says how many of
    them, from the first, a checkpoint proves. `problems` are sentences; the first names the first bad record."""

    ok: bool
    size: int
    root: str
    signed: int
    problems: tuple[str, ...] = ()


def verify_export(
    source: Path | str | Iterable[bytes],
    verifier_key: str | None = None,
    kept: Iterable[str] = (),
    links: Iterable[str] = (),
) -> Verdict:
    """Check an audit export: a path, or its lines.

    `links` are successions of signing keys beside those that the file has. Without `verifier_key` the file's own key is
    used, which shows that the file agrees with itself, not who signed it.
    Raises OSError if the file cannot be read, Malformed if `verifier_key` is malformed.
    """
    if verifier_key is not None:
        verifier_name(verifier_key)
    if isinstance(source, (Path, str)):
        source = _lines(Path(source))
    lines = iter(source)
    header = read_line(next(lines, b"").removesuffix(b"\n"))
    if not isinstance(header, Header) or header.format != FORMAT:
        return _unreadable(f"the first line is not the header of an audit export ({FORMAT})")
    try:
        name = verifier_name(header.verifier_key)
        ring = ring_of(verifier_key or header.verifier_key, [*header.successions, *links])
    except Malformed as error:
        return _unreadable(f"the first line names no usable key: {error.message}")
    walk = _Walk(ring, kept)
    if header.origin != name:
        walk.problem(f"the file says that it is the log {header.origin!r} and its key speaks for {name!r}")
    if header.verifier_key not in {each.key for each in ring.keys}:
        walk.problem(f"the file names another key than the one it was checked with: {header.verifier_key}")
    _read_log(walk, lines)
    walk.finish()
    if walk.intact and not walk.proven:
        walk.problem("no checkpoint holds, so nothing proves these records")
    elif walk.intact and walk.signed < walk.tree.size:
        walk.problem(f"{_span(walk.signed, walk.tree.size)} come after the last checkpoint, so nothing proves them")
    return walk.verdict()


def verify_records(
    records: Iterable[tuple[int, bytes]], stored: Frontier, checkpoints: Iterable[str], key: str | Ring
) -> Verdict:
    """Check the rows of a live log, (index from 0, record), against its stored head and its checkpoints.

    Records after the last checkpoint are compared with the stored head alone: whoever can write the database could
    have changed both. Raises Malformed if `key` is malformed.
    """
    walk = _Walk(ring_of(key) if isinstance(key, str) else key, checkpoints)
    for seq, record in records:
        walk.record(seq, leaf_hash(record))
    walk.finish()
    size = walk.tree.size
    if walk.intact and size < stored.size:
        walk.problem(f"the log was cut off: it ends after {_records(size)} and its stored head counts {stored.size}")
    elif walk.intact and stored != walk.tree:
        walk.problem(
            f"the stored head over {_records(stored.size)} does not follow from the log: the head was changed, "
            f"or one of {_span(min(walk.signed, size - 1), size)}"
        )
    return walk.verdict()


class _Walk:
    """One pass over a log: the tree so far, how much of it is proven, what was found."""

    def __init__(self, ring: Ring, checkpoints: Iterable[str]) -> None:
        self.tree = Frontier()
        self.signed = 0
        self.proven = False
        self.intact = True  # once a record is missing or moved, every later root differs and says nothing new
        self._ring = ring
        self._waiting = in_order(checkpoints)
        self._next = 0
        self._problems: list[str] = []
        self._found = 0

    def problem(self, sentence: str) -> None:
        self._found += 1
        if self._found <= _MOST_PROBLEMS:
            self._problems.append(sentence)

    def broken(self, sentence: str) -> None:
        self.problem(sentence)
        self.intact = False

    def record(self, seq: int, leaf: bytes) -> None:
        while self._waiting and self._waiting[-1][0] <= self.tree.size:
            self.checkpoint(self._waiting.pop()[1])
        if seq > self._next:
            self.broken(f"{_span(self._next, seq)} {_are(seq - self._next)} missing before record {seq}")
        elif seq < self._next:
            self.broken(f"record {seq} stands after record {self._next - 1}: it was moved or repeated")
        self._next = max(self._next, seq + 1)
        self.tree = self.tree.append(leaf)

    def finish(self) -> None:
        while self._waiting:
            self.checkpoint(self._waiting.pop()[1])

    def checkpoint(self, text: str) -> None:
        size = self.tree.size
        try:
            point = verify_checkpoint(text, self._ring)
        except Malformed as error:
            self.problem(f"a checkpoint, after {_records(size)}: {error.message}")
            return
        if not self.intact:
            return
        if point.size > size:
            self.broken(f"{_span(size, point.size)} {_are(point.size - size)} missing: a checkpoint covers them")
        elif point.size < size:
            self.broken(f"the checkpoint over {_records(point.size)} stands after {size}: a record was added before it")
        elif point.root != self.tree.root():
            first = min(self.signed, size - 1)
            self.broken(
                f"{_span(first, size)} {'does' if size - first == 1 else 'do'} not agree with the checkpoint over "
                f"{_records(size)}: {'it' if size - first == 1 else 'one'} was changed, or the checkpoint belongs to "
                "another log"
            )
        else:
            self.signed, self.proven = size, True

    def verdict(self) -> Verdict:
        more = self._found - len(self._problems)
        problems = (*self._problems, f"and {more} more problems") if more else tuple(self._problems)
        return Verdict(not problems, self.tree.size, self.tree.root().hex(), self.signed, problems)


def _read_log(walk: _Walk, lines: Iterator[bytes]) -> None:
    """Walk through an export's lines after the header."""
    for number, line in enumerate(lines, start=2):
        read = read_line(line.removesuffix(b"\n"))
        if isinstance(read, Record):
            if leaf_hash(read.text) != read.leaf:
                walk.problem(f"record {read.seq} was changed: it does not hash to the leaf written beside it")
            walk.record(read.seq, read.leaf)
        elif isinstance(read, Note):
            walk.checkpoint(read.checkpoint)
        elif isinstance(read, End):
            _check_end(walk, read, lines)
            return
        else:
            walk.broken(f"line {number}, after {_records(walk.tree.size)}, was changed: no export has such a line")
    walk.broken(f"the file was cut off after {_records(walk.tree.size)}: its last line is missing")


def _check_end(walk: _Walk, end: End, lines: Iterator[bytes]) -> None:
    if end.end != walk.tree.size:
        walk.broken(f"the last line counts {_records(end.end)} and {walk.tree.size} are here")
    if next(lines, None) is not None:
        walk.broken("something follows the last line")


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while line := file.readline(_LONGEST_LINE):
            yield line


def _unreadable(problem: str) -> Verdict:
    return Verdict(False, 0, EMPTY_ROOT.hex(), 0, (problem,))


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count} records"


def _span(start: int, end: int) -> str:
    return f"record {start}" if end - start <= 1 else f"records {start} to {end - 1}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
