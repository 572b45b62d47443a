"""What models have reported of how many tokens texts have, in this worker: from it the room of a pack is reckoned."""

from collections.abc import Mapping
from typing import Final

from fairlead.context.measure import USUAL, Measure, Script, kind_of, measure_of
from fairlead.models.message_text import is_text, text_of
from fairlead.models.types import ChatRequest, Model, Usage

_FEWEST: Final = 24  # requests from which a rate is believed to be lower than usual
_SHORTEST: Final = 2_000  # bytes: in shorter ones, what a server adds of its own counts too much
_OFTEN: Final = 256  # requests of a model that are all looked at; after that one in
_SELDOM: Final = 16
_BY_RULE: Final = 0.25  # a token for every four bytes: how models count that quote, and whom nobody else counts for


class TokensSeen:
    """The greatest rates that were seen, by model and kind of text. They only rise: what was seen may come again."""

    def __init__(self) -> None:
        self._greatest: dict[tuple[str, Script], float] = {}
        self._times: dict[tuple[str, Script], int] = {}
        self._looked: dict[str, int] = {}
        self._measures: dict[tuple[str, ...], Measure] = {}

    def note(self, model: str, request: ChatRequest, usage: Usage) -> None:
        """What a model reported of a request that is nothing but text."""
        if usage.estimated or request.size < _SHORTEST or request.tools or request.response_format is not None:
            return
        looked = self._looked[model] = self._looked.get(model, 0) + 1
        if looked > _OFTEN and looked % _SELDOM:
            return
        if not all(map(is_text, request.messages)):
            return
        script, size = kind_of("\n".join(map(text_of, request.messages)))
        if size < _SHORTEST:
            return
        key, rate = (model, script), usage.input / size
        self._times[key] = self._times.get(key, 0) + 1
        if rate > self._greatest.get(key, 0.0):
            self._greatest[key] = rate
            self._measures.clear()
        elif self._times[key] == _FEWEST:
            self._measures.clear()

    def measure(self, models: Mapping[str, Model]) -> Measure:
        """How to count for all of these models at once."""
        names = tuple(models)
        found = self._measures.get(names)
        if found is None:
            if len(self._measures) > 256:
                self._measures.clear()
            exact = {name: _BY_RULE for name, each in models.items() if each.quotes_context}
            found = self._measures[names] = measure_of(names, self._believed(), exact) if names else USUAL
        return found

    def _believed(self) -> dict[tuple[str, Script], float]:
        """Rates of many requests; of few only those that are above the usual ones, as whoever reckons will see."""
        return {
            key: rate
            for key, rate in self._greatest.items()
            if self._times[key] >= _FEWEST or rate > getattr(USUAL, key[1])
        }
