"""What speaks against a tool's result, a page or a reply, from what else is known. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.models.words import stems
from fairlead.workflows.forms import Form
from fairlead.workflows.nodes import Schema
from fairlead.workflows.tracing.dataflow import at_path
from fairlead.workflows.tracing.facts import Page
from fairlead.workflows.tracing.from_records import Met
from fairlead.workflows.tracing.matching import Atom, Path, atom_of, atoms, holds, numbers_in, shown_atom
from fairlead.workflows.tracing.unsound import by_itself, of_another
from fairlead.workflows.tracing.writings import days_of, is_day

_REFUSAL: Final = re.compile(
    r"\W*(i('m| am) (sorry|afraid|unable|not able)|sorry\b|i (can(no|')t|can ?not|won't|will not)|unfortunately,? i"
    r"|as an? (ai|(large )?language model|assistant)|(es )?tut mir leid|leider kann ich|(das|dabei|hier) kann ich"
    r"( \w+)? (leider )?nicht|ich kann \w+( \w+)? nicht|(je suis )?désolé|je ne peux pas|lo siento|no puedo|mi dispiace"
    r"|non posso|het spijt me|sinto muito|não posso)",
    re.IGNORECASE,
)
_IS: Final = re.compile(r"\b(is|are|was|were)\b|:")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_UNITS: Final = frozenset("km kg eur usd gbp lb mg cm mm percent pct net gross".split())  # noqa: SIM905
_UNIT_KEYS: Final = frozenset(
    "unit units uom scale measure currency basis per period interval frequency".split()  # noqa: SIM905
)
_YEAR: Final = re.compile(r"\b(?:19|20)\d\d\b")
_ALIKE: Final = 0.6  # of the words of two sentences that are about the same
_SHORT: Final = 400  # characters of a refusal
_SENTENCE: Final = re.compile(r"(?<=[.!?])\s+|\n+")
_SAME_OFTEN: Final = 2  # earlier results that agree are a history


class Against(Struct, frozen=True):
    """What speaks against something, and how much (from 0 to 1). `whole`: against all of it, not one value. `rival` is
    the place of another call that says so, of another tool."""

    weight: float
    why: str
    whole: bool = False
    rival: str = ""


def against_result(call: Met, path: Path, schema: Schema | None, earlier: Sequence[Any]) -> Against | None:
    """What speaks against a value of a tool's result by itself: its schema, what was asked for, and what the same call
    gave before."""
    value = call.result.value if call.result is not None else None
    if schema:
        wrong = Form(schema).taken(value)[1]
        if wrong:
            return Against(1.0, f"it does not fit the tool's own schema: {wrong}")
    for key, wanted in call.given.items() if isinstance(call.given, Mapping) else ():
        told = value.get(key) if isinstance(value, Mapping) else None
        asked, found = atom_of(wanted), atom_of(told)
        if asked is not None and found is not None and asked != found:
            return Against(0.95, f"it was asked for {key} {wanted!r}, and tells of {told!r}", whole=True)
    if wrong := of_another(call.given, value):
        return Against(0.85, wrong, whole=True)
    if (said := by_itself(value)) is not None:
        return Against(*said, whole=True)
    return _against_history(at_path(value, path), [at_path(each, path) for each in earlier]) or _against_siblings(
        value, path, earlier
    )


def _against_siblings(value: Any, path: Path, earlier: Sequence[Any]) -> Against | None:
    """What stands beside a value in words, such as its unit, where that was always the same before and is another."""
    around = at_path(value, path[:-1]) if path else None
    for key, each in around.items() if isinstance(around, Mapping) else ():
        before = [at_path(one, (*path[:-1], str(key))) for one in earlier]
        if isinstance(each, str) and len(before) >= _SAME_OFTEN and (found := _against_history(each, before)):
            return replace(found, why=f"{key} is {each!r}: {found.why}", whole=True)
    return None


def _against_history(value: Any, earlier: Sequence[Any]) -> Against | None:
    """Where it was always the same before, and is another now. What changes often says nothing."""
    atom, before = atom_of(value), [atom_of(each) for each in earlier]
    known = {each for each in before if each is not None}
    if atom is None or len(known) != 1 or atom in known:
        return None
    if len(before) < _SAME_OFTEN:
        return Against(0.7, f"the same call gave {earlier[-1]!r} before")
    return Against(0.85, f"the same call gave {earlier[-1]!r} in {len(before)} runs before")


def against_unlike(call: Met, path: Path, others: Iterable[Met]) -> Against | None:
    """The unit beside a value, where the same tool told of another one for all else that it was asked for."""
    value = call.result.value if call.result is not None else None
    told = [each.result.value for each in others if each is not call and each.name == call.name and each.result]
    around = at_path(value, path[:-1]) if path and isinstance(path[-1], str) else None
    for key, each in around.items() if isinstance(around, Mapping) else ():
        alike = [at_path(one, (*path[:-1], str(key))) for one in told]
        is_unit = str(key).casefold() in _UNIT_KEYS and isinstance(each, str)
        if is_unit and len(alike) >= _SAME_OFTEN and len(set(map(str, alike))) == 1 and each != alike[0]:
            return Against(0.7, f"its {key} is {each!r}, and {alike[0]!r} of all others", whole=True)
    return None


def against_nothing(value: Any) -> Against | None:
    """Nothing, where something was wanted."""
    return Against(0.6, "there is nothing there") if value in (None, "", {}) else None


def against_others(call: Met, path: Path, others: Iterable[Met]) -> Against | None:
    """Another call of the run that tells otherwise of the same: what both name of it, and the key of the value."""
    value = call.result.value if call.result is not None else None
    key, atom = path[-1] if path else "", atom_of(at_path(value, path))
    named = _names(call)
    for other in others:
        in_row = any(isinstance(each, int) for each in path)  # of one of several things, and not of the whole
        if other is call or other.result is None or not isinstance(key, str) or atom is None or in_row:
            continue
        told = _under(key, atom, other.result.value)
        if told is None:
            told = _under(call.name.rpartition(".")[2], atom, other.result.value)
        if told is not None and not _much_the_same(told, atom) and named & _names(other):
            rival = other.at.text if other.name != call.name else ""
            return Against(0.75, f"{other.name} tells of {key} {shown_atom(told)} for the same", rival=rival)
    return None


def _much_the_same(one: Atom, other: Atom) -> bool:
    """Whether two values are one, or one is the other in more words."""
    words = isinstance(one, str) and isinstance(other, str)
    return one == other or (words and (holds(one, other) is not None or holds(other, one) is not None))


def against_pages(call: Met, path: Path, pages: Iterable[Page]) -> Against | None:
    """A sentence of a page that is about the same, and names other figures."""
    value = call.result.value if call.result is not None else None
    key, atom = path[-1] if path else "", atom_of(at_path(value, path))
    words = _words(str(key))
    if not words or atom is None:
        return None
    for page in pages:
        for sentence in _SENTENCE.split(page.text):
            named = any(holds(sentence, name) is not None for name in _names(call))
            if named and words <= frozenset(stems(sentence)) and _says_otherwise(sentence, atom, _names(call)):
                return Against(0.75, f"{page.citation} says: {sentence.strip()[:160]}")
    return None


def _says_otherwise(sentence: str, atom: Atom, names: frozenset[Atom]) -> bool:
    """Whether a sentence has another value of the same kind: a number, a date, or who or what it says that is."""
    if holds(sentence, atom) is not None:
        return False
    if isinstance(atom, Decimal):
        return any(each not in names for each in numbers_in(sentence))
    if is_day(atom):
        return bool(days_of(sentence))
    return _IS.search(sentence) is not None


def _words(key: str) -> frozenset[str]:
    """The words of a key that say what it is, units left aside."""
    return frozenset(stems(_HUMP.sub(" ", key).replace("_", " "))) - _UNITS


def _under(key: str, atom: Atom, value: Any) -> Atom | None:
    """What a result has under a key, or under the one key that says the same in other words, of the same kind."""
    if not isinstance(value, Mapping):
        return None
    if key in value:
        return atom_of(value[key])
    words = _words(key)
    alike = [found for name, each in value.items() if (found := atom_of(each)) is not None
             and isinstance(found, str) == isinstance(atom, str)
             and (mine := _words(str(name))) and words and (mine <= words or words <= mine)]  # fmt: skip
    return alike[0] if len(alike) == 1 else None


def against_page(page: Page, atom: Atom) -> Against | None:
    """A page that the value was taken from, and that does not say it any more."""
    if page.newer == "":
        return Against(0.9, "the page was withdrawn since")
    if page.newer is not None and holds(page.newer, atom) is None:
        return Against(0.95, "the page says something else by now")
    if page.expired and page.newer is None:
        return Against(0.8, f"the page was good until {page.expired}, and was read after that")
    return None


def against_sibling(page: Page, atom: Atom, others: Iterable[Page]) -> Against | None:
    """A page of a later day or year beside it that says the same of the same, but for its figures."""
    mine = [each for each in _SENTENCE.split(page.text) if holds(each, atom) is not None]
    for other in others:
        if other.citation == page.citation or not _dated(page) < _dated(other):
            continue
        for one in mine:
            about = frozenset(stems(one)) - _figures(one)
            for each in _SENTENCE.split(other.text):
                words = frozenset(stems(each)) - _figures(each)
                if holds(each, atom) is None and about and len(about & words) >= _ALIKE * len(about | words):
                    return Against(0.8, f"{other.citation} is later, and says: {each.strip()[:160]}")
    return None


def _dated(page: Page) -> tuple[str, ...]:
    """The latest day, or else year, that a page names in its text or in its own name."""
    named = f"{page.citation.partition('@')[0]} {page.text}"
    years = _YEAR.findall(named)
    return (max([*days_of(page.text), *years], default=""),) if years or days_of(page.text) else ()


def _figures(sentence: str) -> frozenset[str]:
    return frozenset(each for each in stems(sentence) if any(one.isdigit() for one in each))


def nearest_pages(pages: Iterable[Page], atom: Atom, about: str) -> list[Page]:
    """Those that have a value in the sentence with most of the words that were asked and answered: a number may stand
    in several pages, and is of one."""
    words = frozenset(stems(about))
    found = [
        (max(len(words & frozenset(stems(each))) for each in sentences), page)
        for page in pages
        if (sentences := [each for each in _SENTENCE.split(page.text) if holds(each, atom) is not None])
    ]
    most = max((overlap for overlap, _ in found), default=0)
    return [page for overlap, page in found if overlap == most]


def against_reply(text: str, *, cut_off: bool = False) -> Against | None:
    """A reply that is none, or not all of one."""
    if cut_off:
        return Against(0.85, "the reply was cut off: the model had come to its most tokens")
    if not text.strip():
        return Against(0.9, "the reply is empty")
    if len(text) <= _SHORT and _REFUSAL.match(text):
        return Against(0.9, f"the model refused: {text.strip()[:120]}")
    return None


def _names(call: Met) -> frozenset[Atom]:
    """What a call says of what it is about: texts and numbers that name something."""
    found = [each for _, each in atoms(call.given)] if isinstance(call.given, Mapping) else []
    return frozenset(found)
