"""Several places at which one model can be reached, and the order in which to try them. Pure."""

import math
from hashlib import blake2b

from msgspec import Struct


class Member(Struct, frozen=True):
    """A deployment by the name of its model. Low `priority` comes first; `weight` shares the work among equals."""

    name: str
    priority: int = 0
    weight: float = 1.0


class Group(Struct, frozen=True):
    """A model with deployments. `name` is what callers ask for and what policies and prices may speak of."""

    name: str
    members: tuple[Member, ...]


def ordered(group: Group, key: str) -> list[str]:
    """The names of the deployments, the one to try first before the others.

    Equal keys give equal orders, so that what belongs together (a conversation, a cached beginning) stays together.
    Over many keys each deployment comes first as often as its weight says, and where one is taken away or added, only
    its own share of the keys moves (weighted rendezvous hashing).
    """
    if len(group.members) == 1:
        return [group.members[0].name]
    return [each.name for each in sorted(group.members, key=lambda each: (each.priority, _distance(each, key)))]


def _distance(member: Member, key: str) -> float:
    digest = blake2b(f"{key}\x00{member.name}".encode(), digest_size=8).digest()
    share = (int.from_bytes(digest) + 1) / 2**64  # more than 0, at most 1
    return -math.log(share) / member.weight
