"""Which pieces of a source are old ones under a new path."""

from collections import defaultdict
from collections.abc import Mapping

from fairlead.context.sources.memory import Known


class Moves:
    """Which pieces that are new were there under another path."""

    def __init__(self, told: Mapping[str, str], gone: set[str], known: Mapping[str, Known]) -> None:
        self._told = told
        self._gone = gone
        self._begun = {path: each.before for path, each in known.items() if each.before}
        self._new = {path for path in known if path not in self._begun}
        self._by_content: dict[str, list[str]] = defaultdict(list)
        for path in sorted(gone):
            self._by_content[known[path].content].append(path)
        self.done: set[str] = set()

    def former(self, path: str, content: str) -> str:
        """The path that it had, "" where it is new or was there already. Each is given once."""
        if path in self._new:
            return ""
        same = [self._begun.get(path, ""), self._told.get(path, ""), *self._by_content.get(content, ())]
        found = next((each for each in same if each in self._gone and each not in self.done), "")
        if found:
            self.done.add(found)
        return found
