"""Screening of replies as they stream: what may leave now, what must wait, what is blacked out, what is withheld.

The text that is released depends only on the reply, never on how it was cut into chunks.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

from fairlead.errors import Withheld
from fairlead.policy.cedar_request import FactValue
from fairlead.policy.detect import spelled_out
from fairlead.policy.detectors import Detector
from fairlead.policy.facts import Fact
from fairlead.policy.holdback import Holdback
from fairlead.policy.pseudonyms import Undo
from fairlead.policy.restoring import Restorer
from fairlead.policy.scan import Scan
from fairlead.policy.types import Decision, Hit

_LONG = 1024  # bytes held: from here on they are looked at again only when they have grown by an eighth

Judge = Callable[[frozenset[str], Mapping[str, FactValue]], Decision]
"""Decides whether a reply with these categories and facts may be released."""


class Screen:
    """Lets everything through, and puts back what was redacted: for replies that no policy judges by what they say.

    Also what every screen offers. One screen sees one text: a choice's content, or the arguments of one tool call.
    `categories` are those that were found in the reply so far, `facts` the values that its rules read.
    """

    def __init__(self, decision: Decision, restorer: Restorer | None = None) -> None:
        self.decision = decision
        self.facts: dict[str, FactValue] = {}
        self.categories: frozenset[str] = frozenset()
        self._restorer = restorer

    @property
    def hits(self) -> frozenset[Hit]:
        """The rules that applied so far and let the reply pass: those that watch, and those that were lifted."""
        return frozenset(self.decision.hits)

    def feed(self, text: str) -> str:
        """What may be released now that this text has come. Raises Withheld."""
        out = self._screened(text)
        return out if self._restorer is None else self._restorer.feed(out)

    def close(self) -> str:
        """What is left to release, now that the reply is complete. Raises Withheld."""
        out = self._rest()
        return out if self._restorer is None else self._restorer.feed(out) + self._restorer.close()

    def whole(self, text: str) -> str:
        """What may be released of a text that is complete: as `feed` and `close`, in one look. Raises Withheld."""
        out = self.feed(text)
        return out + self.close()

    def _screened(self, text: str) -> str:
        return text

    def _rest(self) -> str:
        return ""


class Watch:
    """What the screens of a revision look for. Made once."""

    def __init__(self, detectors: Sequence[Detector], facts: Sequence[Fact], instead: Mapping[str, str] = {}) -> None:
        self.instead = instead
        self.facts = {f"fact:{fact.name}": fact for fact in facts}
        self.all = (*detectors, *(Detector(name, "", fact.pattern) for name, fact in self.facts.items()))
        self.holdback = Holdback([each.pattern for each in self.all])
        self.scan = Scan(each.hint or each.pattern.text for each in self.all)


Mask = tuple[int, int, str]


class ReplyScreen(Screen):
    """Holds back what may become a finding, and asks at every new kind of finding whether the reply may go on.

    A reply that is denied before it has begun, and may only become releasable by what it says, is judged as a whole.
    """

    def __init__(
        self,
        watch: Watch,
        judge: Judge,
        subject: str,
        decision: Decision,
        restorer: Restorer | None,
        *,
        arguments: bool,
        undo: Undo | None,
    ) -> None:
        """What a pseudonym of `undo` is written like is no finding: it stands for what is the caller's own."""
        super().__init__(decision, restorer)
        self._undo = undo
        self._arguments = arguments
        self._watch = watch
        self._judge = judge
        self._subject = subject
        self._whole = not decision.allowed
        self._pieces: list[bytes] = []  # of a reply that is judged as a whole
        self._data = b""  # one byte that was released, so that \b can see it, and what is held
        self._at = 0  # where in _data the held text begins
        self._patience = 0  # bytes below which it is not worth looking again
        self._resume: dict[int, int] = {}  # where in _data each detector goes on, where that is beyond _at
        self._masks: list[Mask] = []  # to black out; all of it lies at or beyond _at
        self._covered = 0  # up to where in _data a mask reaches that was written already
        self._noted: frozenset[Hit] = frozenset()

    @property
    def hits(self) -> frozenset[Hit]:
        """The rules that applied without deciding: at each time that a finding was judged, or, where none was, before
        the reply began."""
        return self._noted or frozenset(self.decision.hits)

    def whole(self, text: str) -> str:
        """In one scan where detectors find nothing, which is the usual case. Raises Withheld."""
        if self._arguments:
            text = spelled_out(text)
        if self._whole or self._watch.scan.hits(text.encode("utf-8", "replace")):
            return super().whole(text)
        return text if self._restorer is None else self._restorer.feed(text) + self._restorer.close()

    def _screened(self, text: str) -> str:
        new = text.encode("utf-8", "replace")
        if self._whole:
            self._pieces.append(new)
            return ""
        data = self._data + new
        if len(data) < self._patience:
            self._data = data
            return ""
        hold = self._watch.holdback.start(data, self._at)
        suspects = self._watch.scan.hits(data)
        if suspects or self._resume:
            return self._look(data, hold, suspects)
        out = data[self._at : hold].decode()
        self._keep(data, hold)
        self._patience = len(self._data) * 9 // 8 if len(self._data) > _LONG else 0
        return out

    def _rest(self) -> str:
        if self._whole:
            self._data = b"".join(self._pieces)
        return self._look(self._data, len(self._data), self._watch.scan.hits(self._data))

    def _keep(self, data: bytes, hold: int) -> None:
        cut = max(hold - 1, 0)
        self._data, self._at = data[cut:], hold - cut

    def _look(self, data: bytes, hold: int, suspects: list[int]) -> str:
        """Judge what begins before `hold`, and give out the text up to there with its masks."""
        noted = []
        for detector, low, high in self._hits(data, hold, suspects):
            changed = self._note(detector, data, low, high)
            if changed and not self._whole:
                self._decide()
            if self._whole or detector.category in self.decision.redact:
                noted.append((low, high, detector.category))
        if self._whole:
            self._decide()
            noted = [mask for mask in noted if mask[2] in self.decision.redact]
        self._masks += noted
        out = self._masked(data, hold)
        self._keep(data, hold)
        cut = len(data) - len(self._data)
        self._resume = {index: at - cut for index, at in self._resume.items() if at > hold}
        self._masks = [(low - cut, high - cut, category) for low, high, category in self._masks]
        self._covered = max(self._covered - cut, 0)
        self._patience = 0
        return out

    def _hits(self, data: bytes, hold: int, suspects: list[int]) -> Iterator[tuple[Detector, int, int]]:
        """What begins before `hold`, in the order of the text whatever the chunks were."""
        hits = []
        for index in suspects:
            detector = self._watch.all[index]
            mine, self._resume[index] = detector.locate(data, self._resume.get(index, self._at), hold)
            if self._undo is not None and detector.category:
                known = self._undo
                mine = [
                    each for each in mine if known.value(data[each[1] : each[2]].decode("utf-8", "replace")) is None
                ]
            hits += [(first, -high, index, low) for first, low, high in mine]
        hits.sort()
        for _, minus_high, index, low in hits:
            yield self._watch.all[index], low, -minus_high

    def _note(self, detector: Detector, data: bytes, low: int, high: int) -> bool:
        """Record a finding or a fact; whether there is something new to decide on."""
        fact = self._watch.facts.get(detector.name)
        if fact is not None:
            known = self.facts.get(fact.name)
            value = fact.joined(known, fact.read(data[low:high].decode("utf-8", "replace")))
            self.facts[fact.name] = value
            return known is None or value != known
        new = detector.category not in self.categories
        self.categories |= {detector.category}
        return new

    def _decide(self) -> None:
        self.decision = self._judge(self.categories, self.facts)
        self._noted |= frozenset(self.decision.hits)
        if not self.decision.allowed:
            raise withheld(self.decision, self._subject)

    def _masked(self, data: bytes, hold: int) -> str:
        self._masks.sort(key=lambda mask: (mask[0], -mask[1], mask[2]))
        pieces, at = [], max(self._at, min(self._covered, hold))
        while self._masks and self._masks[0][0] < hold:
            low, high, category = self._masks.pop(0)
            if low >= self._covered:
                pieces += [data[at:low].decode(), self._stand_in(category)]
            self._covered = max(self._covered, high)
            at = max(at, min(self._covered, hold))
        pieces.append(data[at:hold].decode())
        return "".join(pieces)

    def _stand_in(self, category: str) -> str:
        said = self._watch.instead.get(category)
        if said is None:
            return f"[redacted {category}]"
        return json.dumps(said, ensure_ascii=False)[1:-1] if self._arguments else said


def withheld(decision: Decision, subject: str) -> Withheld:
    """The error for a reply that may not leave, with the policies that decided."""
    by = ", ".join(reason.policy for reason in decision.reasons) or "a policy that failed"
    return Withheld(
        f"the reply may not be released: {by}",
        why="; ".join([reason.text for reason in decision.reasons] + list(decision.errors)),
        mend="ask for an answer without it, or have its owner change the policy",
        step="check",
        subject=subject,
        policies=tuple(reason.policy for reason in decision.reasons),
    )
