from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.models.deployments import Group, Member, ordered

GROUP = Group("house", (Member("house/a", 0, 3.0), Member("house/b", 0, 1.0), Member("house/c", 1, 5.0)))


@given(st.text())
def test_every_deployment_comes_once_and_lower_priorities_come_first(key: str) -> None:
    order = ordered(GROUP, key)
    assert sorted(order) == ["house/a", "house/b", "house/c"]
    assert order[-1] == "house/c"


@given(st.text())
def test_what_belongs_together_goes_to_the_same_place(key: str) -> None:
    assert ordered(GROUP, key) == ordered(GROUP, key)


def test_each_comes_first_as_often_as_its_weight_says() -> None:
    first = Counter(ordered(GROUP, f"run_{number}")[0] for number in range(4000))
    assert first["house/a"] / 4000 == pytest.approx(0.75, abs=0.03)


def test_a_deployment_that_goes_moves_only_its_own_share() -> None:
    fewer = Group("house", GROUP.members[1:])
    keys = [f"run_{number}" for number in range(500)]
    moved = [key for key in keys if ordered(GROUP, key)[0] != ordered(fewer, key)[0]]
    assert all(ordered(GROUP, key)[0] == "house/a" for key in moved)
