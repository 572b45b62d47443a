"""Does a name decide anything? Names of models and vendors are permuted, and no decision may change beyond that.

    python -m evals.neutrality [--permutations 1000] [--seed 1]

A workspace with eight models of five vendors (one of them with four deployments, four alike in price and in all that
is known of them), tiers, lists of preference and of fallback, and a task type for each kind of objective is written
anew under exchanged names, compiled, and planned with by the code of the path: with nothing learnt, with a predictor
trained on the outcomes under the same exchange, with exploration, with models that are ill, denied or too small for the
input, and with requests that name a model. What was first, second and last, what was dropped and why, and what the
record would say must be the same under the new names. Each recorded decision is audited from itself as well.

Deployments get other names as well, and the order in which they are tried must stay the same. Prints one JSON line;
`changed` counts decisions that came out otherwise.
"""

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from evals.stage import parser
from fairlead.execution.choosing import chosen
from fairlead.execution.deployment import Deployment
from fairlead.labels import NO_LABELS
from fairlead.models.types import ChatRequest, Model
from fairlead.routing import Plan, plan
from fairlead.routing.auditing import differences
from fairlead.routing.learned import Observation, Predictor, features
from fairlead.routing.learned.training import train
from fairlead.tasks.types import Task, TaskType
from fairlead.workspace.compile import Workspace, compile_workspace
from fairlead.workspace.text import WorkspaceText

_NOW: Final = 1_795_000_000_000
_MODELS: Final = ("ada", "bel", "cid", "dot", "eve", "fay", "gus", "hal")
_VENDORS: Final = ("northern", "eastern", "southern", "western", "central")
_PLACES: Final = ("w", "x", "y", "z")
_PRICES: Final = ((0.2, 0.8), (1, 4), (1, 4), (1, 4), (1, 4), (3, 15), (0.5, 2), (10, 30))
_OBJECTIVES: Final = {
    "best": "{maximise: quality}",
    "best_within": "{maximise: quality, cost_at_most: 0.002}",
    "cheap": "{minimise: cost, quality_at_least: 0.6}",
    "fast": "{minimise: latency, quality_at_least: 0.5}",
    "strict": "{minimise: cost, quality_at_least: 0.75, strict: true}",
    "curious": "{maximise: quality, cost_at_most: 0.01, explore: 0.2}",
    "tiered": "{maximise: quality}",
    "declared": "declared",
}
_QUESTIONS: Final = (
    "How long may a customer send a lamp back?",
    "def reverse(words): return  # finish it, and give its cost in O(n)",
    "A train leaves at 7:40 and needs 2 h 35. When does it arrive? " * 20,
)


def _unmeasured(_: object) -> None:
    """How long a candidate takes: nobody has measured it."""


class Allowed:
    """A decision that permits."""

    allowed = True
    redact: frozenset[str] = frozenset()
    pseudonymise: frozenset[str] = frozenset()
    reasons: tuple[Any, ...] = ()


class Denied(Allowed):
    allowed = False


@dataclass(frozen=True)
class Names:
    """One way to call them all."""

    models: Mapping[str, str]
    vendors: Mapping[str, str]
    places: Mapping[str, str]

    def model(self, name: str) -> str:
        unit, slash, place = name.partition("/")
        return self.models[unit] + slash + (self.places[place] if slash else "")

    def back(self, name: str) -> str:
        unit, slash, place = name.partition("/")
        return _before(self.models, unit) + slash + (_before(self.places, place) if slash else "")


def _before(names: Mapping[str, str], name: str) -> str:
    return next(was for was, now in names.items() if now == name)


def written(names: Names) -> WorkspaceText:
    """The workspace under these names. The order of declaration is the same under all of them."""
    models: dict[str, Any] = {}
    for at, name in enumerate(_MODELS):
        vendor = names.vendors[_VENDORS[at % len(_VENDORS)]]
        place = {"kind": "cloud" if at % 3 else "on_prem", "vendor": vendor, "region": f"r{at % 2}"}
        about = {"use": f"openai-compatible/m{at}", "url": f"http://127.0.0.1:{9000 + at}/v1", "placement": place}
        models[names.model(name)] = about | {"context": 400 if at == 6 else 100_000, "json_schema": at != 5}
    own = models[names.model("fay")]
    own["deployments"] = {names.places[each]: {"priority": 1} if each == "z" else {} for each in _PLACES}
    tiers = {"low": ["ada", "gus"], "mid": ["bel", "cid", "dot", "eve"], "high": ["fay", "hal"]}
    whole = {
        "organisation": "acme",
        "models": models,
        "prices": {
            names.model(name): {"input": sent, "output": received}
            for name, (sent, received) in zip(_MODELS, _PRICES, strict=True)
        },
        "prefer": [names.model("eve"), names.model("ada")],
        "fallback": [names.model("hal"), names.model("bel")],
        "routing": {"tiers": {tier: [names.model(one) for one in some] for tier, some in tiers.items()}},
    }
    files = {"fairlead.yaml": json.dumps(whole)}
    for task, objective in _OBJECTIVES.items():
        more = "tiers: [mid, high]\n" if task == "tiered" else f"prefer: [{names.model('cid')}]\n"
        files[f"tasks/{task}.yaml"] = f"objective: {objective}\n{more}"
    return WorkspaceText({path: content.encode() for path, content in files.items()})


def taught(names: Names, task: str) -> list[Observation]:
    """Outcomes of a kind of work, the same under all names. Four models are alike in all of them, but where it depends
    on the prompt who does it well."""
    found, depends = [], task in ("best", "curious")
    for prompt in range(60 if depends else 24):
        asked = prompt % len(_QUESTIONS)
        looks = features(f"{prompt} {_QUESTIONS[asked]} {prompt}")
        for at, name in enumerate(_MODELS[:7]):  # of the last one nothing is known
            luck = random.Random(f"{task}/{prompt}/{0 if 0 < at < 5 else at}").random()
            able = (0.9 if at % 3 == asked else 0.2) if depends else 0.3 + 0.08 * (1 if 0 < at < 5 else at)
            score = float(luck < able)
            seconds = 0.5 + (1 if 0 < at < 5 else at) / 4
            found.append(
                Observation(task, looks, names.model(name), score, 0.001, seconds, f"{task}{prompt}", tokens_out=200)
            )
    return found


@dataclass(frozen=True)
class Case:
    """A request, and what is so while it comes: models by their first names."""

    task: str
    asked: str
    question: str
    size: int
    ill: frozenset[str]
    denied: frozenset[str]
    run: str


def cases(luck: random.Random, count: int) -> list[Case]:
    found = []
    for number in range(count):
        task = luck.choice(list(_OBJECTIVES))
        named = luck.random() < 0.15
        found.append(
            Case(
                task=task,
                asked=luck.choice(_MODELS) if named else luck.choice(["auto", task]),
                question=luck.choice(_QUESTIONS),
                size=luck.choice([80, 900, 3000]),
                ill=frozenset(luck.sample(_MODELS, luck.choice([0, 0, 1, 2]))),
                denied=frozenset(luck.sample(_MODELS, luck.choice([0, 1, 3]))),
                run=f"run_{number}_{luck.random()}",
            )
        )
    return found


def decided(workspace: Workspace, predictor: Predictor | None, names: Names, case: Case) -> Plan:
    """The plan of a request, made as the path makes it."""
    types = workspace.tasks.types
    type_: TaskType = types[case.task]
    task = Task(type=type_, labels=NO_LABELS, question=case.question)
    asked = names.model(case.asked) if case.asked in _MODELS else case.asked
    request = ChatRequest(model=asked, messages=[], size=case.size)
    models: Mapping[str, Model] = workspace.models.models

    def was(name: str) -> str:
        return names.back(name).partition("/")[0]

    made = plan(
        task,
        request,
        models,
        {name: Denied() if was(name) in case.denied else Allowed() for name in models},
        preferences=workspace.preferences,
        rates=workspace.rates,
        health=lambda name: "it fails" if was(name) in case.ill else None,
        unavailable={},
        default_output=500,
        has_passages=False,
        groups=workspace.models.groups,
        key=case.run,
    )
    deployment = _Deployed(workspace, predictor)
    return chosen(cast(Deployment, deployment), _unmeasured, task, request, made, case.run, case.run)


class _Deployed:
    """As much of a deployment as the choice looks at."""

    def __init__(self, workspace: Workspace, predictor: Predictor | None) -> None:
        self.preferences, self.rates = workspace.preferences, workspace.rates
        self.models, self.groups = workspace.models.models, workspace.models.groups
        self.currency, self.predictor = "USD", predictor


def said(made: Plan, names: Names) -> str:
    """A plan in the first names."""
    candidates = [names.back(one.model.name) for one in made.candidates]
    dropped = sorted({(names.back(one.model), one.by, _renamed(one.reason, names)) for one in made.dropped})
    decision = made.decision
    expected: Sequence[Any] = (
        ()
        if decision is None
        else [
            (names.back(one.model), one.p, one.low, one.high, one.cost, one.latency, one.seen, one.room, one.tie)
            for one in decision.candidates
        ]
    )
    chance = () if decision is None else (decision.explored, decision.propensity, decision.outside)
    return json.dumps([candidates, dropped, expected, chance, _renamed(made.why, names)])


def _renamed(text: str, names: Names) -> str:
    return re.sub("'([^']+)'", lambda one: f"'{names.back(one[1])}'" if _is_name(one[1], names) else one[0], text)


def _is_name(text: str, names: Names) -> bool:
    return text.partition("/")[0] in names.models.values()


def permuted(luck: random.Random) -> Names:
    """Every name for another one, and now and then for a new one."""
    others = luck.sample(_MODELS, len(_MODELS))
    if luck.random() < 0.3:
        others = [f"{luck.choice('azqm')}{luck.randrange(10**6)}{at}" for at in range(len(_MODELS))]
    vendors = luck.sample(_VENDORS, len(_VENDORS))
    places = luck.sample(_PLACES, len(_PLACES))
    return Names(
        *(dict(zip(*each, strict=True)) for each in ((_MODELS, others), (_VENDORS, vendors), (_PLACES, places)))
    )


def compiled(names: Names) -> Workspace:
    return compile_workspace(written(names), lambda _: None, now=_NOW)


def learnt(names: Names) -> Predictor:
    return train([one for task in ("best", "cheap", "strict", "curious", "tiered") for one in taught(names, task)])


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--permutations", type=int, default=1000)
    arguments.add_argument("--cases", type=int, default=40)
    asked = arguments.parse_args()
    luck = random.Random(asked.seed)
    same = Names(*({one: one for one in some} for some in (_MODELS, _VENDORS, _PLACES)))
    some = cases(luck, asked.cases)
    base, knows = compiled(same), learnt(same)
    wanted = [[said(decided(base, which, same, case), same) for case in some] for which in (None, knows)]
    changed = audited = decisions = 0
    odd: list[str] = []
    for _ in range(asked.permutations):
        names = permuted(luck)
        workspace = compiled(names)
        for which, expected in zip((None, learnt(names)), wanted, strict=True):
            for case, before in zip(some, expected, strict=True):
                made = decided(workspace, which, names, case)
                decisions += 1
                if said(made, names) != before:
                    changed += 1
                    odd.append(f"{case}: {before} became {said(made, names)}")
                if made.decision is not None:
                    audited += bool(differences(made.decision, case.run))
    for each in odd[:3]:
        print(each)
    print(json.dumps({
        "permutations": asked.permutations, "decisions": decisions, "changed": changed, "not_made_again": audited,
        "objectives": len(_OBJECTIVES), "models": len(_MODELS), "predictor": knows.kind,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
