"""What may have gone wrong in a run, each with what speaks for it."""

from typing import Any, Final, Literal

from msgspec import Struct

Cause = Literal[
    "bad_tool_result", "hallucinated_value", "stale_context", "model_error", "policy_change",
    "tool_error", "policy", "budget", "person", "time", "input", "data", "definition",
]  # fmt: skip
"""`bad_tool_result`: a system said what something else speaks against. `hallucinated_value`: a model said what nothing
that it was given says. `stale_context`: a page that says something else by now. `model_error`: a model failed, refused,
or gave what has no such form. `policy_change`: a decision that was another when the run began. `tool_error`: a system
failed. `policy`, `budget`, `person`, `time`: it was not to be, and nothing had changed. `input`: the run was given it.
`data`: a system or a page says so, and nothing speaks against it. `definition`: the workflow itself."""

PROVEN: Final = 0.5
"""From here on something speaks for it. Below, it is merely where a value came from."""


class Link(Struct, frozen=True, omit_defaults=True):
    """A step by which a value came to where it was noticed. `took` is what it took of the one before."""

    step: str
    place: str
    kind: str
    took: str = ""
    value: Any = None


class Suspect(Struct, frozen=True, kw_only=True):
    """`place` is the effect (`look[0][1]` for a call of an agent), `step` the place of its step, `input` what of its
    inputs it is: a page's citation, `tool:NAME#path`, `policy:ID`, `prompt`, or the path of a value that none bears
    out. `weight`, from 0 to 1, says how much speaks for it, and `why` what does; `rival` is the place of another call
    that does."""

    cause: Cause
    weight: float
    step: str
    place: str
    why: str
    model: str = ""
    tool: str = ""
    input: str = ""
    value: Any = None
    chain: tuple[Link, ...] = ()
    rival: str = ""
