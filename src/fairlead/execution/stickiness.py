"""What calls share for which a deployment may still have a cache: who asks, or how requests begin.

Calls that share it go to the same deployment. It is kept nowhere: of what prompts begin with, a keyed digest lives for
as long as the order of the deployments is made up.
"""

from collections.abc import Mapping
from hashlib import blake2b

import msgspec
from msgspec import Struct

from fairlead.costs.types import Rate
from fairlead.models.deployments import Group
from fairlead.models.message_text import text_of
from fairlead.models.tally import likely_tokens, size_of
from fairlead.models.types import ChatRequest, Model


class Kept(Struct, frozen=True):
    """The models with deployments at which caching pays, by name, each with the tokens from which its servers keep the
    beginning of a request. `key` is the deployment's own secret, the same in all workers."""

    least: Mapping[str, int]
    key: bytes


def compile_kept(
    groups: Mapping[str, Group], models: Mapping[str, Model], rates: Mapping[str, Rate], master_key: bytes
) -> Kept | None:
    """None where caching pays nowhere: where no cached input is cheaper than other input."""
    least: dict[str, int] = {}
    for name, group in groups.items():
        if len(group.members) > 1 and any(_pays(rates.get(each.name)) for each in group.members):
            least[name] = min(models[each.name].caches_from for each in group.members)
    return Kept(least, blake2b(key=master_key, person=b"sticky").digest()) if least else None


def _pays(rate: Rate | None) -> bool:
    return rate is not None and any(tier.cached_input < tier.input for tier in rate.tiers)


def shared_beginning(kept: Kept, request: ChatRequest) -> str:
    """What stands for a request and others whose beginning a server may have kept: who asks, where the request says so,
    else the instructions and tools that it begins with. "" where it is too short to be kept."""
    least = kept.least.get(request.model) or min(kept.least.values())
    if likely_tokens(request.size) < least:
        return ""
    handling = request.handling
    if handling is not None and (who := handling.user or handling.safety_identifier):
        return f"user {who}"
    begins: list[str] = []
    for message in request.messages:
        if message.role not in ("system", "developer"):
            break
        begins.append(text_of(message))
    tools = msgspec.json.encode(request.tools) if request.tools else b""
    if likely_tokens(sum(map(size_of, begins)) + len(tools)) < least:
        return ""
    digest = blake2b(msgspec.json.encode(begins), digest_size=16, key=kept.key)
    digest.update(tools)
    return digest.hexdigest()
