"""Whether what was read of a measure is all that the contract says of it: what is in doubt is told beside it.

An exception may stand in the sentence that was read, in another of its clause, in a clause that it is subject to, and
in one that changes it from afar: a schedule, an amendment, special terms.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.agreements.clauses import LONGEST_SENTENCE, Clause, is_special, unbroken
from fairlead.agreements.exceptions import ON_US, exceptions, is_free, shortfall, takes_away
from fairlead.agreements.quantities import digits
from fairlead.agreements.readers import Said
from fairlead.agreements.reading import pattern_of
from fairlead.agreements.references import Placed, above, levels, named, placed, referred, without

_SUBJECT: Final[Mapping[str, str]] = {
    "payment_days": r"invoice|payable|\bpaid\b|payment|\bdue\b|\bpays?\b",
    "late_interest": r"interest|overdue|\blate\b",
    "liability_cap": r"liab|\blimit|\bcap\b",
    "insurance": r"insur|\bcover\b",
    "warranty": r"warrant|guarantee",
    "availability": r"availab|uptime|service level",
    "price_increase": r"\bpric|charges|\bfees|\brates\b",
    "governing_law": r"governed by|govern\w*\b[^.;]{0,30}\blaw|\blaws? of",
    "confidentiality": r"confiden|secre",
    "breach_notice": r"\bbreach|incident",
    "subprocessors": r"sub-?process",
    "ip_owner": r"\brights|\btitle|\bown|deliverable|property|licen[cs]e",
    "indemnity": r"indemnit|indemnif|harmless",
    "assignment": r"\bassign|transfer|novat|change of control|\bstep",
    "publicity": r"\bnames?\b|\blogo|publi|announce|reference|\bclient\b",
    "initial_term": r"\bterm\b|period|duration",
    "renewal_term": r"renew|extend|prolong",
    "renewal_notice": r"renew|extend|prolong",
    "convenience_notice": r"terminat|cancel|\bend(?:s|ed|ing)?\b|that (?:case|event)",
    "audit_notice": r"\baudit|inspect|\brecords",
    "non_solicit": r"solicit|employ|recruit|hire",
    "exclusivity": r"exclusiv",
}
"""By measure: what a sentence speaks of that is about the same thing."""
_WORDED: Final = frozenset(
    {"subprocessors", "ip_owner", "indemnity", "assignment", "publicity", "exclusivity", "governing_law"}
)
_TURNS: Final = (
    r"(?:does|do|shall|is|are|will) not (?:require|apply|include|count|constitute|an?\b|be (?:deemed|a)\b)"
    r"|\bdeemed\b|\bneed not\b|\bhowever\b|\breduced\b|\binstead\b|\bno consent\b|\bonly to\b|\bexhaust"
)
_MAY: Final = r"\bmay\b(?! not)|\bentitled\b"
_ENDING: Final = (
    r"break (?:fee|charge|cost)|(?:early|exit|cancellation|termination) (?:\w+ )?(?:fee|charge|payment)"
    r"|remain(?:ing|der)\b|\b(?:cannot|may not) be (?:terminat|cancel|ended)"
)
_CHANGES: Final = (
    r"(?:does|do|shall|will|is|are) not (?:apply|a\b|be bound)|prevail|take precedence|instead of|in place of|in lieu"
    r"|\bdespite\b|notwithstanding|supersed|overrid|derogat|\bappl(?:y|ies) (?:to \w+ )?(?:only|solely)\b"
    r"|(?:only|solely) appl(?:y|ies)|\b(?:is|are|be) (?:hereby )?(?:replac|vari|amend|extend|reduc|increas|delet)ed"
)
_STOPPED: Final = r"unless|cancel|notice|object|\bstop|terminat|says no|\bif (?:nobody|neither|no )"


class _Changing(Struct, frozen=True):
    """A sentence that changes what other clauses say, and the clause where it stands."""

    one: Placed
    start: int
    text: str


class _Contract:
    """What was read of a contract, its clauses, and the sentences that reach from one to another."""

    def __init__(self, told: Sequence[Said], clauses: Iterable[Clause]) -> None:
        self._where = {each.clause.place: each for each in placed(clauses)}
        self._paths = {level for each in self._where.values() for level in levels(each.path)}
        self._texts: dict[str, tuple[tuple[str, ...], ...]] = {}
        self._read = {(each.measure, each.start) for each in told}
        self._quotes = {unbroken(each.quote) for each in told}
        self._measures: dict[str, set[str]] = {}
        for each in told:
            self._measures.setdefault(each.place, set()).add(each.measure)
        self._changing: dict[str, list[_Changing]] = {}
        self._special: list[_Changing] = []
        for one in self._where.values():
            for start, text in one.sentences:
                self._note(_Changing(one, start, text))

    def _note(self, each: _Changing) -> None:
        if is_special(each.one.clause):
            self._special.append(each)
        numbers = referred(each.text)
        if numbers and (pattern_of(_CHANGES).search(each.text) or named(each.text)):
            for number in numbers:
                self._changing.setdefault(number, []).append(each)

    def why(self, each: Said) -> str:
        """Why what was read may not be all; "" where nothing speaks for that."""
        text = unbroken(each.quote)
        return (
            shortfall(each.measure, each.word, text)
            or self._beside(each)
            or self._above(each, text)
            or self._elsewhere(each)
        )

    def _beside(self, each: Said) -> str:
        """A sentence next to it, about the same thing, that turns what it says."""
        turns = _ENDING if each.measure == "convenience_notice" else _TURNS
        turns = f"{_TURNS}|{_MAY}" if each.measure in _WORDED else turns
        for text in self._near(each):
            if text not in self._quotes and takes_away(each.measure, each.word, text):
                return f"another sentence of its clause may take some of it back: {_short(text)}"
            if (
                each.measure not in ON_US
                and _is_about(each.measure, text)
                and pattern_of(turns).search(text)
                and not is_free(each.measure, each.word, text)
            ):
                return f"another sentence of its clause may take some of it back: {_short(text)}"
        return ""

    def _near(self, each: Said) -> Iterator[str]:
        """The sentence before what was read, and the three after it, where no rule read the same of them."""
        every = self._where[each.place].sentences
        at = next((index for index, (start, _) in enumerate(every) if start == each.start), 0)
        return (text for start, text in every[max(0, at - 1) : at + 4] if (each.measure, start) not in self._read)

    def _above(self, each: Said, text: str) -> str:
        """A clause that it is subject to, and that may take something from us, or is not there."""
        for number in above(text):
            found = next((level for level in levels(number) if level in self._paths), None)
            if found is None:
                return f"it is subject to clause {number}, which was not found"
            if not all(_takes_nothing(each, words) for words in self._of(found)):
                return f"it is subject to clause {number}"
        return ""

    def _of(self, number: str) -> tuple[tuple[str, ...], ...]:
        """The sentences of each clause under a number."""
        if number not in self._texts:
            every = (one for one in self._where.values() if one.under(number))
            self._texts[number] = tuple(tuple(text for _, text in one.sentences) for one in every)
        return self._texts[number]

    def _elsewhere(self, each: Said) -> str:
        """A sentence that names its clause and changes what that says, or one of special terms."""
        alone = self._measures[each.place] == {each.measure}
        for level in levels(self._where[each.place].path):
            for one in self._changing.get(level, ()):
                if (
                    (each.measure, one.start) not in self._read
                    and (alone or _is_about(each.measure, one.text))
                    and not is_free(each.measure, each.word, without(one.text))
                ):
                    return f"it is changed by {one.one.clause.place}: {_short(one.text)}"
        for one in () if is_special(self._where[each.place].clause) else self._special:
            if (each.measure, one.start) not in self._read and _is_about(each.measure, one.text):
                return f"special terms speak of it, in {one.one.clause.place}: {_short(one.text)}"
        return ""


def doubted(said: Iterable[Said], clauses: Iterable[Clause]) -> list[Said]:
    """What was read, and after each that may not be all a second one that says why."""
    told = list(said)
    contract = _Contract(told, clauses)
    found: list[Said] = []
    for each in told:
        found.append(each)
        why = "" if each.why and each.money is None else contract.why(each)
        if why:
            found.append(replace(each, number=None, word="", why=why, money=None))
    return [*found, *_unstopped(told)]


def _unstopped(told: Sequence[Said]) -> Iterator[Said]:
    """A renewal that can be stopped, where nobody read until when."""
    if any(each.measure == "renewal_notice" for each in told):
        return
    for each in told:
        if each.measure == "renewal_term" and each.number and pattern_of(_STOPPED).search(each.quote):
            why = "until when the renewal can be stopped was not read"
            yield replace(each, measure="renewal_notice", number=None, word="", why=why)


def _takes_nothing(each: Said, clause: Sequence[str]) -> bool:
    """Whether a clause takes nothing of what was read: as a whole, and no sentence of it by itself."""
    whole = " ".join(clause)
    return (
        len(whole) <= LONGEST_SENTENCE
        and is_free(each.measure, each.word, whole)
        and all(is_free(each.measure, each.word, one) or _is_beside(each, one) for one in clause)
    )


def _is_beside(each: Said, text: str) -> bool:
    """Whether a sentence speaks of something else, and names no figure and no exception."""
    return not (
        _is_about(each.measure, text)
        or takes_away(each.measure, each.word, text)
        or pattern_of(rf"\d|{_TURNS}").search(digits(text))
        or next(exceptions(each.measure, each.word, text), "")
    )


def _is_about(measure: str, text: str) -> bool:
    return pattern_of(_SUBJECT[measure]).search(text) is not None


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:97].rstrip()}..."
