"""Signs that a text tries to take over the model that reads it: a warning, no boundary.

Each cue is a way of speaking that attempts at it share, whatever they are about: cancelling what was said before,
another self without rules, forms of refusal that are forbidden, the machinery of prompts named. One cue says little;
a text is suspected where the points of its different cues reach a bound. Who knows the cues writes round them, and
people who write about such attempts use them too: rules may warn by it and choose a model by it, but what must not
happen has to be forbidden where it would happen.

The operator's own messages (system, developer) are not looked at: they are allowed to say who the model is.
"""

import functools
from typing import Final

from msgspec import Struct

from fairlead.policy.patterns import Matcher, Pattern
from fairlead.policy.scan import Scan

CATEGORY: Final = "injection_suspected"
NAME: Final = "injection"
"""What `without:` calls it."""

BOUND: Final = 4
"""Points from which a text is suspected; set where fewer than one ordinary text in a hundred reaches it."""


class Cue(Struct, frozen=True):
    """A way of speaking and its points. Points were set by how much oftener attempts speak so than other texts do."""

    points: int
    pattern: str


CUES: Final = tuple(
    Cue(points, f"(?i){pattern}")
    for points, pattern in (
        # what was said before shall not count
        (3, r"\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]*\b(?:previous|prior|above|earlier|preceding|initial"
            r"|original|all|any|your|these|those)\b[^.\n]*\b(?:instruction|prompt|rule|direction|directive|guideline"
            r"|programming|constraint|restriction|training)s?\b"),
        (3, r"\bfrom now on\b"),
        (2, r"\byou(?:'re| are| will be| will| shall) (?:now|going to)\b"),
        # another self, without rules
        (3, r"\bdo anything now\b"),
        (2, r"(?-i:\bDAN\b)"),
        (3, r"\bjail ?br(?:eak|oken)"),
        (3, r"\b(?:un(?:filtered|censored|restricted|moderated)|amoral|uninhibited)\b"),
        (2, r"\b(?:no|without|free (?:of|from)|lacks?|bypass(?:es)?) (?:any |all |the )?(?:ethic|moral|restriction"
            r"|limitation|filter|censor|guideline|boundar)"),
        (2, r"\b(?:evil|chaotic|malicious|ruthless|sadistic|twisted|unhinged)\b"),
        (2, r"\b(?:stay|remain|break|breaking|out of|in|keep) (?:in |of |your )?character\b"),
        (2, r"\b(?:pretend|role-?play|imagine|simulat)"),
        (1, r"\b(?:act|acting|respond|answer|behave|speak|write) (?:as|like)\b"),
        (1, r"\b(?:hypothetical|fictional|fictitious)"),
        (1, r"\b(?:immers|persona|character|scenario)"),
        # what it must not refuse, and whose rules it shall break
        (2, r"\b(?:never|not|cannot|can't|won't|don't|without) (?:[a-z]+ ){0,2}(?:refus|declin|reject|deny)"),
        (1, r"\b(?:content|usage|ethical|safety|moral|community) (?:polic|guideline|standard|principle|restriction"
            r"|filter)"),
        (1, r"\b(?:illegal|unethical|immoral|harmful|offensive|nsfw|profan|swear|vulgar|explicit|inappropriate)"),
        (1, r"\b(?:comply|obey|obedient)"),
        (1, r"\byou (?:must|have to|should|will) (?:always|never|only|not)\b"),
        (1, r"\b(?:regardless of|no matter|even if (?:it|they))\b"),
        (1, r"\byour (?:creator|master|programming|training|developers?|original)"),
        # the machinery of prompts
        (2, r"\b(?:dev|developer|debug|debugging|god|sudo|admin|maintenance) ?mode\b"),
        (2, r"\b(?:system|hidden|initial|secret) (?:prompt|instructions?)\b"),
        (2, r"\b(?:reveal|repeat|print|show|tell me|output) (?:[a-z]+ ){0,3}(?:prompt|instructions"
            r"|(?:words|text) above)\b"),
        (3, r"<\|im_start\|>|\[/?INST\]|<</?SYS>>"),
        (1, r"\b(?:chat ?bot|ai model|language model|as an ai|being an ai|are an ai)\b"),
        (1, r"\bmy (?:first|next) (?:request|question|prompt|command|sentence|message|task)\b"),
        (1, r"\b(?:two|both|2) (?:[a-z]+ )?(?:responses|answers|ways|outputs|replies)\b"),
        (1, r"\b(?:do you understand|say \"?(?:ok|yes|understood)|if you understand|confirm (?:that )?you)"),
        (1, r"\b(?:user|human)'?s? (?:will|asks?|says?|wants?|request)"),
        (1, r"\bstands? for\b"),
        (1, r"\b[0-9]+ tokens\b|\btokens? (?:left|remaining|deducted)"),
    )
)  # fmt: skip


GATE: Final = (
    r"(?i)\b(?:ignore|disregard|override|bypass|from now on|(?:are|will|shall|be) now\b|do anything now"
    r"|jail ?br(?:eak|oken)|un(?:filtered|censored|restricted|moderated)|amoral|uninhibited|evil|chaotic|malicious"
    r"|ruthless|sadistic|character\b|pretend|role-?play|imagine|simulat|unethical|immoral|my (?:first|next)|prompts?\b"
    r"|mode\b|you (?:must|will) (?:always|never)|(?-i:DAN)\b)|<\|im_start|\[INST|<<SYS"
)
"""One of these stands in nearly every text that reaches the bound, and in few others."""


class Suspicion:
    """The cues, compiled. Made once in a process, by `suspicion`.

    The scan of every request looks for the gate only: with as many patterns as there are cues, and gaps in them, its
    automaton would have many times the states.
    """

    def __init__(self) -> None:
        patterns = [Pattern(cue.pattern).text for cue in CUES]
        self.gate = Pattern(GATE).text
        self._scan = Scan(patterns)
        self._matchers = tuple(Matcher(text) for text in patterns)

    def strongest(self, data: bytes) -> tuple[int, int] | None:
        """Where the strongest cue stands first in a text that is suspected; None where it is not."""
        cues = self._scan.hits(data)
        if sum(CUES[cue].points for cue in cues) < BOUND:
            return None
        return self._matchers[max(cues, key=lambda cue: CUES[cue].points)].spans(data, 0)[0]


@functools.cache
def suspicion() -> Suspicion:
    """The cues of Fairlead."""
    return Suspicion()
