"""Several places at which one model can be reached, and the order in which to try them. Pure."""

import math
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Final

from msgspec import Struct

Busy = Mapping[str, tuple[int, int]]
"""What is under way at deployments, by their names: calls, and the tokens that they may come to."""
IDLE: Final[Busy] = {}
_NOTHING: Final = (0, 0)


class Member(Struct, frozen=True):
    """A deployment by the name of its model. Low `priority` comes first; `weight` shares the work among equals."""

    name: str
    priority: int = 0
    weight: float = 1.0


class Group(Struct, frozen=True):
    """A model with deployments. `name` is what callers ask for and what policies and prices may speak of."""

    name: str
    members: tuple[Member, ...]


def ordered(
    group: Group,
    key: str,
    busy: Busy = IDLE,
    slack: float | None = None,
    usable: Callable[[str], bool] | None = None,
) -> list[str]:
    """The names of the deployments, the one to try first before the others.

    Of equal priority the one comes first that has the fewest calls under way for its weight, of those alike the one
    with the fewest tokens, and then a draw decides: equal `key`s draw alike, and over many keys each comes first as
    often as its weight says (weighted rendezvous hashing). With `slack`, in calls, what the draw says comes first as
    long as it has no more than that beyond the least of those `usable` (all if that is None), so that what belongs
    together (a conversation, a cached beginning) stays together. Where a deployment is added at the end of those
    declared, or taken away there, only its own share of the keys moves.

    Not their names are drawn but their places in the declaration, so that renaming changes nothing.
    """
    members = group.members
    if len(members) == 1:
        return [members[0].name]
    keyed: list[_Keyed] = []
    for at, member in enumerate(members):
        (calls, tokens), weight = busy.get(member.name, _NOTHING), member.weight
        keyed.append((member.priority, calls / weight, tokens / weight, _distance(at, weight, key), at))
    keyed.sort()
    if slack is not None:
        usual = [usable is None or usable(member.name) for member in members]
        keyed = _home_first(keyed, usual, [slack / member.weight for member in members])
    return [members[each[-1]].name for each in keyed]


_Keyed = tuple[int, float, float, float, int]


def _home_first(keyed: list[_Keyed], usable: list[bool], slack: list[float]) -> list[_Keyed]:
    """Those of each priority with the usable one in front that the draw wants, unless it has too much under way."""
    found: list[_Keyed] = []
    for priority in dict.fromkeys(each[0] for each in keyed):
        level = [each for each in keyed if each[0] == priority]
        able = [each for each in level if usable[each[-1]]]
        if able:
            home = min(able, key=lambda each: each[3])
            if home[1] <= able[0][1] + slack[home[-1]]:
                level.remove(home)
                level.insert(0, home)
        found += level
    return found


def _distance(at: int, weight: float, key: str) -> float:
    digest = blake2b(f"{key}\x00{at}".encode(), digest_size=8).digest()
    share = (int.from_bytes(digest) + 1) / 2**64  # more than 0, at most 1
    return -math.log(share) / weight
