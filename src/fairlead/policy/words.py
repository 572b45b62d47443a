"""Words and claims that an organisation never uses: each rule is one detector and the Cedar that judges what it finds.

Case does not matter, nor what stands between the words of a phrase: up to eight spaces, hyphens or marks of Markdown;
nor whether accents stand with their letters, and `ss` for `ß`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.policy.detectors import Detector
from fairlead.policy.patterns import bounded
from fairlead.policy.rules import mode_note, scope_tests
from fairlead.policy.settings import RulesFile, WordsSetting
from fairlead.policy.sources import quoted
from fairlead.policy.spellings import MARKS, ends_sharp, spelled

# White space, hyphens and dashes, what cannot be seen, and the marks of Markdown.
_GAP: Final = r"[\t-\r \u00a0\u00ad\u1680\u2000-\u2015\u202f\u205f\u2060\u2212\u3000\ufeff*_`~\\-]{1,8}"
_SPLIT: Final = re.compile(r"[\s\u2010-\u2015-]+")
_ENDING: Final = rf"[0-9A-Za-z_\u00c0-\u024f{MARKS}]{{0,24}}"


class Words(Struct, frozen=True):
    """One rule: what finds its words, the policies that it stands for, and what is said in their place ("": a mark)."""

    detector: Detector
    cedar: str
    instead: str
    asked: bool
    answered: bool


def compiled(files: Mapping[str, RulesFile]) -> Iterator[tuple[str, Words]]:
    """The rules of all files, each with its file. Raises BadInput naming the rule."""
    for path, file in files.items():
        for each in file.words:
            yield path, _compiled(each)


def _compiled(rule: WordsSetting) -> Words:
    owner = f"words {rule.name!r}"
    if not rule.never and not rule.patterns:
        raise BadInput(f"{owner}: there are no words", mend="write some under `never:` or `patterns:`")
    if (rule.then == "replace") != bool(rule.instead):
        raise BadInput(f"{owner}: `instead` and `then: replace` belong together", mend="write both, or neither")
    if rule.then == "replace" and rule.direction != "out":
        raise BadInput(
            f"{owner}: what a caller writes is not replaced",
            why="a model would answer words that nobody wrote",
            mend="use then: redact, which puts them back in the reply, or direction: out",
        )
    phrases = sorted(rule.never, key=len, reverse=True)  # the first that fits counts: the longer one
    pattern = bounded("|".join([*(_phrase(each, owner) for each in phrases), *map(_grouped, rule.patterns)]), owner)
    detector = Detector(rule.name, rule.name, pattern)
    if rule.instead and detector.locate(rule.instead.encode(), 0, len(rule.instead.encode()) + 1)[0]:
        raise BadInput(f"{owner}: `instead` says what must not be said", mend="write it in other words")
    asked, answered = rule.direction != "out", rule.direction != "in"
    texts = [_cedar(rule, replies=False)] * asked + [_cedar(rule, replies=True)] * answered
    return Words(detector, "".join(texts), rule.instead, asked, answered)


def _phrase(phrase: str, owner: str) -> str:
    words = [each for each in _SPLIT.split(phrase) if each]
    if not any(character.isalnum() for character in phrase) or any("*" in word[:-1] for word in words):
        raise BadInput(
            f"{owner}: {phrase!r} is no phrase",
            why="it is words, and a star may stand only at the end of one",
            mend="write it as `never: [guaranteed profit*]`, or use `patterns:`",
        )
    return r"(?i:" + _GAP.join(map(_word, words)) + ")"


def _word(word: str) -> str:
    stem = word.removesuffix("*")
    before = r"\b" if _is_plain(stem[:1]) else ""
    if stem != word:
        return before + spelled(stem) + _ENDING
    if ends_sharp(stem):
        head = re.sub(r"(?i:ss|\u00df)\Z", "", stem)
        return before + spelled(head) + (r"(?:ss\b|\u00df)" if head else r"ss\b")
    return before + spelled(stem) + (r"\b" if _is_plain(stem[-1:]) else "")


def _is_plain(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _grouped(pattern: str) -> str:
    return f"(?:{pattern})"


def _cedar(rule: WordsSetting, *, replies: bool) -> str:
    name = rule.name if replies else f"{rule.name}-asked"
    said = rule.reason or f"{rule.name}: these words are not {'used' if replies else 'sent'} here"
    lifted = "" if rule.then == "withhold" else f" @redact({quoted(rule.name)})"
    found = f"context.{'categories' if replies else 'labels'}.contains({quoted(rule.name)})"
    return (
        f"@id({quoted(name)}) @reason({quoted(said)}){lifted}{mode_note(rule)}\n"
        f'forbid(principal, action == Action::"{"release_reply" if replies else "call_model"}", resource)\n'
        f"when {{ {' && '.join([found, *scope_tests(rule)])} }};\n"
    )
