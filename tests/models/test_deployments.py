from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.models.deployments import Group, Member, ordered

GROUP = Group("house", (Member("house/a", 0, 3.0), Member("house/b", 0, 1.0), Member("house/c", 1, 5.0)))


@settings(max_examples=40)
@given(st.text())
def test_every_deployment_comes_once_and_lower_priorities_come_first(key: str) -> None:
    order = ordered(GROUP, key)
    assert sorted(order) == ["house/a", "house/b", "house/c"]
    assert order[-1] == "house/c"


@settings(max_examples=40)
@given(st.text())
def test_what_belongs_together_goes_to_the_same_place(key: str) -> None:
    assert ordered(GROUP, key) == ordered(GROUP, key)


def test_each_comes_first_as_often_as_its_weight_says() -> None:
    first = Counter(ordered(GROUP, f"run_{number}")[0] for number in range(4000))
    assert first["house/a"] / 4000 == pytest.approx(0.75, abs=0.03)


def test_a_deployment_that_goes_moves_only_its_own_share() -> None:
    fewer = Group("house", GROUP.members[:2])
    more = Group("house", (*GROUP.members[:2], Member("house/d", 0, 2.0)))
    keys = [f"run_{number}" for number in range(500)]
    moved = [key for key in keys if ordered(more, key)[0] != ordered(fewer, key)[0]]
    assert moved
    assert all(ordered(more, key)[0] == "house/d" for key in moved)


@settings(max_examples=40)
@given(st.text(), st.lists(st.text(), min_size=4, max_size=4, unique=True), st.lists(st.integers(0, 5), min_size=4))
def test_names_decide_nothing(key: str, names: list[str], calls: list[int]) -> None:
    members = [Member(f"m/{at}", at // 3, 1.0 + at) for at in range(4)]
    renamed = [Member(name, member.priority, member.weight) for name, member in zip(names, members, strict=True)]
    for slack in (None, 2.0):
        busy = {member.name: (count, 0) for member, count in zip(members, calls, strict=False)}
        alike = {member.name: (count, 0) for member, count in zip(renamed, calls, strict=False)}
        places = [int(name[2:]) for name in ordered(Group("m", tuple(members)), key, busy, slack)]
        assert ordered(Group("m", tuple(renamed)), key, alike, slack) == [names[at] for at in places]


@settings(max_examples=40)
@given(st.text(), st.lists(st.tuples(st.integers(0, 6), st.integers(0, 900)), min_size=3, max_size=3))
def test_the_one_with_the_fewest_calls_for_its_weight_comes_first_and_tokens_part_equals(
    key: str, under_way: list[tuple[int, int]]
) -> None:
    members = tuple(Member(f"m/{at}", 0, weight) for at, weight in enumerate((1.0, 2.0, 4.0)))
    busy = {member.name: each for member, each in zip(members, under_way, strict=True)}
    loads = [(calls / m.weight, tokens / m.weight) for m, (calls, tokens) in zip(members, under_way, strict=True)]
    first = ordered(Group("m", members), key, busy)[0]
    assert loads[int(first[2:])] == min(loads)


@settings(max_examples=40)
@given(st.text(), st.integers(0, 8), st.sets(st.sampled_from(["m/0", "m/1", "m/2"]), min_size=1))
def test_what_belongs_together_stays_unless_it_is_too_busy_there_or_cannot_be_used(
    key: str, calls: int, able: set[str]
) -> None:
    group = Group("m", tuple(Member(f"m/{at}") for at in range(3)))
    home = next(name for name in ordered(group, key) if name in able)
    order = ordered(group, key, {home: (calls, calls)}, 2.0, able.__contains__)
    first = next(name for name in order if name in able)
    assert (first == home) == (calls <= 2 or len(able) == 1)
