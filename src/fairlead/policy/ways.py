"""What Cedar is asked of a call, an item, a reply and a start, for whichever categories would be taken out first."""

from collections.abc import Mapping
from typing import Final

from fairlead.labels import Labels
from fairlead.policy import cedar_request as cedar
from fairlead.policy.cedar_request import Asked, CedarRequest, FactValue
from fairlead.policy.judge import RequestWithout

START: Final = "start_workflow"


def to_start(who: cedar.Entity, workflow: cedar.Entity, door: str, copy: bool) -> RequestWithout:
    """`start_workflow`, which nothing is taken out for."""
    return lambda redacted: CedarRequest(who, START, workflow, {"door": door, "copy": copy})


def to_call(who: cedar.Entity, model: cedar.Entity, task: str, labels: Labels, door: str) -> RequestWithout:
    """`call_model`, for a text with these labels."""
    return lambda redacted: CedarRequest(who, "call_model", model, cedar.call_context(task, labels, redacted, door))


def to_read(who: cedar.Entity, item: cedar.Entity) -> RequestWithout:
    """`read_context`, which nothing is taken out for."""
    return lambda redacted: CedarRequest(who, "read_context", item, {})


def to_release(
    who: cedar.Entity, model: cedar.Entity, asked: Asked, categories: frozenset[str], facts: Mapping[str, FactValue]
) -> RequestWithout:
    """`release_reply`, for a reply in which these categories and facts were found."""

    def without(redacted: frozenset[str]) -> CedarRequest:
        return CedarRequest(who, "release_reply", model, cedar.release_context(asked, categories, redacted, facts))

    return without
