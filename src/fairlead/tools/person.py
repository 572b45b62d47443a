"""What an organisation's own functions may use: who calls, and how to tell of an error. `tools/python.py` runs them."""

from msgspec import Struct

from fairlead.tools.types import Credential


class Person(Struct, frozen=True, kw_only=True):
    """Who calls. A parameter with this type hint gets it; callers neither see nor fill it.

    `credential` is by what the system knows them. `idempotency_key` is the same for every try of one call.
    """

    name: str
    credential: Credential
    idempotency_key: str


class ToolError(Exception):
    """What a function tells who called it: "order 7 was already shipped". Its text is the result, marked as failed.

    The text of any other error stays inside, because nobody wrote it for others to read.
    """
