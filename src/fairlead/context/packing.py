"""The pack of one task, made of all that was gathered for it. Pure: what is gathered alike is packed alike.

What comes first is what is taken first while there is room: live pieces, those that must be there before the others;
terms that the question names; decisions that are precedent; passages, best first; terms that these passages name. The
organisation's voice takes its room before the passages do. All that is no passage takes half of the room at most.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fairlead.context.hits import Hit
from fairlead.context.lexicon import NOTHING, Joining
from fairlead.context.measure import USUAL, Measure, kind_and_size
from fairlead.context.render import remark
from fairlead.context.sections import PATH
from fairlead.context.twins import likeness_of, twins
from fairlead.context.types import Citation, Difference, LivePiece, Pack
from fairlead.evidence import differing, statements_of
from fairlead.labels import NO_LABELS, Labels
from fairlead.models.types import Passage

_WORTH_CUTTING: Final = 60  # tokens: a shorter piece of a passage says too little
_STOPS: Final = re.compile(r"[.!?](?=\s)|\n")
_FRAME: Final = 56  # tokens of what stands around a passage, but for its name, title and notes
_NAME: Final = 0.6  # tokens a byte of a name with its version
_canonical = msgspec.json.Encoder(order="sorted").encode


class Gathered(Struct, frozen=True, kw_only=True):
    """All that decides what a pack is. `budget` is in tokens as `measure` counts them, `today` an ISO day."""

    snapshot: str
    budget: int
    hits: tuple[Hit, ...] = ()
    live: tuple[LivePiece, ...] = ()
    joining: Joining = NOTHING
    today: str = ""
    measure: Measure = USUAL


class _Piece(Struct, frozen=True):
    passage: Passage
    citation: Citation
    labels: Labels
    cuts: bool = False  # rather the beginning of it than nothing
    hit: int = -1  # its place among the hits


class _Room:
    """What is taken, and what it takes."""

    def __init__(self, measure: Measure, budget: int) -> None:
        self.measure = measure
        self.left = budget
        self.pieces: list[_Piece] = []
        self.voice: list[_Piece] = []

    def take(self, piece: _Piece, most: int) -> bool:
        """Take the piece if it needs no more than `most` tokens, or its beginning where that will do."""
        needs = self._needs(piece)
        if needs > most and piece.cuts:
            piece, needs = self._begun(piece, needs, most)
        if needs > most:
            return False
        self.pieces.append(piece)
        self.left -= needs
        return True

    def _needs(self, piece: _Piece) -> int:
        return needed(self.measure, piece.passage, piece.citation.notes)

    def _begun(self, piece: _Piece, needs: int, most: int) -> tuple[_Piece, int]:
        """The beginning of the piece that fits, and what it needs; the piece itself where none is worth it."""
        whole = piece.passage
        citation = replace(piece.citation, notes=(*piece.citation.notes, "its beginning only"))
        room = most - (needs - self.measure.tokens(whole.text))
        for _ in range(6):
            text = beginning(whole.text, room, self.measure) if room >= _WORTH_CUTTING else ""
            if not text:
                break
            begun = replace(piece, passage=replace(whole, text=text), citation=citation)
            if (small := self._needs(begun)) <= most:
                return begun, small
            room = min(room - (small - most), self.measure.tokens(text) - 1)
        return piece, needs

    def give_back(self, place: int) -> None:
        self.left += self._needs(self.pieces.pop(place))


def pack_of(gathered: Gathered) -> Pack:
    """The pack: within the budget, each text once, every piece cited, what must be known of it noted."""
    room = _Room(gathered.measure, gathered.budget)
    _take_what_joins(room, gathered)
    _take_passages(room, gathered)
    differences = _differences(room)
    labels = NO_LABELS
    for piece in (*room.pieces, *room.voice):
        labels = labels.joined(piece.labels)
    pack = Pack(
        snapshot=gathered.snapshot,
        passages=tuple(each.passage for each in room.pieces),
        citations=tuple(each.citation for each in (*room.pieces, *room.voice)),
        labels=labels,
        voice=tuple(each.passage for each in room.voice),
        differences=differences,
        live=gathered.live,
    )
    return replace(pack, digest=digest_of(pack))


def needed(measure: Measure, passage: Passage, notes: Sequence[str]) -> int:
    """The most tokens that a passage takes between its marks."""
    said = (passage.title, *notes, passage.text)
    return _FRAME + int(len(passage.citation.encode()) * _NAME) + sum(measure.tokens(each) for each in said)


def met(text: str) -> None:
    """Work out, once, what a passage is compared by."""
    likeness_of(text)
    statements_of(text)
    kind_and_size(text)


def digest_of(pack: Pack) -> str:
    """The SHA-256 of what a model gets of a pack, and of what is said of it; "" of an empty one."""
    if not pack.passages and not pack.voice:
        return ""
    whole = (pack.passages, pack.citations, pack.voice, pack.differences)
    return hashlib.sha256(_canonical(whole)).hexdigest()


def beginning(text: str, tokens: int, measure: Measure = USUAL) -> str:
    """The text up to the last end of a sentence or line within so many tokens, "" if there is none."""
    whole = measure.tokens(text)
    if whole <= tokens:
        return text
    within = text[: max(0, len(text) * tokens // whole)]
    while within and measure.tokens(within) > tokens:  # a beginning may be denser than the whole
        within = within[: len(within) * 9 // 10]
    ends = [stop.end() for stop in _STOPS.finditer(within)]
    return within[: ends[-1]].rstrip() if ends else ""


def _take_what_joins(room: _Room, gathered: Gathered) -> None:
    joining, today = gathered.joining, gathered.today
    for live in sorted(gathered.live, key=lambda each: not each.required):
        if live.text:
            room.take(_of_live(live), room.left if live.required else room.left * 3 // 4)
    floor = room.left - room.left // 2  # what is left for passages
    for hit in joining.voice:
        piece = _of_hit(hit, today)
        needs = needed(room.measure, piece.passage, piece.citation.notes)
        if hit.trusted and needs <= room.left - floor:
            room.voice.append(piece)
            room.left -= needs
    for hit in (*joining.terms, *joining.decisions):
        room.take(_of_hit(hit, today), room.left - floor)


def _take_passages(room: _Room, gathered: Gathered) -> None:
    """The passages, and the terms that those name which were taken."""
    taken = {each.passage.citation for each in (*room.pieces, *room.voice)}
    first = True
    for at, hit in _once_each(gathered.hits):
        piece = _of_hit(hit, gathered.today, cuts=first, place=at)
        if piece.passage.text.strip() and not (hit.kind in _JOINS and piece.passage.citation in taken):
            first = not room.take(piece, room.left) and first
    named = gathered.joining.named
    for piece in tuple(room.pieces):
        for hit in named[piece.hit] if 0 <= piece.hit < len(named) else ():
            term = _of_hit(hit, gathered.today)
            if term.passage.citation not in taken and room.take(term, room.left):
                taken.add(term.passage.citation)


_JOINS: Final = frozenset(("term", "decision", "voice"))


def _once_each(hits: Sequence[Hit]) -> Iterator[tuple[int, Hit]]:
    """The hits in their order without twins. Of twins the place of the first, and the one that was verified last, else
    changed last, else is the more specific, else was found first."""
    best: dict[int, int] = {}
    for at, first in enumerate(twins([hit.text for hit in hits])):
        best[first] = at if first == at else max(best[first], at, key=lambda one: (*_standing(hits[one]), -one))
    for first in sorted(best):
        yield best[first], hits[best[first]]


def _standing(hit: Hit) -> tuple[bool, str, str, int]:
    return hit.trusted, hit.verified, hit.changed, hit.heading.count(PATH)


def _differences(room: _Room) -> tuple[Difference, ...]:
    """Where pieces differ. What is said of that has its room too: the last pieces that it is not about make it, and
    where that is not enough, the last differences are left out."""
    ids = [each.citation.id for each in room.pieces]
    about = [
        each for each in differing([piece.passage.text for piece in room.pieces]) if ids[each.one] != ids[each.other]
    ]
    found = tuple(Difference(ids[each.one], ids[each.other], each.said, each.instead) for each in about)
    named = {id_ for each in found for id_ in (each.one, each.other)}
    while found and room.measure.tokens(remark(found)) > room.left:
        spare = next((at for at in range(len(room.pieces) - 1, 0, -1) if ids[at] not in named), None)
        if spare is None:
            found = found[:-1]
        else:
            room.give_back(spare)
            del ids[spare]
    return found


def _of_live(live: LivePiece) -> _Piece:
    notes = [f"read live, as of {live.as_of}"]
    if live.state == "stale":
        notes.append("older than it may be: say so")
    if live.why == "cut":
        notes.append("its beginning only")
    if not live.trusted:
        notes.append(UNTRUSTED)
    citation = Citation(
        live.citation, live.title, "", "", kind="live", trusted=live.trusted, as_of=live.as_of, notes=tuple(notes)
    )
    return _Piece(Passage(live.citation, live.title, live.text), citation, live.labels, cuts=True)


UNTRUSTED: Final = "not trusted: words of outsiders, who may be wrong or mean to mislead"


def _of_hit(hit: Hit, today: str, *, cuts: bool = False, place: int = -1) -> _Piece:
    name = f"{hit.item}@{hit.version}"
    citation = Citation(
        name,
        hit.title,
        hit.heading,
        hit.owner,
        hit.verified,
        hit.review_by,
        hit.kind,
        hit.expires,
        hit.trusted,
        hit.changed,
        hit.identity,
        notes=tuple(_notes(hit, today)),
    )
    return _Piece(Passage(name, _title(hit), hit.text), citation, Labels(hit.data_class), cuts, place)


def _notes(hit: Hit, today: str) -> Iterator[str]:
    if hit.expires and hit.expires <= today:  # from that day on, as for what is required
        yield f"expired on {hit.expires}: it may no longer hold"
    if hit.review_by and hit.review_by < today:
        yield f"its review was due on {hit.review_by}"
    if not hit.trusted:
        yield UNTRUSTED


def _title(hit: Hit) -> str:
    """The page and, below it, the section: without saying the page's name twice. Of a term and the like, what it is."""
    if hit.kind in _JOINS and not hit.heading:
        return f"{hit.kind.capitalize()}: {hit.title}"
    if not hit.heading or hit.heading == hit.title:
        return hit.title
    if hit.heading.startswith(hit.title + PATH):
        return hit.heading
    return f"{hit.title}{PATH}{hit.heading}"
