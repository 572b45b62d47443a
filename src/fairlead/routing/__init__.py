"""Which model answers, and what is tried when one fails. Decisions are pure; only the breaker remembers."""

from fairlead.routing.backoff import pause_before_retry
from fairlead.routing.breaker import Health
from fairlead.routing.order import candidates_for
from fairlead.routing.plan import plan
from fairlead.routing.refusals import why_none
from fairlead.routing.settings import Preferences, compile_routing
from fairlead.routing.spaces import plan_embedding
from fairlead.routing.types import Candidate, Dropped, Plan

__all__ = [
    "Candidate",
    "Dropped",
    "Health",
    "Plan",
    "Preferences",
    "candidates_for",
    "compile_routing",
    "pause_before_retry",
    "plan",
    "plan_embedding",
    "why_none",
]
