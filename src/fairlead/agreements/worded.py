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
    rf"[Ll]aws? (?:of|in force in) (?P<place>{_PLACE})",
    r"\b(?P<adjective>[A-Z][a-z]+) law\b",
    rf"govern\w* .{{0,40}}\bby (?P<after>{_PLACE}) law",
)
_CONSENT: Final = (
    r"without .{0,40}(?:consent|approval|permission|authori[sz]ation|written agreement)"
    r"|prior (?:written )?(?:consent|approval|permission|authori[sz]ation)"
)


def _governing_law(said: Sentence) -> Iterator[Value]:
    if not said.has(r"\blaws?\b") or not (
        said.headed(r"law|jurisdiction|dispute|courts") or said.has(r"govern|constru|interpret|law (?:shall )?appl")
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
    found = pattern_of(
        r"\bindemnif(?:y|ies|ied|ying)\b|\bhold\b.{0,60}\bharmless|\bindemnity against"
        r"|\bdefend\b(?=[^.;]{0,80}\b(?:claim|suit|action|proceeding)s?\b)"
    ).search(said.text)
    if found is None or said.has(r"insur"):
        return
    who = said.parties.who(said.text[: found.start()])
    if who:
        yield Value(word={"both": "mutual", "ours": "customer", "theirs": "supplier"}[who])
    else:
        yield Value(why="who indemnifies whom cannot be read")


_WITHOUT_ASKING: Final = pattern_of(
    r"(?<!not )(?<!only )\b(?:may|can|entitled to|free to)\b(?! not)[^.;]{0,80}"
    r"\bwithout (?:\S+ ){0,5}?(?:consent|notice|notif|inform|telling|approv|permission|ask)"
)
_NOBODY: Final = pattern_of(r"\b(?:neither|nor|no)\b[^.;]{0,60}\b(?:may|can)\b")


def _without_asking(said: Sentence) -> bool:
    """Whether somebody may do it without consent or notice; `neither party may` allows nothing."""
    return _WITHOUT_ASKING.search(said.text) is not None and _NOBODY.search(said.text) is None


_TOLD: Final = r"inform|notif|notice|object"


def _subprocessors(said: Sentence) -> Iterator[Value]:
    if not said.has(r"sub-?processors?|(?:an)?other processors?|third[- ]party processors?"):
        return
    if _without_asking(said) or said.has(r"discretion|freely|\bfree to\b|of its cho(?:ice|osing)"):
        yield Value(word="free")
    elif said.has(_CONSENT + r"|require .{0,40}consent|unless [^.;]{0,60}(?:consent|approv|authori[sz])"):
        yield Value(word="consent")
    elif said.has(_TOLD) or pattern_of(_TOLD).search(said.clause):  # who is told may stand in the next sentence
        yield Value(word="notice")
    elif said.has(r"\bmay\b"):
        yield Value(word="free")
    else:
        yield Value(why="who decides on subprocessors cannot be read")


_WORKS: Final = (
    r"deliverable|work product|\bresults\b|reports|documents|designs|plans|foreground|(?:written|made"
    r"|developed) for|jointly"
    r"|materials|drawings|(?:created|prepared|specially) for"
)
_OWNED: Final = (
    r"\bvests?\b|\bbelongs?\b|\bowned by\b|\bremains?\b|\bpass(?:es)?\b|property of|\bassigns\b|\bowns?\b|\bretains\b"
    r"|\breserves\b"
)


def _ip_owner(said: Sentence) -> Iterator[Value]:
    about = r"intellectual|owner|work product|deliverable|design|property|result|rights"
    if not said.about(about) or not said.has(_WORKS) or said.headed(r"confiden|insur|return"):
        return
    if said.type == "nda" and said.has(r"confidential|disclos|furnish"):
        return
    text = pattern_of(r"as between the parties").sub("", said.text)
    found = pattern_of(_OWNED).search(text)
    if found is None:
        return
    if pattern_of(r"\b(?:no|not|nothing|neither)\b[^.;,]{0,60}$").search(text[: found.start()]):
        yield Value(why="it says who does not own it")
        return
    keeps = found[0].lower() in ("own", "owns", "retains", "assigns", "reserves")
    who = said.parties.who(text[: found.start()] if keeps else text[found.end() :])
    if found[0].lower() == "assigns" and who in ("ours", "theirs"):
        who = "theirs" if who == "ours" else "ours"
    if who == "ours":
        yield Value(word="customer")
    elif who == "theirs":
        yield Value(word="licence" if said.has(r"perpetual|irrevocable") else "supplier")
    elif who == "both":
        yield Value(word="joint")
    else:
        yield Value(why="who owns it cannot be read")


_EXCEPT: Final = (
    r"\b(?:except|save|other than|provided(?: that|,))\b(?! (?:with|as (?:expressly )?(?:permitted"
    r"|provided|set)|by law))(?! that (?:such|the|this) consent)"
)
_OF_IT: Final = r"agreement|contract|rights?\b|obligations?\b|duties|benefit|hereunder"


def _assignment(said: Sentence) -> Iterator[Value]:
    moved = pattern_of(r"\b(?:assign|transfer)(?:ed|able)?\b").search(said.text)
    if moved is None or not said.has(_OF_IT) or said.has(r"copyright|\btitle\b|personal data"):
        return
    if said.parties.who(said.text[: moved.start()]) == "ours":
        return
    barred = pattern_of(r"\b(?:not|neither|no party)\b").search(said.text, 0, moved.end()) is not None
    if said.has(r"merger|acquisition|substantially all|change of control|successor (?:to|in interest)"):
        yield Value(why="it allows a transfer to whoever takes over the business")
    elif said.has(r"affiliate|group compan|(?:its|the same) group|\bits holding company|subsidiar"):
        yield Value(word="affiliates")
    elif barred and said.has(_EXCEPT):
        yield Value(why="it has an exception")
    elif (barred and said.has(_CONSENT + r"|unless .{0,40}(?:consent|approv|agree)")) or said.has(
        r"\bonly (?:with|upon|after|on|if)\b[^.;]{0,60}(?:consent|approv|agree)"
    ):
        yield Value(word="consent")
    elif barred and not said.has(r"without|unless|except|save|other than|provided|but\b|only"):
        yield Value(word="consent")  # to nobody at all
    elif not barred and said.has(r"\bmay\b|free to|entitled"):
        yield Value(word="free")
    elif pattern_of(_OF_IT).search(said.text, moved.start(), moved.end() + 100) is not None:
        yield Value(why="who may assign cannot be read")


_DEALS: Final = r"exclusiv|services|goods|products|suppl|consultants|providers|vendors|contractors|requirements"


def _exclusivity(said: Sentence) -> Iterator[Value]:
    bound = said.has(
        r"only from|\b(?:solely|exclusively) (?:from|with)"
        r"|not\b[^.;]{0,50}\b(?:engage|buy|purchase|procure|obtain|source|appoint)\b"
        r"[^.;]{0,80}\b(?:others?|another|third part|anyone else|any other|compet)\w*|not use .{0,20}other"
        r"|from no other|from (?:nobody|no ?one|none) (?:but|else|other)|sole supplier"
        r"|\b(?:sole|exclusive) (?:and exclusive )?(?:provider|supplier|source"
        r"|agency|agent|contractor|vendor)"
        r"|\ball (?:of )?its requirements\b[^.;]{0,60}\bfrom\b|exclusively from"
    )
    free = said.has(
        r"\b(?:nothing|not|no)\b[^.;]{0,60}\b(?:oblige|require|bound|restrict|prevent|commit)\w*"
        r"|not be (?:obliged|bound|required)"
        r"|non-?exclusive (?:basis|relationship|arrangement|agreement)|(?:agreement|relationship|engagement"
        r"|appointment) is non-?exclusive"
        r"|\bmay\b[^.;]{0,30}\b(?:engage|use|appoint|retain|obtain|procure|buy|purchase)\b[^.;]{0,60}\b(?:other"
        r"|third part|elsewhere|similar)"
    )
    if free and (bound or said.has(r"exclusiv|similar|others?\b|third part")) and said.about(_DEALS):
        yield Value(word="none")
    elif bound and said.binds_us():
        yield Value(word="exclusive")


_PUBLIC: Final = (
    r"publicity|(?<!and )marketing|\blogos?\b|reference customer|in public|press release|publici[sz]e"
    r"|public (?:announcement|statement)|\bmarks\b|promotional|advertising|announcement|(?:customer"
    r"|client) lists?|portfolio"
)


def _publicity(said: Sentence) -> Iterator[Value]:
    if not said.about(_PUBLIC) or said.has(r"indemnif"):
        return
    granted = said.has(
        r"\b(?:may|is (?:permitted|entitled|allowed) to|agrees that|grants|right to)\b(?! not| only)[^.;]{0,60}"
        r"\b(?:use|identify|include|list|display|refer|name|show|publish|disclose|mention)\b"
    ) and not said.has(r"\b(?:neither|no party)\b[^.;]{0,40}\bmay\b")
    barred = said.has(r"\b(?:not|neither|no|nor|only|unless|never)\b")
    asked = said.has(_CONSENT + r"|unless .{0,60}(?:consent|approv|agree)|only (?:with|after|if)")
    if _without_asking(said):
        yield Value(word="free")
    elif (
        asked
        and granted
        and (not barred or said.has(r";|provided|\bbut\b"))
        and not said.has(r"only with|\bwith\b[^.;]{0,30}prior")
    ):
        yield Value(why="some of it is free, and some needs consent")
    elif asked:
        yield Value(word="consent")
    elif said.has(r"\bmay\b|permitted|entitled|allowed|agrees|grants"):
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
