"""What of a result may leave: every text in it is looked at, wherever it stands, and files only leave in the sizes and
types that the system is declared to give."""

import binascii
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from msgspec.structs import replace

from fairlead.costs.ledger import Action
from fairlead.errors import FairleadError, Withheld
from fairlead.execution.deployment import Deployment
from fairlead.execution.prepare import looked_at
from fairlead.execution.tool_asking import ToolDecided
from fairlead.labels import UNSCREENED, Labels
from fairlead.policy.types import Finding, Findings, Reason
from fairlead.tools.settings import SystemSettings
from fairlead.tools.types import Blob, Credential, Link, Piece, Resource, Text, ToolResult

_SHORTEST_SECRET: Final = 8  # what is shorter stands in innocent texts
_TEXTS: Final = ("text/*", "*/json", "*/xml", "*+json", "*+xml")


async def released(
    deployment: Deployment, action: Action, decided: ToolDecided, result: ToolResult
) -> tuple[ToolResult, Labels]:
    """The result as its caller may have it, and its labels. Raises `Withheld`, `Broken`."""
    policy, asked = deployment.policy, decided.asked
    taken = tuple(_fit(each, decided.system.settings) for each in result.pieces)
    if taken != result.pieces:
        action.flags.append("left_out")
        result = replace(result, pieces=taken)
    inside = {each: text for each in result.pieces if (text := _inside(each))}
    found = await looked_at(policy, [*_texts(result), *inside.values()])
    rule = deployment.declassify.get(asked.tool.name)
    lowered = rule if action.declassified is not None else None
    labels = Labels(decided.system.data_class if lowered is None else lowered.to)
    for findings in found.values():
        labels = labels.joined(findings.labels)
    for each in result.origins:
        labels = labels.joined(each.labels)
    if any(_data(each) and each not in inside for each in result.pieces):
        labels = Labels(labels.data_class, labels.categories | {UNSCREENED})
    decision = policy.release_result(
        action.caller,
        asked.tool,
        labels.categories,
        asked=asked.labels.categories,
        task=asked.task,
        door=asked.door,
    )
    action.hits.update(decision.hits)
    if not decision.allowed:
        raise _withheld(asked.tool.name, decision.reasons)
    if decision.redact:
        action.flags.append("redacted")
        result = _redacted(result, inside, found, decision.redact)
        labels = labels.without(decision.redact)
    return result, labels


def _withheld(tool: str, reasons: Sequence[Reason]) -> Withheld:
    return Withheld(
        f"the result of {tool} may not leave",
        why="; ".join(each.text for each in reasons),
        mend="ask for less of it, or for the right to see it",
        subject=tool,
        policies=tuple(each.policy for each in reasons),
    )


def _redacted(
    result: ToolResult, inside: Mapping[Piece, str], found: Mapping[str, Findings], categories: frozenset[str]
) -> ToolResult:
    """The result without what is of these categories. A file cannot be blacked out in part: where something in it must
    go, it goes."""

    def clean(piece: Piece) -> Piece:
        forbidden = (
            UNSCREENED in categories
            if piece not in inside
            else bool(found[inside[piece]].labels.categories & categories)
        )
        return _left_out(piece, "it may not leave") if _data(piece) and forbidden else piece

    result = replace(result, pieces=tuple(map(clean, result.pieces)))
    texts = {text: findings.found for text, findings in found.items()}
    return each_text(result, lambda text: _blacked_out(text, texts.get(text, ()), categories))


def without_secret(error: FairleadError, secret: str) -> None:
    """Take the credential that the call was made with out of an error."""
    if len(secret) >= _SHORTEST_SECRET and secret in f"{error.message}{error.why}{error.mend}":
        error.message, error.why, error.mend = (
            each.replace(secret, "[CREDENTIAL]") for each in (error.message, error.why, error.mend)
        )
        error.args = (error.message,)


def without_credential(action: Action, credential: Credential, result: ToolResult) -> ToolResult:
    """The result without the credential that the call was made with: some systems repeat what they were sent."""
    secret = credential.secret
    if len(secret) < _SHORTEST_SECRET:
        return result
    clean = each_text(result, lambda text: text.replace(secret, "[CREDENTIAL]"))
    asked = clean.questions
    if asked is not None and asked.state is not None:
        clean = replace(clean, questions=replace(asked, state=asked.state.replace(secret, "[CREDENTIAL]")))
    if clean != result:
        action.flags.append("redacted")
    return clean


def _data(piece: Piece) -> str:
    """Its bytes in base64, "" where it brings none."""
    return piece.data if isinstance(piece, Blob | Resource) else ""


def _fit(piece: Piece, settings: SystemSettings) -> Piece:
    """The piece, or a word in place of a file that is too large or of a type that is not taken."""
    if not isinstance(piece, Blob | Resource) or not piece.data:
        return piece
    mime = piece.mime.partition(";")[0].strip().lower()
    if not any(fnmatchcase(mime, pattern) for pattern in settings.files):
        return _left_out(piece, f"files of the type {mime[:80] or 'unknown'} are not taken from this system")
    size = len(piece.data) * 3 // 4
    if size > settings.most_file:
        return _left_out(piece, f"it has {size} bytes, and {settings.most_file} are the most")
    return piece


def _left_out(piece: Piece, why: str) -> Piece:
    said = f"[a file was left out: {why}]"
    return Resource(piece.uri, "text/plain", text=said) if isinstance(piece, Resource) else Text(said)


def _inside(piece: Piece) -> str:
    """The text of a file that is one, "" for all else."""
    data = _data(piece)
    if not data or not any(fnmatchcase(piece.mime.partition(";")[0].lower(), each) for each in _TEXTS):  # type: ignore[union-attr]
        return ""
    try:
        return binascii.a2b_base64(data).decode()
    except ValueError:
        return ""


def _texts(result: ToolResult) -> list[str]:
    found: dict[str, None] = {}

    def noted(text: str) -> str:
        found[text] = None
        return text

    each_text(result, noted)
    return list(found)


def each_text(result: ToolResult, change: Callable[[str], str]) -> ToolResult:
    """The result with every text in it changed: pieces, the addresses and names in them, and strings and names wherever
    they stand in the data."""
    pieces = tuple(_changed(each, change) for each in result.pieces)
    asked = result.questions
    if asked is not None:  # what it wants to hear again is not for reading
        asked = replace(asked, asked=walked(asked.asked, change))
    return replace(result, pieces=pieces, structured=walked(result.structured, change), questions=asked)


def _changed(piece: Piece, change: Callable[[str], str]) -> Piece:
    match piece:
        case Text(text):
            return Text(change(text))
        case Blob(mime, data):
            return Blob(change(mime), data)
        case Link(uri, name, mime):
            return Link(change(uri), change(name), change(mime))
        case Resource(uri, mime, text, data):
            return Resource(change(uri), change(mime), None if text is None else change(text), data)


def walked(value: Any, change: Callable[[str], str]) -> Any:
    """Data with every string and every name in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {change(name): walked(each, change) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [walked(each, change) for each in value]
    return value


def _blacked_out(text: str, found: tuple[Finding, ...], categories: frozenset[str]) -> str:
    out, at = [], 0
    for each in sorted(found, key=lambda one: (one.start, -one.end)):
        if each.category in categories and each.end > at:
            out += [text[at : max(at, each.start)], f"[{each.category.upper()}]"]
            at = each.end
    return "".join(out) + text[at:]
