"""Labels: what is known about a piece of data. They travel with it and only rise."""

from collections.abc import Callable
from enum import IntEnum
from typing import Final, Literal

import msgspec


class DataClass(IntEnum):
    """How far data may travel, from anywhere to almost nowhere."""

    public = 0
    internal = 1
    confidential = 2
    restricted = 3


ClassName = Literal["public", "internal", "confidential", "restricted"]
"""A data class as workspaces write it."""


class Labels(msgspec.Struct, frozen=True):
    """The data class and the categories (`payment_card`, `email`, `secret`, …) of a text."""

    data_class: DataClass = DataClass.public
    categories: frozenset[str] = frozenset()

    def joined(self, other: "Labels") -> "Labels":
        """Labels of a text that contains both: the higher class, all categories."""
        if other is NO_LABELS:
            return self
        return Labels(max(self.data_class, other.data_class), self.categories | other.categories)

    def without(self, categories: frozenset[str]) -> "Labels":
        """Labels of the text once these categories have been redacted from it."""
        return Labels(self.data_class, self.categories - categories)


NO_LABELS = Labels()

UNSCREENED: Final = "unscreened"
"""The category of images, sounds and files, into which no detector looks."""


class Access(msgspec.Struct, frozen=True):
    """Everything that policies may read about an item. Items with equal access are decided once."""

    audience: frozenset[str]
    data_class: DataClass
    owner: str
    item: str = ""  # set only where a policy names single items


MayRead = Callable[[Access], bool]
"""Whether somebody may read what has this access."""
