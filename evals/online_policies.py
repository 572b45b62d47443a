"""Ways to choose a model for each prompt of a stream when only the chosen one's outcome is seen: fixed, by chance now
and then, and as Fairlead learns (shrunk means by kind of work, what prompts add, exploration with propensities)."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from fairlead.routing.learned import Features, Observation
from fairlead.routing.learned.means import Cell, Means, shrunk
from fairlead.routing.learned.off_policy import Logged, verdict
from fairlead.routing.learned.online import CERTAIN, Lot, explored, plausible, propensity
from fairlead.routing.learned.training import train

Outcome = tuple[float, float]  # score and cost

SHARE: Final = 20_000  # of a million: the 2 % of the documentation
RENEWED: Final = 25  # outcomes after which means are computed anew
JUDGED: Final = 500  # outcomes after which a renewed predictor is put before the gate
_SURE: Final = 1.2816
_PARTS: Final = 1_000_000


@dataclass(frozen=True)
class Prompt:
    """A prompt with what each model makes of it."""

    name: str
    task: str
    features: Features
    outcomes: Mapping[str, Outcome]


@dataclass(frozen=True)
class Exchange:
    """Reward: the score, less `rate` for each `unit` of cost."""

    rate: float
    unit: float

    def reward(self, outcome: Outcome) -> float:
        return outcome[0] - self.rate * outcome[1] / self.unit


class Policy(Protocol):
    """Chooses, and is told what came of it, and of nothing else."""

    def choose(self, prompt: Prompt) -> str: ...
    def told(self, prompt: Prompt, model: str, outcome: Outcome) -> None: ...


def best_of(prior: Sequence[Prompt], exchange: Exchange, everywhere: Sequence[str]) -> str:
    """The one model that is best on the prior, of those that can do everything."""
    sums: dict[str, list[float]] = {}
    for prompt in prior:
        for model, outcome in prompt.outcomes.items():
            sums.setdefault(model, []).append(exchange.reward(outcome))
    return max(everywhere, key=lambda model: sum(sums.get(model, [])) / (len(sums.get(model, [])) or 1))


class Static:
    """The best of the prior for ever."""

    def __init__(self, prior: Sequence[Prompt], exchange: Exchange, everywhere: Sequence[str]) -> None:
        self._model = best_of(prior, exchange, everywhere)

    def choose(self, prompt: Prompt) -> str:
        return self._model

    def told(self, prompt: Prompt, model: str, outcome: Outcome) -> None:
        """It never learns."""


class Epsilon:
    """The best mean over all work so far, and one request in fifty anybody."""

    def __init__(self, prior: Sequence[Prompt], exchange: Exchange, seed: int) -> None:
        self._exchange = exchange
        self._dice = random.Random(seed)
        self._sums: dict[str, list[float]] = {}
        for prompt in prior:
            for model, outcome in prompt.outcomes.items():
                self.told(prompt, model, outcome)

    def choose(self, prompt: Prompt) -> str:
        models = sorted(prompt.outcomes)
        if self._dice.random() * CERTAIN < SHARE:
            return self._dice.choice(models)
        return max(models, key=lambda model: self._sums[model][0] / self._sums[model][1] if model in self._sums else 0)

    def told(self, prompt: Prompt, model: str, outcome: Outcome) -> None:
        sums = self._sums.setdefault(model, [0.0, 0.0])
        sums[0] += self._exchange.reward(outcome)
        sums[1] += 1


@dataclass
class Beliefs:
    """What is believed of cells, made ready: the expected reward, and how far it may be off."""

    means: Means
    costs: Mapping[tuple[str, str], float]
    exchange: Exchange
    ready: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)

    def of(self, task: str, model: str) -> tuple[float, float]:
        found = self.ready.get((task, model))
        if found is None:
            cell = self.means.cells.get(task, {}).get(model)
            p, worth = (self.means.prior(task, model), self.means.strength) if cell is None else (cell.mean, cell.worth)
            cost = self.costs.get((task, model), self.costs.get(("", model), 0.0))
            found = p - self.exchange.rate * cost / self.exchange.unit, (self.means.noise / worth) ** 0.5
            self.ready[task, model] = found
        return found


class Learner:
    """As Fairlead learns. With `gated`, what was learnt comes into force only where the off-policy gate says so."""

    def __init__(
        self, prior: Sequence[Prompt], exchange: Exchange, seed: int, lean: "Leaning", *, share: int = SHARE,
        gated: bool = False, static: str = "",
    ) -> None:  # fmt: skip
        self._exchange, self._seed, self._lean, self._share = exchange, seed, lean, share
        self._gated, self._static = gated, static
        self._cells: dict[tuple[str, str], list[float]] = {}
        self._costs: dict[tuple[str, str], list[float]] = {}
        self._log: list[Logged] = []
        self._chances: dict[str, float] = {}
        self.seen = self.elsewhere = self.replaced = 0
        for prompt in prior:
            for model, outcome in prompt.outcomes.items():
                self._add(prompt, model, outcome)
        self.beliefs = self._fit()
        worst = min(exchange.reward(each) for prompt in prior for each in prompt.outcomes.values())
        self._shift = max(0.0, -worst)

    def choose(self, prompt: Prompt) -> str:
        models = sorted(prompt.outcomes)
        adds = self._lean.of(prompt)
        values = {model: self.beliefs.of(prompt.task, model) for model in models}
        choice = max(models, key=lambda model: values[model][0] + adds.get(model, 0.0))
        lots = [_lot(model, values[model], adds) for model in (choice, *(each for each in models if each != choice))]
        names = [lot.name for lot in plausible(lots)]
        name, chance = explored(choice, names, self._share, f"{self._seed} {prompt.name}")
        self.elsewhere += name != choice
        if self._gated:
            self._chances = dict.fromkeys(models, 0.0)
            for each in names if chance else [choice]:
                self._chances[each] = (
                    propensity(each == choice, len(names) - 1, self._share) / CERTAIN if chance else 1.0
                )
        return name

    def told(self, prompt: Prompt, model: str, outcome: Outcome) -> None:
        self._add(prompt, model, outcome)
        self.seen += 1
        if not self._gated:
            if self.seen % RENEWED == 0:
                self.beliefs = self._fit()
            return
        reward = self._exchange.reward(outcome) + self._shift
        self._log.append(
            Logged(
                task=prompt.task, features=prompt.features, model=model, chances=self._chances, score=reward,
                confirmed=reward,
            )
        )  # fmt: skip
        if self.seen % JUDGED == 0:
            self._judge()

    def _judge(self) -> None:
        new, now = self._fit(), self.beliefs

        def by(beliefs: Beliefs, one: Logged) -> str:
            return max(sorted(one.chances), key=lambda model: beliefs.of(one.task, model)[0])

        floors = dict.fromkeys({one.task for one in self._log}, 0.9)
        said = verdict(
            self._log, lambda one: by(new, one), lambda one: by(now, one), lambda one: self._static,
            lambda one, model: now.of(one.task, model)[0] + self._shift, floors,
        )  # fmt: skip
        if said.replaces:
            self.beliefs = new
            self.replaced += 1

    def _add(self, prompt: Prompt, model: str, outcome: Outcome) -> None:
        score = outcome[0] - self._lean.of(prompt).get(model, 0.0)
        cell = self._cells.setdefault((prompt.task, model), [0.0, 0.0, 0.0])
        cell[0] += 1
        cell[1] += score
        cell[2] += score * score
        for key in ((prompt.task, model), ("", model)):
            costs = self._costs.setdefault(key, [0.0, 0.0])
            costs[0] += outcome[1]
            costs[1] += 1

    def _fit(self) -> Beliefs:
        means = shrunk({key: Cell(cell[0], cell[1], cell[2], int(cell[0])) for key, cell in self._cells.items()})
        return Beliefs(means, {key: total / many for key, (total, many) in self._costs.items()}, self._exchange)


def _lot(model: str, value: tuple[float, float], adds: Mapping[str, float]) -> Lot:
    expected = value[0] + adds.get(model, 0.0)
    return Lot(model, round(expected * _PARTS), round((expected + _SURE * value[1]) * _PARTS))


class Leaning:
    """What prompts add to the means, where training on the prior found that they do; else nothing."""

    def __init__(self, prior: Sequence[Prompt]) -> None:
        self._predictor = train(
            Observation(prompt.task, prompt.features, model, score, cost=cost, group=prompt.name)
            for prompt in prior
            for model, (score, cost) in prompt.outcomes.items()
        )
        self._models = sorted({model for prompt in prior for model in prompt.outcomes})
        self._known: dict[str, dict[str, float]] = {}
        self.pays = self._predictor.kind == "learned"

    def of(self, prompt: Prompt) -> Mapping[str, float]:
        """By model; empty where prompts add nothing."""
        if not self.pays:
            return {}
        found = self._known.get(prompt.name)
        if found is None:
            plain = self._predictor.predict(prompt.task, Features(), self._models)
            seeing = self._predictor.predict(prompt.task, prompt.features, self._models)
            found = {one.model: one.p - two.p for one, two in zip(seeing, plain, strict=True)}
            self._known[prompt.name] = found
        return found
