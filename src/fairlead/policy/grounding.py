"""Whether a reply rests on the passages that it was given: by its words, its numbers and its marks. Pure arithmetic.

`support` asks whether each sentence was taken from any of the passages; `cited_support` is stricter and holds each
against those that it cites, and notices what they contradict.

A sentence is supported where most of its words stand in one passage, and each of its numbers in some. That says whether
a claim was taken from there, not whether it was understood: a sentence that turns a passage into its opposite with the
passage's own words is supported. Sentences of fewer than three words that say something are no claims.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from fairlead.evidence import Pieces
from fairlead.models.types import Passage
from fairlead.models.words import stems

LEAST_WORDS: Final = 3
OVERLAP: Final = 0.6
"""The share of a sentence's words that must stand in one passage."""

_VERSION: Final = r"(?:[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"  # of a page; or when it was read live
_MARK: Final = re.compile(rf"\[([^\[\]\s]{{1,300}}@{_VERSION})\]")
_MARKS_BEHIND: Final = re.compile(rf"([.!?])((?:\s*\[[^\[\]\s]{{1,300}}@{_VERSION}\])+)")
_END: Final = re.compile(r"(?<=[.!?])\s+|\n+")
_LONGEST_DECLINE: Final = 400  # characters
_REFERRAL: Final = r"(?:please )?(?:ask|contact|speak to|talk to)(?: [a-z'-]{1,20}){1,4}"
_DECLINED: Final = re.compile(
    r"(?:(?:i'?m sorry|sorry|unfortunately)[,:;.]? (?:but )?)?(?:i|we) "
    r"(?:do not|don't|cannot|can't|could not|couldn't) (?:know|answer|find|say|tell)"
    r"(?: (?:that|this|it|the answer|an answer))?(?: to (?:that|this|your question))?"
    r"(?: (?:from|in) (?:the|this|our)(?: [a-z]{1,20}){1,2}|: the organisation's context does not answer this)?"
    rf"[.!]?(?:[,;:]? (?:and |so )?{_REFERRAL}[.!]?)?",
    re.IGNORECASE,
)
"""Nothing else may stand there: whoever says more than that they do not know claims something."""
_NUMBER: Final = re.compile(r"\d[\d.,\u00a0\u202f]*")


class Support(Struct, frozen=True):
    """Of how many claims of a reply how many are supported, and the marks that name no passage."""

    claims: int
    supported: int
    invented: tuple[str, ...]
    contradicted: tuple[str, ...] = ()
    """The sentences that a passage contradicts, as far as words show it."""

    @property
    def share(self) -> float:
        """The share of claims that the context bears out: 1 for a text without any."""
        return self.supported / self.claims if self.claims else 1.0


def support(reply: str, passages: Sequence[Passage]) -> Support:
    """What of a reply the passages support."""
    known = {each.citation for each in passages}
    texts = [f"{each.title} {each.text}" for each in passages]
    vocabularies = [frozenset(stems(each)) for each in texts]
    numbers = frozenset(number for each in texts for number in _numbers(each))
    claims = list(_claims(without_marks(reply)))
    supported = sum(_is_supported(said, counted, vocabularies, numbers) for said, counted in claims)
    invented = dict.fromkeys(mark for mark in _MARK.findall(reply) if mark not in known)
    return Support(len(claims), supported, tuple(invented))


def declines(reply: str) -> bool:
    """Whether a reply says that it does not know, perhaps whom to ask, and nothing else. English is understood."""
    if len(reply) > _LONGEST_DECLINE:
        return False
    return _DECLINED.fullmatch(" ".join(reply.replace("\u2019", "'").split())) is not None


def without_marks(text: str) -> str:
    """The text without its citations, whose digits are no numbers that it claims."""
    return _MARK.sub(" ", text)


def cited_support(reply: str, passages: Sequence[Passage]) -> Support:
    """What of a reply the passages bear out that it cites; a sentence that cites none is held against all of them."""
    places: dict[str, list[int]] = {}
    for place, passage in enumerate(passages):
        places.setdefault(passage.citation, []).append(place)
    pieces = Pieces(passages)
    claims = borne_out = 0
    contradicted: list[str] = []
    for sentence in _END.split(_MARKS_BEHIND.sub(r"\2\1", reply)):
        plain = without_marks(sentence)
        if len(frozenset(stems(plain))) < LEAST_WORDS:
            continue
        marks = _MARK.findall(sentence)
        cited = [place for mark in marks for place in places.get(mark, ())]
        found = pieces.check(plain, cited if marks else None)
        claims += 1
        borne_out += found.verdict == "supported"
        if found.verdict == "contradicted":
            contradicted.append(" ".join(plain.split()))
    invented = dict.fromkeys(mark for mark in _MARK.findall(reply) if mark not in places)
    return Support(claims, borne_out, tuple(invented), tuple(contradicted))


def _claims(reply: str) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """The words and the numbers of each sentence that claims something."""
    for sentence in _END.split(reply):
        said = frozenset(stems(sentence))
        if len(said) >= LEAST_WORDS:
            yield said, frozenset(_numbers(sentence))


def _is_supported(
    said: frozenset[str], counted: frozenset[str], vocabularies: Sequence[frozenset[str]], numbers: frozenset[str]
) -> bool:
    return counted <= numbers and any(len(said & each) >= OVERLAP * len(said) for each in vocabularies)


def _numbers(text: str) -> Iterator[str]:
    """The digits of each number, without what sets off thousands; a fraction of zeros counts as none."""
    for found in _NUMBER.findall(text):
        whole = found.rstrip(".,\u00a0\u202f")
        digits = re.sub(r"\D", "", re.sub(r"[.,]0{1,2}$", "", whole))
        if digits:
            yield digits
