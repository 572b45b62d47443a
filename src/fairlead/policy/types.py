"""Decisions and findings: values with reasons. Nothing here decides."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from fairlead.labels import Labels


class Reason(Struct, frozen=True):
    """A policy that decided. `text` is its `@reason`, or a sentence made from its effect and id."""

    policy: str
    text: str


class Hit(Struct, frozen=True, order=True):
    """A rule that applied, and what it did, or would have done if it were enforced.

    `mode` is "shadow", "warn" or "enforce", `effect` "refuse", "reroute" or "redact" of a request, and "withhold",
    "redact" or "append" of a reply.
    """

    policy: str
    mode: str
    effect: str
    text: str = ""


class Decision(Struct, frozen=True):
    """Allow, ask or deny, with the policies that decided.

    `redact` names the categories that must be taken out of the text before it is sent or released: the decision was
    made on what is left. Those of them in `pseudonymise` leave pseudonyms behind, the others marks.
    `errors` are Cedar's diagnostics; any error is a deny. `hits` are rules in shadow and warn
    mode that applied, none of which bears on the effect, and those that were lifted. `ask` names the roles whose
    approval is still wanted: all of them.
    """

    effect: Literal["allow", "ask", "deny"]
    reasons: tuple[Reason, ...] = ()
    redact: frozenset[str] = frozenset()
    errors: tuple[str, ...] = ()
    hits: tuple[Hit, ...] = ()
    ask: frozenset[str] = frozenset()
    pseudonymise: frozenset[str] = frozenset()

    @property
    def allowed(self) -> bool:
        """Neither "ask" nor "deny"."""
        return self.effect == "allow"


class Finding(Struct, frozen=True):
    """Something a detector saw: `text[start:end]` of message `message` (its content, or the arguments of its tool call
    number `tool_call`) is of `category`."""

    category: str
    message: int
    start: int
    end: int
    tool_call: int = -1


class Findings(Struct, frozen=True):
    """All findings of a request, with the labels that follow from them."""

    labels: Labels
    found: tuple[Finding, ...] = ()


class Added(Struct, frozen=True):
    """A text that the path itself adds to a request, its size in bytes, and what detectors find in it."""

    text: str
    size: int
    findings: Findings


class Rights(Struct, frozen=True):
    """One decision for each model that was considered, by the model's name."""

    decisions: Mapping[str, Decision]
