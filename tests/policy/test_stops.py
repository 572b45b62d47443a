"""Whom and what a stop hits, and whom it leaves alone."""

import pytest

from fairlead.identity.types import Caller
from fairlead.models.types import Model, Placement
from fairlead.policy.stops import KINDS, Stop, Stops, compile_stops, systems_of

KIM = Caller(person="kim", department="sales", agent="bot")
LEE = Caller(person="lee", department="finance")


def stop(kind: str, name: str = "", *, until: int = 0, ends: bool = False) -> Stop:
    return Stop(id="deed_1", kind=kind, name=name, reason="odd", by="os:op", at=1, until=until, ends=ends)  # type: ignore[arg-type]


def model(name: str, endpoint: str, group: str = "") -> Model:
    return Model(name=name, endpoint=endpoint, remote="x", placement=Placement("cloud"), group=group)


def test_nothing_stopped_is_no_object_at_all() -> None:
    assert compile_stops([]) is None


@pytest.mark.parametrize(
    ("kind", "name"), [("organisation", ""), ("department", "sales"), ("person", "kim"), ("agent", "bot")]
)
def test_a_stop_hits_whom_it_names_and_nobody_else(kind: str, name: str) -> None:
    stops = Stops([stop(kind, name)])
    assert stops.of_caller(KIM, 5) is not None
    assert (stops.of_caller(LEE, 5) is not None) == (kind == "organisation")


def test_a_caller_without_an_agent_or_a_department_is_hit_by_no_stop_of_one() -> None:
    bare = Caller(person="max")
    assert Stops([stop("agent", "bot"), stop("department", "sales")]).of_caller(bare, 5) is None


def test_a_stop_ends_at_its_moment() -> None:
    stops = Stops([stop("person", "kim", until=10)])
    assert stops.of_caller(KIM, 9) is not None
    assert stops.of_caller(KIM, 10) is None


def test_only_a_stop_that_says_so_ends_what_is_under_way() -> None:
    assert Stops([stop("person", "kim")]).of_caller(KIM, 5, ending=True) is None
    assert Stops([stop("person", "kim", ends=True)]).of_caller(KIM, 5, ending=True) is not None


def test_a_model_is_hit_by_its_name_its_group_and_what_serves_it() -> None:
    models = {
        "a": model("a", "vendor"),
        "b/one": model("b/one", "vendor@host:80#2", group="b"),
        "c": model("c", "other@host:81"),
    }
    hit = {
        (kind, name): set(Stops([stop(kind, name)]).of_models(models, 5))
        for kind, name in [
            ("model", "a"), ("model", "b"), ("model", "b/one"), ("system", "vendor"), ("system", "host:81"),
            ("system", "vendor@host:80"),
        ]
    }  # fmt: skip
    assert list(hit.values()) == [{"a"}, {"b/one"}, {"b/one"}, {"a", "b/one"}, {"c"}, {"b/one"}]
    assert all(systems_of(each) for each in models.values())


def test_every_kind_hits_callers_or_models() -> None:
    for kind in KINDS:
        stops = Stops([stop(kind, "x")])
        stopped = stops.of_caller(Caller(person="x", department="x", agent="x"), 5) is not None
        assert stopped != bool(stops.of_models({"x": model("x", "x")}, 5))
