"""How the day is told: each scene with who asked what, what came of it, and whether that is as it should be."""

import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from msgspec import Struct

from fairlead.cli.output import console, one_line

_WIDEST: Final = 100
_NARROWEST: Final = 40
_PLACES: Final = {"device": "on this machine", "on_prem": "in the house", "cloud": "in a cloud"}


class Asked(Struct, frozen=True, kw_only=True):
    """One question and what came of it. `code` is the error's, "" for an answer; `cost` is exact, in `currency`."""

    who: str
    question: str
    run: str
    milliseconds: float
    answer: str = ""
    task: str = ""
    model: str = ""
    placement: str = ""
    cost: str = ""
    currency: str = ""
    citations: tuple[str, ...] = ()
    redacted: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    code: str = ""
    step: str = ""
    message: str = ""
    why: str = ""


class Check(Struct, frozen=True):
    """What should be so, and whether it is."""

    expected: str
    ok: bool


class Scene(Struct, frozen=True):
    """One scene, played."""

    name: str
    title: str
    asked: tuple[Asked, ...]
    told: tuple[str, ...]
    checks: tuple[Check, ...]
    ok: bool


class Story:
    """Tells the scenes as they happen, unless `silent`, and remembers them."""

    def __init__(self, *, silent: bool) -> None:
        self.scenes: list[Scene] = []
        self._silent = silent
        self._console = console(sys.stdout)
        self._width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 24)).columns - 1))
        self._asked: list[Asked] = []
        self._told: list[str] = []
        self._checks: list[Check] = []

    @contextmanager
    def scene(self, name: str, title: str) -> Iterator[None]:
        """Everything that is told until the block is left belongs to this scene."""
        self._asked, self._told, self._checks = [], [], []
        self.line()
        self.line(f"{len(self.scenes) + 1}. {title}", "bold")
        yield
        ok = bool(self._checks) and all(check.ok for check in self._checks)
        self.scenes.append(Scene(name, title, tuple(self._asked), tuple(self._told), tuple(self._checks), ok))

    def tell(self, text: str) -> None:
        """A sentence of the story."""
        self._told.append(text)
        self.line(text, indent=3)

    def show(self, label: str, text: str) -> None:
        """Something word for word."""
        self._told.append(f"{label} {text}")
        self.line(label, indent=3)
        self.line(text, "cyan", indent=6)

    def asked(self, asked: Asked) -> None:
        """A question, and what came of it."""
        self._asked.append(asked)
        asks = "ask" if asked.who == "You" else "asks"
        self.line(f"{asked.who} {asks}: {asked.question}", indent=3)
        if asked.code:
            self.line(f"{asked.message} [{asked.code}]", "yellow", indent=6)
            self.line(asked.why, indent=6)
        else:
            self.line(asked.answer, "cyan", indent=6)
        for text in (*(f"source: {citation}" for citation in asked.citations), *asked.warnings):
            self.line(text, indent=6)
        self.line(_facts(asked), "dim", indent=6)

    def expect(self, expected: str, ok: bool) -> None:
        """Say what should be so, and whether it is."""
        self._checks.append(Check(expected, ok))
        self.line(f"✓ {expected}" if ok else f"✗ NOT SO: {expected}", "green" if ok else "bold red", indent=3)

    def line(self, text: str = "", style: str = "", indent: int = 0) -> None:
        """Print, line by line, wrapped: what was said by models and people may hold what drives a terminal."""
        from rich.text import Text

        if self._silent:
            return
        for part in text.split("\n"):
            wrapped = textwrap.fill(
                one_line(part),
                self._width,
                initial_indent=" " * indent,
                subsequent_indent=" " * (indent + 2),
                break_on_hyphens=False,
            )
            self._console.print(Text(wrapped, style))


def _facts(asked: Asked) -> str:
    place = _PLACES.get(asked.placement, asked.placement)
    cost = "" if not asked.cost else "free" if asked.cost == "0" else f"cost {asked.cost} {asked.currency}"
    facts = (
        asked.task,
        f"{asked.model}, {place}" if asked.model else "",
        f"stopped at {asked.step}" if asked.step else "",
        f"taken out first: {', '.join(asked.redacted)}" if asked.redacted else "",
        cost,
        f"{asked.milliseconds:.0f} ms",
        asked.run,
    )
    return " · ".join(filter(None, facts))


def as_asked(who: str, question: str, reply: Mapping[str, Any], milliseconds: float) -> Asked:
    """An answer of the door, as the story tells it."""
    about = reply["fairlead"]
    return Asked(
        who=who,
        question=question,
        run=about["run"],
        milliseconds=milliseconds,
        answer=reply["choices"][0]["message"]["content"] or "",
        task=about["task"],
        model=about["model"],
        placement=about["placement"],
        cost=about["cost"]["amount"],
        currency=about["cost"]["currency"],
        citations=_sources(about.get("citations", ())),
        redacted=tuple(about.get("redacted", ())),
        warnings=tuple(about.get("warnings", ())),
    )


def _sources(citations: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    return tuple(f"{cited['section'] or cited['title']} ({cited['owner']})" for cited in citations)
