"""Who embeds: one space, whatever stands in, and never by the names of models."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fairlead.labels import NO_LABELS
from fairlead.models.embedding import Embedders
from fairlead.models.space import Space
from fairlead.models.types import ChatRequest, Message, Model, Placement
from fairlead.policy.types import Decision
from fairlead.routing import Plan, Preferences, plan_embedding
from fairlead.tasks.types import Task, TaskType

TASK = Task(type=TaskType(name="general"), labels=NO_LABELS, question="")
ALLOWED, DENIED = Decision("allow"), Decision("deny")


def model(name: str, space: str, **more: Any) -> Model:
    declared = Space(name=space, **more)
    return Model(name=name, endpoint="e", remote=name, placement=Placement("on_prem"), max_output=0, space=declared)


def planned(
    models: list[Model], asked: str = "auto", rights: Mapping[str, Decision] | None = None, **more: Any
) -> Plan:
    request = ChatRequest(model=asked, messages=[Message("user", "calm")], size=4)
    about: dict[str, Any] = {
        "dimensions": None,
        "preferences": Preferences(fallback=True),
        "rates": [each.name for each in models],
        "health": lambda name: None,
        "unavailable": {},
        **more,
    }
    every = {each.name: ALLOWED for each in models}
    return plan_embedding(TASK, request, Embedders({each.name: each for each in models}), rights or every, **about)


def names(made: Plan) -> list[str]:
    return [candidate.model.name for candidate in made.candidates]


def test_only_models_of_the_first_one_s_space_stand_in() -> None:
    models = [model("a", "one"), model("b", "two"), model("c", "one")]
    made = planned(models)
    assert names(made) == ["a", "c"]
    (dropped,) = made.dropped
    assert (dropped.model, dropped.by) == ("b", "not asked for")
    assert names(planned(models, "b")) == ["b"]


def test_a_first_model_that_cannot_answer_gives_way_to_no_other_space() -> None:
    models = [model("a", "one"), model("b", "two")]
    assert names(planned(models, rights={"a": DENIED, "b": ALLOWED})) == []
    assert names(planned(models, health=lambda name: "ill" if name == "a" else None)) == []
    assert names(planned(models, unavailable={"a": "no key"})) == []
    assert names(planned(models, preferences=Preferences(prefer=("b",), fallback=True))) == ["b"]


def test_another_length_is_given_only_by_models_that_are_said_to() -> None:
    models = [model("a", "s", dimensions=8), model("b", "s", dimensions=8, shortens=True), model("c", "s")]
    assert names(planned(models, dimensions=8)) == ["a", "b"]
    assert names(planned(models, dimensions=4)) == ["b"]
    assert names(planned(models, dimensions=9)) == []


SPACES = st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=6)


@given(spaces=SPACES, order=st.randoms(use_true_random=False))
def test_candidates_always_share_a_space_and_names_decide_nothing(spaces: list[str], order: Any) -> None:
    labels = [f"m{n}" for n in range(len(spaces))]
    renamed = labels.copy()
    order.shuffle(renamed)
    plain = planned([model(name, space) for name, space in zip(labels, spaces, strict=True)])
    other = planned([model(name, space) for name, space in zip(renamed, spaces, strict=True)])
    assert {candidate.model.space.name for candidate in plain.candidates if candidate.model.space} == {spaces[0]}
    back = dict(zip(renamed, labels, strict=True))
    assert [back[name] for name in names(other)] == names(plain)
