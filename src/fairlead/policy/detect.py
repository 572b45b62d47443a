"""Finding what is sensitive in a request: one scan for all detectors, and a closer look only where it hit."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence

import msgspec

from fairlead.labels import DataClass, Labels
from fairlead.models.types import ChatRequest, text_of
from fairlead.policy.detectors import Detector
from fairlead.policy.scan import Scan
from fairlead.policy.types import Finding, Findings

REST = -1
"""`Finding.message` of what stands in no message: tool definitions, names, the reply's format."""

_NOTHING = Findings(Labels())
# Groups of digits inside a number that a checksum has proved are not a telephone number as well.
_STRONG = ("payment_card", "iban", "national_id")

Place = tuple[int, int, str]  # message, tool call (-1: the content), text


class Detection:
    """All detectors of a revision, compiled for scanning."""

    def __init__(self, detectors: Sequence[Detector], classes: Mapping[str, DataClass]) -> None:
        self.detectors = tuple(detectors)
        self.classes = classes
        self._scan = Scan(each.hint or each.pattern.text for each in detectors)

    def request(self, request: ChatRequest) -> Findings:
        """What was found in the messages, the arguments of their tool calls, and the rest of what a model would see.

        Raises Broken where the scan did not run to its end.
        """
        texts: list[str] = []
        plain = request.tools is None and request.response_format is None
        for message in request.messages:
            content = message.content
            if type(content) is str:
                texts.append(content)
            elif content:
                texts.append(text_of(message))
            if message.tool_calls:
                texts.extend(call.function.arguments for call in message.tool_calls)
            plain = plain and message.name is None and message.refusal is None
        if not plain:
            texts.append(_rest(request))
        hits = self._hits(texts)
        return self._locate(places(request, rest=not plain), hits) if hits else _NOTHING

    def text(self, text: str) -> Findings:
        """What was found in one text, as if it were the content of message 0."""
        hits = self._hits([text])
        return self._locate([(0, -1, text)], hits) if hits else _NOTHING

    def _hits(self, texts: list[str]) -> list[int]:
        return self._scan.hits("\x00".join(texts).encode("utf-8", "replace"))

    def _locate(self, places: Sequence[Place], hits: list[int]) -> Findings:
        suspects = [self.detectors[index] for index in hits]
        found: list[Finding] = []
        for message, call, text in places:
            data = text.encode("utf-8", "replace")
            spans = [(low, high, each) for each in suspects for _, low, high in each.locate(data, 0, len(data) + 1)[0]]
            spans.sort(key=lambda span: span[:2])
            position = _characters(data, spans) if len(data) != len(text) else None
            begins, reach = _reach([(low, high) for low, high, each in spans if each.category in _STRONG])
            for low, high, each in spans:
                if each.category == "phone" and reach[bisect_right(begins, low)] >= high:
                    continue
                start, end = (low, high) if position is None else (position[low], position[high])
                found.append(Finding(each.category, each.name, message, start, end, call))
        return Findings(self.labels(frozenset(each.category for each in found)), tuple(found)) if found else _NOTHING

    def labels(self, categories: frozenset[str]) -> Labels:
        """The labels of a text with these categories."""
        classes = (self.classes.get(each, DataClass.internal) for each in categories)
        return Labels(max(classes, default=DataClass.public), categories)


def places(request: ChatRequest, *, rest: bool = True) -> list[Place]:
    """Every text of a request with where it stands."""
    found: list[Place] = []
    for index, message in enumerate(request.messages):
        if message.content:
            found.append((index, -1, text_of(message)))
        for number, call in enumerate(message.tool_calls or ()):
            found.append((index, number, call.function.arguments))
    if rest and (text := _rest(request)):
        found.append((REST, -1, text))
    return found


def _rest(request: ChatRequest) -> str:
    parts = [part for message in request.messages for part in (message.name, message.refusal) if part]
    for extra in (request.tools, request.response_format):
        if extra is not None:
            parts.append(msgspec.json.encode(extra).decode())
    return "\x00".join(parts)


def _characters(data: bytes, spans: Sequence[tuple[int, int, Detector]]) -> dict[int, int]:
    """For each offset in bytes at which a span begins or ends, how many characters come before. One pass."""
    found, at, count = {}, 0, 0
    for offset in sorted({offset for low, high, _ in spans for offset in (low, high)}):
        count += len(data[at:offset].decode("utf-8", "replace"))
        at, found[offset] = offset, count
    return found


def _reach(spans: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Where the spans (in order) begin, and for each number of them from the first how far one of those reaches."""
    reach = [-1]
    for _, high in spans:
        reach.append(max(reach[-1], high))
    return [low for low, _ in spans], reach
