"""Taking what was found out of a request, and putting it back into the reply."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec

from fairlead.errors import Broken, NotRedactable
from fairlead.models.message_text import is_text, text_of
from fairlead.models.types import ChatRequest, Function, Message, Part, TextPart
from fairlead.policy.detect import CONTENT, REASONING, REST, Detection, places, spelled_out
from fairlead.policy.names import Occurring
from fairlead.policy.pseudonyms import Pseudonyms
from fairlead.policy.substitutes import Redaction, Substitutes
from fairlead.policy.types import Finding, Findings

_ROUNDS = 4  # in which just what was found is taken out
# Values without anything between them can hide each other: each that goes uncovers the next, of maybe thousands. From
# then on what stands around a value goes with it: its words, its line, the whole text. In the arguments of a tool call
# that is never beyond the string that it stands in.
_AROUND = (re.compile(r"\S+"), re.compile(r"[^\n]+"), re.compile(r"(?s:.+)"))
_AROUND_IN_ARGUMENTS = (re.compile(r'[^\s"\\]+'), *[re.compile(r'[^"\\]+')] * 2)
_LONGEST = 64  # characters of a pseudonym
_JOINS = re.compile(r"[0-9A-Za-z]")
_GENITIVE = re.compile(r"s(?![0-9A-Za-z])")


def redact(
    detection: Detection,
    request: ChatRequest,
    findings: Findings,
    categories: frozenset[str],
    named: frozenset[str] = frozenset(),
    pseudonyms: Pseudonyms | None = None,
) -> tuple[ChatRequest, Redaction]:
    """The request without what was found of these categories, and how to undo it. The original stays as it is.

    Where there are `pseudonyms`, values of the categories `named` get one of them, all others a mark.

    What is left is looked at again until it holds nothing of the categories but placeholders. Raises NotRedactable
    where a finding stands where nothing can be replaced (a tool's definition, a name) or something cannot be looked
    into (an image, a document), Broken where it never ends.
    """
    if not all(map(is_text, request.messages)):
        raise NotRedactable(
            f"the request holds images, documents or sound, and {', '.join(sorted(categories))} must not leave",
            why="nothing can be found in them, and so nothing can be taken out of them",
            mend="send what they say as text, or ask for a model that may see it",
            step="attempt",
        )
    texts = [text for _, _, text in places(request)]
    if pseudonyms is not None and detection.names is not None:
        pseudonyms.identify = Occurring(detection.names, texts).identify
    names = Substitutes("\x00".join(texts), named, pseudonyms, quoted=_is_json(request))
    for number in range(_ROUNDS + len(_AROUND) + 1):
        mine = [each for each in _standing(request, findings, names) if each.category in categories]
        if not mine:
            return request, names.redaction
        if number == _ROUNDS + len(_AROUND):
            break
        if number >= _ROUNDS:
            mine = _widened(request, mine, number - _ROUNDS)
        request = _replaced(request, mine, names)
        findings = detection.request(request)
    raise Broken(
        "the request still held sensitive text after redaction",
        why="a detector finds something in what redaction leaves: " + ", ".join(sorted(categories)),
        mend="look for a pattern under `detectors:` that matches placeholders such as [EMAIL_1]",
        step="attempt",
    )


def _is_json(request: ChatRequest) -> bool:
    return request.response_format is not None and request.response_format.type != "text"


def _standing(request: ChatRequest, findings: Findings, names: Substitutes) -> list[Finding]:
    """The findings without those that are placeholders: a detector may take one for the value that it stands for."""
    if not names:
        return list(findings.found)
    texts = {(message, call): text for message, call, text in places(request)}
    found = [each for each in findings.found if texts[each.message, each.tool_call][each.start : each.end] not in names]
    return [_around(each, texts[each.message, each.tool_call], names) for each in found]


def _around(found: Finding, text: str, names: Substitutes) -> Finding:
    """The finding with all of the pseudonyms of which it has a part."""
    start, end = found.start, found.end
    for low, high in names.written_in(text, max(start - _LONGEST, 0), end + _LONGEST):
        if low < end and start < high:
            start, end = min(start, low), max(end, high)
    return found if (start, end) == (found.start, found.end) else msgspec.structs.replace(found, start=start, end=end)


def _widened(request: ChatRequest, found: list[Finding], step: int) -> list[Finding]:
    """The findings with what stands around them."""
    texts = {(message, call): text for message, call, text in places(request)}
    wider: list[Finding] = []
    for place, mine in groupby(found, key=lambda each: (each.message, each.tool_call)):
        around = (_AROUND if place[1] < 0 else _AROUND_IN_ARGUMENTS)[step]
        runs = [run.span() for run in around.finditer(texts[place])]
        begins = [low for low, _ in runs]
        for each in mine:
            first, last = bisect_right(begins, each.start) - 1, bisect_right(begins, each.end - 1) - 1
            start = runs[first][0] if first >= 0 and each.start < runs[first][1] else each.start
            end = max(runs[last][1], each.end) if last >= 0 else each.end
            wider.append(msgspec.structs.replace(each, start=start, end=end))
    return wider


def _replaced(request: ChatRequest, found: list[Finding], names: Substitutes) -> ChatRequest:
    by_message: dict[int, list[Finding]] = {}
    for each in found:
        by_message.setdefault(each.message, []).append(each)
    if REST in by_message:
        raise NotRedactable(
            f"{by_message[REST][0].category} was found outside the messages, where it cannot be taken out",
            why="it stands in a tool's definition, a name, a stop sequence or the format asked for",
            mend="remove it there, or ask for a model that may see it",
            step="attempt",
        )
    messages = list(request.messages)
    grown = 0
    for index, mine in by_message.items():
        messages[index] = _message(messages[index], mine, names)
        grown += len(msgspec.json.encode(messages[index])) - len(msgspec.json.encode(request.messages[index]))
    return msgspec.structs.replace(request, messages=messages, size=request.size + max(grown, 0))


def _message(message: Message, found: list[Finding], names: Substitutes) -> Message:
    content = [each for each in found if each.tool_call == CONTENT]
    changed = message
    if any(each.tool_call == REASONING for each in found):
        # What a vendor has signed cannot be changed, and no model needs it to go on.
        changed = msgspec.structs.replace(changed, reasoning_content=None, thoughts=None)
    if content:
        spans = _clusters(content)
        if isinstance(message.content, list):
            new: str | list[Part] = _parts(message.content, spans, names)
        else:
            new = _text(text_of(message), spans, names)
        changed = msgspec.structs.replace(changed, content=new)
    calls = list(message.tool_calls or ())
    by_call: dict[int, list[Finding]] = {}
    for each in found:
        if each.tool_call >= 0:
            by_call.setdefault(each.tool_call, []).append(each)
    for number, mine in by_call.items():
        call = calls[number]
        arguments = _arguments(call.function.arguments, _clusters(mine), names)
        calls[number] = msgspec.structs.replace(call, function=Function(call.function.name, arguments))
    return msgspec.structs.replace(changed, tool_calls=calls) if calls else changed


Cluster = tuple[int, int, str]


def _clusters(found: Iterable[Finding]) -> list[Cluster]:
    """Findings that overlap become one, of the category of the one that begins first."""
    clusters: list[Cluster] = []
    for each in sorted(found, key=lambda f: (f.start, -f.end, f.category)):
        if clusters and each.start < clusters[-1][1]:
            start, end, category = clusters[-1]
            clusters[-1] = (start, max(end, each.end), category)
        else:
            clusters.append((each.start, each.end, each.category))
    return clusters


def _text(text: str, clusters: list[Cluster], names: Substitutes) -> str:
    pieces, at = [], 0
    for number, (start, end, category) in enumerate(clusters):
        name = names.name(category, text[start:end], glued=_is_glued(text, clusters, number))
        pieces += [text[at:start], name]
        at = end
    return "".join(pieces) + text[at:]


def _is_glued(text: str, clusters: list[Cluster], number: int) -> bool:
    """Whether a letter or a digit would stand beside what stands for a value, but for the s of a genitive."""
    start, end, _ = clusters[number]
    if number + 1 < len(clusters) and clusters[number + 1][0] == end:
        return True
    return bool(
        (start and _JOINS.match(text, start - 1)) or (_JOINS.match(text, end) and not _GENITIVE.match(text, end))
    )


def _parts(parts: list[Part], clusters: list[Cluster], names: Substitutes) -> list[Part]:
    """As `_text`, part by part; a finding across parts is replaced in the first and cut from the others."""
    whole = "".join(part.text for part in parts if isinstance(part, TextPart))
    changed: list[Part] = []
    offset, first = 0, 0
    for part in parts:
        if not isinstance(part, TextPart):
            changed.append(part)
            continue
        begin, stop = offset, offset + len(part.text)
        while first < len(clusters) and clusters[first][1] <= begin:
            first += 1
        pieces, at = [], begin
        for number in range(first, len(clusters)):
            start, end, category = clusters[number]
            if start >= stop:
                break
            pieces.append(whole[at : max(start, at)])
            if start >= begin:
                pieces.append(names.name(category, whole[start:end], glued=_is_glued(whole, clusters, number)))
            at = min(end, stop)
        changed.append(msgspec.structs.replace(part, text="".join(pieces) + whole[at:stop]))
        offset = stop
    return changed


def _arguments(text: str, clusters: list[Cluster], names: Substitutes) -> str:
    """As `_text`, in JSON: what was a bare number becomes a string, so that the JSON stays valid."""
    pieces, at = [], 0
    for number, inside in enumerate(_in_strings(text, clusters)):
        start, end, category = clusters[number]
        name = names.name(category, spelled_out(text[start:end]), glued=_is_glued(text, clusters, number))
        pieces += [text[at:start], name if inside else f'"{name}"']
        at = end
    return "".join(pieces) + text[at:]


def _in_strings(text: str, clusters: list[Cluster]) -> Iterator[bool]:
    """For each cluster, whether it begins inside a JSON string. One pass over the text."""
    inside, index = False, 0
    for start, _, _ in clusters:
        while index < start:
            if text[index] == "\\":
                index += 1
            elif text[index] == '"':
                inside = not inside
            index += 1
        yield inside
