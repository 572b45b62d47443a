"""Whoever shows wrong credentials again and again, by the address that they come from: counted in one process, kept
nowhere. It costs nothing to who shows a good one."""

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

from fairlead.errors import Overloaded

Client = tuple[str, int] | None
_BURST: Final = 20  # wrong credentials that may come at once
_EACH: Final = 3.0  # seconds after which one more may
_REMEMBERED: Final = 10_000
_HOST_BITS: Final = 64  # of an IPv6 address: one customer has all of them


class TooManyWrong(Overloaded):
    """Too many wrong credentials have come from this address.

    Retry after the seconds given in `Retry-After`, with a credential that is valid. Keys of this deployment are let
    through from there all the same; access tokens that were not seen before wait.
    """

    code = "too_many_wrong"
    status = 429

    def __init__(self, retry_after: float) -> None:
        super().__init__(
            "too many wrong credentials have come from your address",
            why=f"more than {_BURST} at once, or one in {_EACH:g} seconds, are not looked at",
            mend="find the program that sends them and give it a valid credential",
            retry_after=retry_after,
            step="authenticate",
        )


class Failures:
    """Each address is a moment: when all that it did wrong will be forgotten. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._clear_at: dict[str, float] = {}

    def count(self, client: Client) -> None:
        """A wrong credential came from there."""
        now, address = self._clock(), _network(client)
        clear_at = max(now, self._clear_at.pop(address, now)) + _EACH
        if len(self._clear_at) >= _REMEMBERED:
            del self._clear_at[next(iter(self._clear_at))]  # who was wrong longest ago
        self._clear_at[address] = min(clear_at, now + _BURST * _EACH)

    def refuse(self, client: Client) -> None:
        """Raises `TooManyWrong` if no more is looked at from there for now."""
        if not self._clear_at:
            return
        over = self._clear_at.get(_network(client), 0.0) - self._clock() - (_BURST - 1) * _EACH
        if over > 0:
            raise TooManyWrong(over)


def _network(client: Client) -> str:
    """The address, or the network of an IPv6 address; one for all whom nobody names."""
    try:
        address = ip_address(client[0]) if client else None
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(int(address) >> _HOST_BITS)
    return str(address)
