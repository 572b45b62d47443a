"""Everybody who is known here by a key, for reports on what people may."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from fairlead.clock import SystemClock
from fairlead.errors import Unauthenticated
from fairlead.identity import Caller
from fairlead.identity.keys import caller_of
from fairlead.storage.store import Store
from fairlead.workspace.published import load_keys

if TYPE_CHECKING:
    from fairlead.workspace.compile import Workspace


def known_callers(compiled: "Workspace", store: Store | None) -> list[Caller]:
    """Everybody for whom a key counts now, once for each agent of theirs, with all that their keys say of them. Without
    a store, those of the workspace's own keys."""
    now, found = SystemClock().now(), dict[tuple[str, str], Caller]()
    for key in (*compiled.identity.keys, *(load_keys(store) if store is not None else ())):
        try:
            caller = caller_of(key, now)
        except Unauthenticated:
            continue
        known = found.get((caller.person, caller.agent), caller)
        found[caller.person, caller.agent] = replace(
            caller, groups=caller.groups | known.groups, roles=caller.roles | known.roles
        )
    return [found[each] for each in sorted(found)]
