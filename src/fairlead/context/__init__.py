"""Organisational knowledge: read from Markdown, kept in immutable versions, found under the caller's rights, cited."""

from fairlead.context.citations import citations_in
from fairlead.context.hits import Hit
from fairlead.context.items import read_item
from fairlead.context.render import render
from fairlead.context.settings import ContextSettings
from fairlead.context.snapshots import publish_items
from fairlead.context.stitch import Context
from fairlead.context.types import Citation, Item, Pack

__all__ = [
    "Citation",
    "Context",
    "ContextSettings",
    "Hit",
    "Item",
    "Pack",
    "citations_in",
    "publish_items",
    "read_item",
    "render",
]
