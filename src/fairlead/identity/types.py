"""Who asks: the person, the agent that acts for them, and where they stand in the organisation."""

from msgspec import Struct


class Caller(Struct, frozen=True, kw_only=True):
    """An authenticated caller.

    `person` is the stable name of the person or service (the OIDC subject qualified by its issuer, or the key's own
    person); `agent` is the program that acts for them, "" if none. `credential` says by what it was shown
    ("key:NAME", "oidc:ISSUER", "anonymous"). `expires` is in milliseconds since 1970, 0 for never.
    """

    person: str
    agent: str = ""
    department: str = ""
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    tenant: str = ""
    credential: str = "anonymous"
    expires: int = 0
