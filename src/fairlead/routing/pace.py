"""How long a model of the house takes on the machine that it runs on, from its measured speed, and who is too slow.

Pure arithmetic. A hard limit: what cannot be done in time is left out before an objective orders the rest.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.routing.types import Dropped, Plan

TOO_SLOW: Final = "too slow"


class Speed(Struct, frozen=True, kw_only=True):
    """A measured speed in tokens a second: of reading (`prefill`) and of writing (`decode`). `bytes_a_token` is how the
    model's server counts the input."""

    prefill: float
    decode: float
    bytes_a_token: float = 4.0

    def seconds(self, size: int, output: float) -> float:
        """What so many bytes of input and tokens of output take."""
        return size / self.bytes_a_token / self.prefill + output / self.decode


class Need(Struct, frozen=True):
    """What a candidate is expected to take for a request, in seconds, and at how many tokens a second it writes."""

    seconds: float
    decode: float


def within(made: Plan, needs: Mapping[str, Need], limit: float) -> Plan:
    """The plan without the candidates that are expected to take longer than `limit` seconds. Who is not in `needs` has
    no known speed, and stays."""
    slow = {name: need for name, need in needs.items() if need.seconds > limit}
    if not slow:
        return made
    candidates = made.candidates
    return replace(
        made,
        candidates=tuple([one for one in candidates if one.model.name not in slow]),
        dropped=(
            *made.dropped,
            *(
                Dropped(one.model.name, TOO_SLOW, _said(slow[one.model.name], limit))
                for one in candidates
                if one.model.name in slow
            ),
        ),
    )


def _said(need: Need, limit: float) -> str:
    rate = f"{need.decode:.0f}" if need.decode >= 10 else f"{need.decode:.2g}"
    shown = f"{need.seconds:.0f}" if need.seconds >= limit + 1 and need.seconds >= 10 else f"{need.seconds:.1f}"
    return f"too slow here: needs about {shown} s at {rate} tokens/s, deadline {limit:g} s"
