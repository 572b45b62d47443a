"""Measures whose value is a word: whose law, who owns, who indemnifies, with or without consent."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from fairlead.agreements.reading import Read, Sentence, Value, pattern_of

_COUNTRIES: Final = {
    "english": "England and Wales", "england": "England and Wales", "england and wales": "England and Wales",
    "scots": "Scotland", "scottish": "Scotland", "irish": "Ireland", "dutch": "the Netherlands", "german": "Germany",
    "federal republic of germany": "Germany", "french": "France", "swedish": "Sweden", "danish": "Denmark",
    "norwegian": "Norway", "swiss": "Switzerland", "austrian": "Austria", "italian": "Italy", "spanish": "Spain",
    "belgian": "Belgium", "republic of ireland": "Ireland", "finnish": "Finland", "polish": "Poland",
}  # fmt: skip
_PLACE: Final = (
    r"(?:the )?(?:state of |republic of |commonwealth of |province of )?[A-Z][\w]+(?: (?:and |of )?[A-Z][\w]+){0,3}"
)
_LAWS: Final = (
    rf"laws? of (?P<place>{_PLACE})",
    r"\b(?P<adjective>[A-Z][a-z]+) law\b",
    rf"govern\w* .{{0,40}}\bby (?P<after>{_PLACE}) law",
)
_CONSENT: Final = (
    r"without .{0,40}(?:consent|approval|permission|authori[sz]ation)"
    r"|prior (?:written )?(?:consent|approval|permission|authori[sz]ation)"
)


def _governing_law(said: Sentence) -> Iterator[Value]:
    if not said.has(r"\blaws?\b") or not (
        said.headed(r"law|jurisdiction|dispute|courts") or said.has(r"govern|law (?:shall )?appl")
    ):
        return
    for pattern in _LAWS:
        found = re.search(pattern, said.text)
        if found is not None:
            named = next(each for each in found.groups() if each)
            yield Value(word=country_of(named))
            return
    if said.headed(r"govern|applicable law|choice of law"):
        yield Value(why="whose law it is cannot be read")


def country_of(named: str) -> str:
    """The country that a name or an adjective means: `English`, `the State of New York`."""
    bare = re.sub(r"^the (?=State|Republic|Federal|Commonwealth|Province)", "", named, flags=re.IGNORECASE)
    return _COUNTRIES.get(bare.lower(), _COUNTRIES.get(bare.lower().removeprefix("the "), bare))


def _indemnity(said: Sentence) -> Iterator[Value]:
    found = pattern_of(r"\bindemnif|\bhold\b.{0,60}\bharmless|\bindemnity against").search(said.text)
    if found is None or said.about(r"insur"):
        return
    who = said.parties.who(said.text[: found.start()])
    if who:
        yield Value(word={"both": "mutual", "ours": "customer", "theirs": "supplier"}[who])
    else:
        yield Value(why="who indemnifies whom cannot be read")


def _subprocessors(said: Sentence) -> Iterator[Value]:
    if not said.has(r"sub-?processors?|(?:an)?other processors?"):
        return
    if said.has(_CONSENT + r"|require .{0,40}consent"):
        yield Value(word="consent")
    elif said.has(r"discretion|freely|\bfree to\b|of its choice|without (?:consent|notice|inform|notif|telling)"):
        yield Value(word="free")
    elif said.has(r"inform|notif|notice|object"):
        yield Value(word="notice")
    elif said.has(r"\bmay\b"):
        yield Value(word="free")
    else:
        yield Value(why="who decides on subprocessors cannot be read")


_WORKS: Final = (
    r"deliverable|work product|\bresults\b|reports|documents|designs|plans|foreground|(?:written|made|developed) for"
)
_OWNED: Final = (
    r"\bvests?\b|\bbelongs?\b|\bowned by\b|\bremains?\b|\bpass(?:es)?\b|property of|\bassigns\b|\bowns\b|\bretains\b"
)


def _ip_owner(said: Sentence) -> Iterator[Value]:
    about = r"intellectual|owner|work product|deliverable|design|property|result|rights"
    if not said.about(about) or not said.has(_WORKS) or said.headed(r"confiden|insur|return"):
        return
    found = pattern_of(_OWNED).search(said.text)
    if found is None:
        return
    keeps = found[0].lower() in ("owns", "retains", "assigns")
    who = said.parties.who(said.text[: found.start()] if keeps else said.text[found.end() :])
    if found[0].lower() == "assigns" and who in ("ours", "theirs"):
        who = "theirs" if who == "ours" else "ours"
    if who == "ours":
        yield Value(word="customer")
    elif who == "theirs":
        yield Value(word="licence" if said.has(r"perpetual") else "supplier")
    elif who == "both":
        yield Value(word="joint")
    else:
        yield Value(why="who owns it cannot be read")


def _assignment(said: Sentence) -> Iterator[Value]:
    moved = pattern_of(r"\b(?:assign|transfer)\b").search(said.text)
    if (
        moved is None
        or not said.has(r"agreement|contract|rights|obligations")
        or said.has(r"copyright|title|personal data")
    ):
        return
    if said.parties.who(said.text[: moved.start()]) == "ours":
        return
    if said.has(r"affiliate|group compan|(?:its|the same) group"):
        yield Value(word="affiliates")
    elif said.has(r"\b(?:not|neither|no party)\b") and said.has(_CONSENT + r"|unless .{0,40}(?:consent|approv|agree)"):
        yield Value(word="consent")
    elif said.has(r"\bmay\b|free to|is entitled"):
        yield Value(word="free")
    else:
        yield Value(why="who may assign cannot be read")


def _exclusivity(said: Sentence) -> Iterator[Value]:
    bound = said.has(
        r"only from|\bexclusively (?:from|with)|not (?:engage|buy|purchase|use|appoint) .{0,20}other"
        r"|from no other|sole supplier"
    )
    if bound and said.binds_us():
        yield Value(word="exclusive")


def _publicity(said: Sentence) -> Iterator[Value]:
    if not said.about(r"publicity|marketing|\blogo\b|reference customer|in public|press release") or said.has(
        r"indemnif"
    ):
        return
    if said.has(_CONSENT):
        yield Value(word="consent")
    elif said.has(r"\bmay\b|permitted|entitled|allowed|agrees"):
        yield Value(word="free")


WORDED: Final[Mapping[str, Read]] = {
    "governing_law": _governing_law,
    "indemnity": _indemnity,
    "subprocessors": _subprocessors,
    "ip_owner": _ip_owner,
    "assignment": _assignment,
    "exclusivity": _exclusivity,
    "publicity": _publicity,
}
