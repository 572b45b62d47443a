"""Second agent: what a contract says, held against the organisation's own pages. Everything it finds cites both."""

import re
from collections.abc import Iterator
from typing import Any

from fairlead.agreements import LANGUAGES, Position, position, standing_of
from fairlead.tools import ToolError

_ORDER = ("none", "minor", "major", "critical")
_LEVELS = {"fallback": "minor", "limit": "major", "beyond": "critical"}

Rows = list[dict[str, str]]


def compared(
    found: dict[str, Any],
    said: list[dict[str, Any]],
    text: str,
    pages: list[dict[str, Any]],
    annual_value: float | None = None,
) -> dict[str, Any]:
    """Deviations, what nobody could read, and who has to decide.

    `annual_value` is what our own people say; what the contract says of its own value serves to reckon caps, and lowers
    nobody's attention."""
    terms, severities = _terms(pages), {row["finding"]: row["severity"] for row in _rows(pages, "finding")}
    value = annual_value or found["value"]
    deviations = [
        *_deviating(said, terms, value, severities),
        *_missing(said, pages, terms, found["type"], found["language"]),
    ]
    history = _rows(pages, "conceded")
    for each in deviations:
        each["history"] = _history(each["measure"], history, text)
    attention = [*_attention(found, severities)]
    severity = max((each["severity"] for each in (*deviations, *attention)), key=_ORDER.index, default="none")
    owner_up_to, appetite = _appetite(_rows(pages, "owner signs up to"), annual_value)
    above = _ORDER.index(severity) > _ORDER.index(owner_up_to)
    return {
        "language": found["language"],
        "type": found["type"],
        "annual_value": annual_value,
        "value_in_contract": found["value"],
        "deviations": sorted(deviations, key=lambda each: (-_ORDER.index(each["severity"]), each["measure"])),
        "attention": attention,
        "severity": severity,
        "decision": "counsel" if above else ("sign" if severity == "none" else "owner"),
        "appetite": appetite,
        "preferred": _preferred(said, terms, {each["measure"] for each in deviations}),
    }


def _deviating(
    said: list[dict[str, Any]], terms: dict[str, dict[str, Any]], value: float | None, severities: dict[str, str]
) -> Iterator[dict[str, Any]]:
    by_measure: dict[str, list[dict[str, Any]]] = {}
    for each in said:
        by_measure.setdefault(each["measure"], []).append(each)
    for measure, every in by_measure.items():
        term = terms.get(measure)
        if term is None:
            continue
        read = [_in_unit(each, value) for each in every]
        unread = [each for each in read if each["number"] is None and not each["word"]]
        known = [each for each in read if each not in unread]
        if len({(each["number"], each["word"].casefold()) for each in known}) > 1:
            yield {**_deviation(measure, known[0], term, "contradiction", severities), "why": _apart(measure),
                   "beside": [{"quote": each["quote"], "place": each["place"]} for each in known[1:]]}  # fmt: skip
        elif known:
            standing = standing_of(
                known[0]["number"], known[0]["word"], term["preferred"], term["fallback"], term["limit"]
            )
            if unread and standing != "beyond":  # another clause may say something worse
                yield {**_deviation(measure, unread[0], term, "unread", severities), "why": unread[0]["why"],
                       "beside": [{"quote": each["quote"], "place": each["place"]} for each in known]}  # fmt: skip
            elif standing != "preferred":
                yield _deviation(measure, known[0], term, standing, severities)
        elif unread:
            yield {**_deviation(measure, unread[0], term, "unread", severities), "why": unread[0]["why"]}


def _apart(measure: str) -> str:
    if measure == "indemnity":
        return "each side indemnifies the other in a sentence of its own: compare what for"
    return "which of them counts, or when each of them does, the rules cannot tell"


def _preferred(
    said: list[dict[str, Any]], terms: dict[str, dict[str, Any]], deviating: set[str]
) -> list[dict[str, Any]]:
    """What is as preferred, with both citations: the first place of each."""
    found: dict[str, dict[str, Any]] = {}
    for each in said:
        if each["measure"] not in deviating and each["measure"] in terms:
            term = terms[each["measure"]]
            both = {"quote": each["quote"], "place": each["place"], "cite": term["cite"], "row": term["row"]}
            found.setdefault(each["measure"], {"measure": each["measure"], **both})
    return list(found.values())


def _in_unit(each: dict[str, Any], value: float | None) -> dict[str, Any]:
    """A cap that is a plain sum of money as a share of a year's fees, where these are known."""
    if each["measure"] != "liability_cap" or each.get("money") is None:
        return each
    if not value:
        return {**each, "why": f"{each['why']} (annual_value)"}
    return {**each, "number": round(100 * each["money"] / value, 1), "why": ""}


def _deviation(
    measure: str, said: dict[str, Any], term: dict[str, Any], standing: str, severities: dict[str, str]
) -> dict[str, Any]:
    severity = severities.get(standing, "major")
    found = {
        "measure": measure,
        "standing": standing,
        "severity": severity,
        "code": f"{measure}:{_LEVELS.get(standing, standing)}",
    }
    stands = {
        "number": said["number"],
        "word": said["word"],
        "quote": said["quote"],
        "place": said["place"],
        "read_by": said.get("by", "rules"),
    }
    ours = {"preferred": term["preferred"].text, "cite": term["cite"], "row": term["row"]}
    return {**found, **stands, **ours, "suggestion": _suggestion(standing, term), "why": "", "beside": []}


def _suggestion(standing: str, term: dict[str, Any]) -> str:
    """What the page itself offers, and nothing else."""
    ask, fallback, by = f"Ask for: {term['preferred'].text}.", term["fallback"], term["by"]
    if standing == "fallback":
        return f"Acceptable as it is where {by} agrees. Ask first: {term['preferred'].text}."
    return f"{ask} Acceptable instead, where {by} agrees: {fallback.text}." if fallback is not None else ask


def _missing(
    said: list[dict[str, Any]], pages: list[dict[str, Any]], terms: dict[str, dict[str, Any]], type: str, language: str
) -> Iterator[dict[str, Any]]:
    if language != "en":
        return
    there = {each["measure"] for each in said}
    for row in _rows(pages, "in"):
        of = [each.strip() for each in row["in"].split(";")]
        measure = row["measure"]
        if measure in there or not ({"all", type} & set(of)):
            continue
        term = terms.get(measure)
        yield {
            "measure": measure, "standing": "missing", "severity": row["severity"], "code": f"{measure}:missing",
            "number": None, "word": "", "quote": "", "place": "", "read_by": "rules", "beside": [], "why": "",
            "preferred": term["preferred"].text if term else "", "cite": row["cite"], "row": row["row"],
            "suggestion": _suggestion("missing", term) if term else "",
        }  # fmt: skip


def _attention(found: dict[str, Any], severities: dict[str, str]) -> Iterator[dict[str, Any]]:
    """What a person must look at, because no rule can."""
    if found["language"] != "en":
        name = LANGUAGES.get(found["language"])
        what = f"is not in English but, it seems, in {name}" if name else "is in a language that cannot be told"
        text = f"this contract {what}: the rules read English only, nothing was compared, a person has to read it"
        yield {"kind": "language", "severity": "critical", "place": "", "text": text}
    for each in found["foreign"]:
        yield {"kind": "language", "severity": severities.get("unread", "major"), **each}
    for each in found["instructions"]:
        yield {"kind": "instruction", "severity": severities.get("instruction", "critical"), **each}
    for each in found["unread"]:
        yield {"kind": "unusual", "severity": severities.get("unusual", "minor"), **each}


def _appetite(rows: Rows, value: float | None) -> tuple[str, dict[str, str]]:
    """Up to which severity the owner signs. Without a value of our own only the row that takes any counts."""
    for row in rows:
        band = position(row["annual value"])
        if band is not None and (band.any or (value is not None and band.takes(value, ""))):
            return row["owner signs up to"], {"cite": row["cite"], "row": row["row"]}
    raise ToolError("the risk appetite has no line for this value: give its table a last line with `any`")


def _history(measure: str, rows: Rows, text: str) -> list[dict[str, Any]]:
    """What was conceded of this before: to this counterparty first, then the latest to others."""
    head = text[:3000].casefold()
    mine = sorted((row for row in rows if row["measure"] == measure), key=lambda row: row["date"], reverse=True)
    ranked = sorted(mine, key=lambda row: row["counterparty"].casefold() not in head)
    return [dict(row) for row in ranked[:2]]


def _terms(pages: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {}
    for row in _rows(pages, "preferred"):
        cells: dict[str, Position | None] = {}
        for name in ("preferred", "fallback", "limit"):
            try:
                cells[name] = position(row.get(name, ""))
            except ValueError as error:
                raise ToolError(f"{row['cite']}: {row['measure']}, {name}: {error}") from None
        if cells["preferred"] is None:
            raise ToolError(f"{row['cite']}: {row['measure']} has no preferred position")
        found[row["measure"]] = {
            **cells,
            "by": row.get("agreed by") or "counsel",
            "cite": row["cite"],
            "row": row["row"],
        }
    if not found:
        raise ToolError("no page has a table with the columns `measure` and `preferred`")
    return found


def _rows(pages: list[dict[str, Any]], column: str) -> Rows:
    """The rows of all tables that have this column, each with where it stands: `cite` of its section, and its own words
    as `row`."""
    found: Rows = []
    for page in pages:
        for section in page["sections"] if page["trusted"] else ():
            head: list[str] = []
            for line in section["text"].split("\n"):
                cells = (
                    [each.strip() for each in line.strip().strip("|").split("|")]
                    if line.strip().startswith("|")
                    else []
                )
                if not cells:
                    head = []
                elif not head:
                    head = [each.lower() for each in cells]
                elif column in head and not re.fullmatch(r"[\s|:-]+", line) and len(cells) == len(head):
                    found.append({**dict(zip(head, cells, strict=True)), "cite": section["cite"], "row": line.strip()})
    return found
