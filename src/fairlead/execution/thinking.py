"""The reasoning of one choice on its way out: text is screened as any other, and proofs are kept while they hold.

A vendor's proof is of a text: sent back with another one it is refused, and the next round fails. Where screening or
restoring has changed a piece of reasoning, that proof and all after it are dropped, since vendors take only an unbroken
row of them. What is left of it is mere text.
"""

from collections.abc import Callable, Iterable

from fairlead.models.content import Thought
from fairlead.policy import Screen

NewScreen = Callable[[bool], Screen]  # True for the arguments of a tool call

_SEEN = 2048  # characters of a proven piece that are looked at again with what follows


class Thinking:
    """Of one choice. `thoughts` have their texts, which together are the beginning of `text`."""

    __slots__ = ("_awaited", "_broken", "_ended", "_held", "_pieces", "_raw", "_seen", "_since", "screens", "thoughts")

    def __init__(self) -> None:
        self.thoughts: list[Thought] = []
        self.screens: list[Screen] = []
        self._pieces: list[str] = []  # what left; what came, while nothing is screened
        self._since = 0  # where in it the piece under way begins
        self._raw: list[str] = []  # the piece under way, as it came
        self._seen = ""  # the end of what came before it
        self._awaited = ""  # what the screen will give out once more, as it has seen it before
        self._ended = False  # whether the screen was closed with the last piece
        self._broken = False  # whether a proof was dropped
        self._held: list[Thought] = []  # proofs of a reply that is judged as a whole

    @property
    def text(self) -> str:
        """What has left of it."""
        return "".join(self._pieces)

    def take(self, text: str, thought: Thought | None) -> None:
        """Collect what is screened later, or never."""
        if text:
            self._pieces.append(text)
        if thought is not None:
            self.thoughts.append(_of("".join(self._pieces[self._since :]), thought))
            self._since = len(self._pieces)

    def judge(self, new_screen: NewScreen) -> None:
        """Screen what was collected. Raises `Withheld`."""
        screen = new_screen(False)
        self.screens.append(screen)
        released = screen.whole(self.text)
        self.thoughts = _unchanged(self.thoughts, released)
        self._pieces = [released]

    def feed(self, new_screen: NewScreen, text: str, thought: Thought | None) -> tuple[str, Thought | None]:
        """What may leave of a piece of a stream: text, and the proof that belongs behind it. Raises `Withheld`.

        A proof ends its piece, so that nothing of it waits: a door that had to write it behind the answer could not
        write it with its text. What follows is looked at together with the end of it. Of a value that stands in two
        pieces the first half may leave, the second never does.
        """
        screen = self._screen(new_screen)
        out = ""
        if text:
            self._raw.append(text)
            out = self._fresh(screen.feed(text))
        if thought is not None:
            came = "".join(self._raw)
            if not screen.decision.allowed:
                self._held.append(_of(came, thought))
                self._raw = []
                return "", None
            out += self._fresh(screen.close())
        self._pieces.append(out)
        return out, None if thought is None else self._prove(came, thought)

    def close(self) -> tuple[list[Thought], str]:
        """What a stream still held back: proven pieces, and the text behind them. Raises `Withheld`."""
        rest = "" if self._ended or not self.screens else self._fresh(self.screens[-1].close())
        self._pieces.append(rest)
        proven = _unchanged(self._held, rest)
        self.thoughts += proven
        return proven, rest[sum(len(each.text) for each in proven) :]

    def _screen(self, new_screen: NewScreen) -> Screen:
        if self.screens and not self._ended:
            return self.screens[-1]
        screen = new_screen(False)
        if self._seen:
            before = new_screen(False).whole(self._seen)
            self._awaited = before[len(screen.feed(self._seen)) :]
        self.screens.append(screen)
        self._ended = False
        return screen

    def _fresh(self, out: str) -> str:
        """Of what the screen gives out, that which has not left already."""
        if not self._awaited:
            return out
        pairs = zip(out, self._awaited, strict=False)
        known = next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(out), len(self._awaited)))
        self._awaited = self._awaited[known:] if known == len(out) else ""  # else it now stands behind a mask
        return out[known:]

    def _prove(self, came: str, thought: Thought) -> Thought | None:
        left = "".join(self._pieces[self._since :])
        self._since = len(self._pieces)
        self._ended, self._awaited = True, ""
        self._seen, self._raw = (self._seen + came)[-_SEEN:], []
        self._broken = self._broken or left != came
        if self._broken:
            return None
        self.thoughts.append(_of(came, thought))
        return thought


def _of(text: str, thought: Thought) -> Thought:
    return Thought(text, thought.signature, thought.sealed)


def _unchanged(thoughts: Iterable[Thought], released: str) -> list[Thought]:
    """The proven pieces up to the first whose text is no longer what was released."""
    kept: list[Thought] = []
    at = 0
    for thought in thoughts:
        if not released.startswith(thought.text, at):
            break
        at += len(thought.text)
        kept.append(thought)
    return kept
