"""Models with several deployments, in the order in which they are tried."""

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.errors import NotFound
from fairlead.labels import NO_LABELS
from fairlead.models.deployments import Group, Member
from fairlead.models.types import Model, Placement
from fairlead.routing.order import candidates_for, not_asked_for, order
from fairlead.routing.settings import Preferences
from fairlead.tasks.types import Task, TaskType

HOUSE = Group("house", (Member("house/eu"), Member("house/us"), Member("house/own", priority=1)))
GROUPS = {"house": HOUSE}
PLAIN = Preferences()


def model(name: str, group: str = "") -> Model:
    return Model(name=name, endpoint="e", remote=name, placement=Placement(kind="cloud"), group=group)


MODELS = {
    "small": model("small"),
    **{member.name: model(member.name, "house") for member in HOUSE.members},
    "large": model("large"),
}


def tried(
    asked: str = "auto",
    key: str = "run_1",
    prefer: tuple[str, ...] = (),
    preferences: Preferences = PLAIN,
    groups: Mapping[str, Group] = GROUPS,
    models: Mapping[str, Model] = MODELS,
) -> list[str]:
    task = Task(type=TaskType(name="question", prefer=prefer), labels=NO_LABELS, question="")
    return list(order(task, asked, models, preferences, groups, key)[0])


@given(st.text(), st.sampled_from(["auto", "question", "house"]))
def test_every_deployment_is_tried_once_those_of_lower_priority_first(key: str, asked: str) -> None:
    found = tried(asked, key)
    assert sorted(found) == sorted(MODELS if asked != "house" else [member.name for member in HOUSE.members])
    assert found.index("house/own") == max(found.index(member.name) for member in HOUSE.members)
    at = found.index("house/own")
    assert set(found[at - 2 : at]) == {"house/eu", "house/us"}, "they follow each other"


@given(st.text())
def test_what_belongs_together_is_tried_in_the_same_order(key: str) -> None:
    assert tried("house", key) == tried("house", key)
    assert [name for name in tried("auto", key) if name in tried("house", key)] == tried("house", key)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(0.01, 100)), min_size=1, max_size=6),
    st.text(),
    st.booleans(),
    st.sampled_from(["g", "other", "auto"]),
)
def test_nothing_is_lost_or_doubled_whatever_the_deployments(
    members: list[tuple[int, float]], key: str, fallback: bool, asked: str
) -> None:
    group = Group("g", tuple(Member(f"g/{at}", *member) for at, member in enumerate(members)))
    models = {member.name: model(member.name, "g") for member in group.members} | {"other": model("other")}
    found = tried(
        asked, key, ("other",), Preferences(prefer=("g",), fallback=fallback), groups={"g": group}, models=models
    )
    assert len(found) == len(set(found))
    everything = (
        set(models) if fallback or asked == "auto" else {"other"} if asked == "other" else {*models} - {"other"}
    )
    assert set(found) == everything
    priorities = [member.priority for name in found for member in group.members if member.name == name]
    assert priorities == sorted(priorities)
    considered = candidates_for(asked, models, [], Preferences(prefer=("g",), fallback=fallback), {"g": group})
    assert set(considered) == everything, "what is planned has been authorized"


@settings(max_examples=20)  # of 1500 draws each
@given(st.lists(st.floats(0.5, 4), min_size=2, max_size=4))
def test_each_of_equal_priority_gets_its_share(weights: list[float]) -> None:
    group = Group("g", tuple(Member(f"g/{at}", weight=weight) for at, weight in enumerate(weights)))
    models = {member.name: model(member.name, "g") for member in group.members}
    first = Counter(tried("g", f"run_{at}", groups={"g": group}, models=models)[0] for at in range(1500))
    for member in group.members:
        assert first[member.name] / 1500 == pytest.approx(member.weight / sum(weights), abs=0.07)


def test_preferences_and_fallbacks_may_name_a_model_with_deployments() -> None:
    assert tried(prefer=("house",))[:3] == tried("house")
    assert tried(preferences=Preferences(prefer=("large", "house")))[:4] == ["large", *tried("house")]
    assert tried("small", preferences=Preferences(fallback=("house",))) == ["small", *tried("house")]
    assert tried("house", preferences=Preferences(fallback=("large",))) == [*tried("house"), "large"]


def test_a_deployment_can_be_asked_for_by_itself_and_the_others_stand_in() -> None:
    assert tried("house/us") == ["house/us"]
    assert sorted(tried("house/us", preferences=Preferences(fallback=True))) == sorted(MODELS)
    assert tried("house/us", preferences=Preferences(fallback=True))[0] == "house/us"


def test_the_sentence_says_how_deployments_are_ordered() -> None:
    task = Task(type=TaskType(name="question"), labels=NO_LABELS, question="")
    assert "by priority" in order(task, "house", MODELS, PLAIN, GROUPS, "k")[1]
    assert "priority" not in order(task, "small", MODELS, PLAIN, GROUPS, "k")[1]


def test_the_models_to_be_authorized_keep_their_order_whatever_the_key() -> None:
    assert list(candidates_for("house", MODELS, [], PLAIN, GROUPS)) == ["house/eu", "house/us", "house/own"]
    with pytest.raises(NotFound) as caught:
        candidates_for("hous", MODELS, [], PLAIN, GROUPS)
    assert "`house`" in caught.value.mend


def test_a_task_type_with_tiers_is_tried_with_their_models_only_those_that_it_prefers_first() -> None:
    tiers = Preferences(tiers={"local": ("small",), "heavy": ("large", "house")})
    kind = TaskType(name="question", prefer=("house",), tiers=("heavy",))
    task = Task(type=kind, labels=NO_LABELS, question="")
    found, why = order(task, "auto", MODELS, tiers, GROUPS, "key")
    assert set(found) == set(MODELS) - {"small"}
    assert list(found)[-1] == "large"
    assert "the tier heavy" in why
    reasons = {one.model: one.reason for one in not_asked_for(task, "auto", MODELS, GROUPS, found)}
    assert reasons == {"small": "task type 'question' keeps to the tier heavy"}
    named, _ = order(task, "small", MODELS, tiers, GROUPS, "key")
    assert list(named) == ["small"], "who names a model means it"
