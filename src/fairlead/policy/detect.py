"""Finding what is sensitive in a request: one scan for all detectors, and a closer look only where it hit."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from fairlead.labels import NO_LABELS, DataClass, Labels
from fairlead.models.content import FilePart, ImagePart
from fairlead.models.message_text import reasoning_of, text_of
from fairlead.models.types import ChatRequest, Message, TextPart
from fairlead.policy import injection
from fairlead.policy.detectors import Detector
from fairlead.policy.injection import Suspicion
from fairlead.policy.names import Names
from fairlead.policy.scan import Scan
from fairlead.policy.types import Finding, Findings

REST = -1
"""`Finding.message` of what stands in no message: tool definitions, names, the reply's format, where to stop."""

CONTENT, REASONING = -1, -2
"""`Finding.tool_call` of what stands in a message's content, and in its earlier reasoning."""

_NOTHING = Findings(Labels())
# Groups of digits inside a number that says more, by a checksum or by its name, are not another one as well.
_STRONG = ("payment_card", "iban", "national_id", "bank_account")
_YIELDS = {"phone": _STRONG, "ip_address": ("phone",)}

Place = tuple[int, int, str]  # message, tool call (-1: the content), text


class Detection:
    """All detectors of a revision, compiled for scanning."""

    def __init__(
        self,
        detectors: Sequence[Detector],
        classes: Mapping[str, DataClass],
        suspicion: Suspicion | None = None,
        names: Names | None = None,
    ) -> None:
        self.names = names
        self.detectors = tuple(detectors)
        self.classes = classes
        self._suspicion = suspicion
        hints = [each.hint or each.pattern.text for each in detectors]
        self._scan = Scan([*hints, suspicion.gate] if suspicion else hints)

    def request(self, request: ChatRequest) -> Findings:
        """What was found in the messages, the arguments of their tool calls, and the rest of what a model would see.

        Raises Broken where the scan did not run to its end.
        """
        texts: list[str] = []
        plain = (
            request.tools is None
            and request.response_format is None
            and request.sampling.stop is None
            and request.sampling.logit_bias is None
            and request.handling is None
        )
        for message in request.messages:
            content = message.content
            if type(content) is str:
                texts.append(content)
            elif content:
                texts.append(text_of(message))
                plain = False
            if message.thoughts or message.reasoning_content:
                texts.append(reasoning_of(message))
            if message.tool_calls:
                texts.extend(spelled_out(call.function.arguments) for call in message.tool_calls)
                plain = False
            plain = plain and message.name is None and message.refusal is None
        if not plain:
            texts.append(_rest(request))
        hits = self._hits(texts)
        named = self.names is not None and self.names.may_occur(texts)
        found = _NOTHING
        if hits or named:
            found = self._locate(places(request, rest=not plain), hits, _operators(request), named=named)
        if request.labels is not NO_LABELS:
            found = Findings(found.labels.joined(request.labels), found.found)
        return found

    def text(self, text: str) -> Findings:
        """What was found in one text, as if it were the content of message 0."""
        hits = self._hits([text])
        named = self.names is not None and self.names.may_occur([text])
        return self._locate([(0, -1, text)], hits, named=named) if hits or named else _NOTHING

    def _hits(self, texts: list[str]) -> list[int]:
        return self._scan.hits("\x00".join(texts).encode("utf-8", "replace"))

    def _locate(
        self, places: Sequence[Place], hits: list[int], trusted: frozenset[int] = frozenset(), *, named: bool = False
    ) -> Findings:
        known = len(self.detectors)
        suspects = [self.detectors[index] for index in hits if index < known]
        found: list[Finding] = []
        if self._suspicion is not None and hits and hits[-1] == known:
            found += _suspected(self._suspicion, [each for each in places if each[0] not in trusted])
        for message, call, raw in places:
            text = raw if call < 0 else spelled_out(raw)
            data = text.encode("utf-8", "replace")
            spans = [(low, high, each) for each in suspects for _, low, high in each.locate(data, 0, len(data) + 1)[0]]
            spans.sort(key=lambda span: (span[0], -span[1]))
            position = _characters(data, spans) if len(data) != len(text) else None
            for low, high, category in _told_apart(spans):
                start, end = (low, high) if position is None else (position[low], position[high])
                found.append(Finding(category, message, start, end, call))
            if text is not raw:
                _point_into(raw, found, message, call)
        if named and self.names is not None:
            found += _named(self.names, places)
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
            found.append((index, CONTENT, text_of(message)))
        if reasoning := reasoning_of(message):
            found.append((index, REASONING, reasoning))
        for number, call in enumerate(message.tool_calls or ()):
            found.append((index, number, call.function.arguments))
    if rest and (text := _rest(request)):
        found.append((REST, -1, text))
    return found


def spelled_out(arguments: str) -> str:
    """The arguments of a tool call, as they came but with `\\u00a0` and its like as the characters that they mean.

    Line breaks, quotes and backslashes keep their escapes: it means the same as before.
    """
    return _ESCAPE.sub(_character, arguments) if "\\u" in arguments else arguments


_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


def _character(escape: re.Match[str]) -> str:
    code = int(escape[1], 16) if escape[1] else 0
    return escape[0] if code < 0x20 or code in (0x22, 0x5C) or 0xD800 <= code <= 0xDFFF else chr(code)


def _point_into(raw: str, found: list[Finding], message: int, call: int) -> None:
    """Make findings that count characters of the arguments spelled out count those of the arguments as they came."""
    at, offsets = 0, list[int]()
    for escape in _ESCAPE.finditer(raw):
        offsets.extend(range(at, escape.start()))
        said = _character(escape)
        offsets.extend(range(escape.start(), escape.end()) if len(said) > 1 else [escape.start()])
        at = escape.end()
    offsets.extend(range(at, len(raw) + 1))
    for number in range(len(found) - 1, -1, -1):
        each = found[number]
        if (each.message, each.tool_call) != (message, call):
            return
        found[number] = msgspec.structs.replace(each, start=offsets[each.start], end=offsets[each.end])


def _rest(request: ChatRequest) -> str:
    parts: list[str] = []
    for message in request.messages:
        parts += filter(None, (message.name, message.refusal))
        # Not their ids: providers make those, of long numbers that can look like anything.
        parts += [call.function.name for call in message.tool_calls or ()]
        parts += _names_of_attached(message)
    sampling = request.sampling
    parts += [sampling.stop] if isinstance(sampling.stop, str) else sampling.stop or ()
    parts += sampling.logit_bias or ()
    for extra in (request.tools, request.response_format):
        if extra is not None:
            parts.append(msgspec.json.encode(extra).decode())
    if request.handling is not None:
        parts.append(msgspec.json.encode(request.handling).decode())
    return "\x00".join(parts)


def _names_of_attached(message: Message) -> list[str]:
    """Titles, file names and addresses: what is readable of what is attached. Not the data, which is not text."""
    names: list[str | None] = []
    for part in message.content if isinstance(message.content, list) else ():
        match part:
            case TextPart(title=title):
                names.append(title)
            case ImagePart(image_url=image) if not image.url.startswith("data:"):
                names.append(image.url)
            case FilePart(file=file):
                names += [file.filename, file.file_url]
    return [name for name in names if name]


def _characters(data: bytes, spans: Sequence[tuple[int, int, Detector]]) -> dict[int, int]:
    """For each offset in bytes at which a span begins or ends, how many characters come before. One pass."""
    found, at, count = {}, 0, 0
    for offset in sorted({offset for low, high, _ in spans for offset in (low, high)}):
        count += len(data[at:offset].decode("utf-8", "replace"))
        at, found[offset] = offset, count
    return found


def _named(names: Names, places: Sequence[Place]) -> Iterator[Finding]:
    """Where names stand: in texts as they came, since names are read through escapes."""
    for (message, call, _), spans in zip(places, names.found([text for _, _, text in places]), strict=True):
        for category, start, end in spans:
            yield Finding(category, message, start, end, call)


def _operators(request: ChatRequest) -> frozenset[int]:
    """The messages of the operator, who may say what the model is, and what stands in no message."""
    spoken = (index for index, each in enumerate(request.messages) if each.role in ("system", "developer"))
    return frozenset({REST, *spoken})


def _suspected(suspicion: Suspicion, places: Sequence[Place]) -> Iterator[Finding]:
    """For each text that is suspected by itself, where its strongest cue stands."""
    for message, call, text in places:
        data = text.encode("utf-8", "replace")
        if (span := suspicion.strongest(data)) is not None:
            start, end = (len(data[:offset].decode("utf-8", "replace")) for offset in span)
            yield Finding(injection.CATEGORY, message, start, end, call)


def _told_apart(spans: Sequence[tuple[int, int, Detector]]) -> Iterator[tuple[int, int, str]]:
    """Each span once, without those that lie in another of their category, or in one to which theirs yields."""
    covers = {
        category: _reach([(low, high) for low, high, each in spans if each.category in stronger])
        for category, stronger in _YIELDS.items()
        if any(each.category == category for _, _, each in spans)
    }
    reached: dict[str, int] = {}
    for low, high, each in spans:
        category = each.category
        if category in covers:
            begins, reach = covers[category]
            if reach[bisect_right(begins, low)] >= high:
                continue
        if reached.get(category, -1) < high:
            reached[category] = high
            yield low, high, category


def _reach(spans: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Where the spans (in order) begin, and for each number of them from the first how far one of those reaches."""
    reach = [-1]
    for _, high in spans:
        reach.append(max(reach[-1], high))
    return [low for low, _ in spans], reach
