import pytest

from fairlead.identity.types import Caller
from fairlead.labels import NO_LABELS
from fairlead.models.types import Model, Placement
from fairlead.tasks.types import Task, TaskType


@pytest.fixture
def ann() -> Caller:
    return Caller(
        person="ann", groups=frozenset({"finance", "staff"}), department="controlling", roles=frozenset({"lead"})
    )


@pytest.fixture
def cloud() -> Model:
    return Model(
        name="far", endpoint="e", remote="r", placement=Placement("cloud", region="eu", vendor="v", retention_days=30)
    )


@pytest.fixture
def local() -> Model:
    return Model(name="near", endpoint="e", remote="r", placement=Placement("device"))


@pytest.fixture
def task() -> Task:
    return Task(type=TaskType(name="billing"), labels=NO_LABELS, question="?")
