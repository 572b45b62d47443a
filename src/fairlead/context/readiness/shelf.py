"""Pages by what they are of, so that ten thousand of them are not looked through for each need."""

from collections.abc import Iterable
from typing import Final

from fairlead.context.readiness.facts import Page
from fairlead.context.sufficiency import answers
from fairlead.tasks.types import Requirement

_NONE: Final[list[Page]] = []


class Shelf:
    """The pages of one report, in their order."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self._by_id: dict[str, list[Page]] = {}
        self._by_kind: dict[str, list[Page]] = {}
        self._by_topic: dict[str, list[Page]] = {}
        for page in pages:
            self._by_id.setdefault(page.entry.id, []).append(page)
            self._by_kind.setdefault(page.entry.kind, []).append(page)
            for topic in page.entry.topics:
                self._by_topic.setdefault(topic, []).append(page)

    def answering(self, need: Requirement) -> list[Page]:
        """Those that are of what is needed, whoever may read them. A live source has none."""
        if need.live:
            return []
        if need.item:
            some = [self._by_id.get(need.item, _NONE)]
        else:
            some = [self._by_topic.get(topic, _NONE) for topic in need.topics]
            some = some or [self._by_kind.get(need.kind, _NONE)]
        return [page for page in min(some, key=len) if answers(page.entry, need)]
