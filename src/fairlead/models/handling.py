"""What a provider is told about how to treat a call, and who asks."""

from fairlead.models.failures import beyond
from fairlead.models.types import ModelCall

STANDARD = (None, "auto", "default")
"""Service tiers that ask for nothing special."""


def refuse_tier(call: ModelCall, why: str, known: tuple[str | None, ...] = STANDARD) -> None:
    """Raises `Rejected` for a service tier that the wire has no word for: it would be billed as another."""
    handling = call.request.handling
    if handling is not None and handling.service_tier not in known:
        raise beyond(f"service tier {handling.service_tier} (service_tier)", call, why)


def user_of(call: ModelCall) -> str | None:
    """The name under which a provider may know the end user."""
    handling = call.request.handling
    return None if handling is None else handling.safety_identifier or handling.user
