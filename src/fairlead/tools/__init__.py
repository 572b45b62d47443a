"""Systems of record: what they offer, and the connectors that speak to them."""

from fairlead.tools.types import (
    Blob,
    Credential,
    Definition,
    Effect,
    Link,
    Piece,
    SystemCall,
    SystemDriver,
    Text,
    Tool,
    ToolResult,
)

__all__ = [
    "Blob",
    "Credential",
    "Definition",
    "Effect",
    "Link",
    "Piece",
    "SystemCall",
    "SystemDriver",
    "Text",
    "Tool",
    "ToolResult",
]
