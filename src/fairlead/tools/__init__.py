"""Systems of record: what they offer, and the connectors that speak to them.

This face is what an organisation's own functions import: a file that `use: python` names.
"""

from fairlead.tools.failures import NotAuthorised
from fairlead.tools.person import Person, ToolError

__all__ = ["NotAuthorised", "Person", "ToolError"]
