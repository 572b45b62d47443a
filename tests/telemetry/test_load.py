"""Load by layer: shares of own work, percentiles over actions, waiting beside it."""

import pytest

from fairlead.telemetry import STAGES, Span, load_by_layer
from fairlead.telemetry.load import LAYERS


def span(name: str, own: int, parent: int = -1, waited: int = 0) -> Span:
    return Span(name=name, parent=parent, start=0, elapsed=own + waited, waited=waited, own=own)


def test_every_stage_has_its_layer() -> None:
    assert set(STAGES) <= set(LAYERS)


def test_shares_are_of_own_work_and_the_largest_comes_first() -> None:
    rows = load_by_layer([(span("plan", 3_000), span("stitch", 1_000, waited=90_000))])
    assert [(row.layer, row.share, row.mean, row.waited) for row in rows] == [
        ("routing", 0.75, 3.0, 0.0),
        ("context", 0.25, 1.0, 90.0),
    ]


def test_an_unknown_step_belongs_to_the_layer_around_it() -> None:
    rows = load_by_layer([(span("stitch", 1_000), span("rank", 2_000, parent=0), span("warm up", 1_000))])
    assert {row.layer: row.mean for row in rows} == {"context": 3.0, "other": 1.0}


def test_actions_that_never_reached_a_layer_count_as_zero() -> None:
    refused = (span("authorize", 1_000),)
    done = (span("authorize", 1_000), span("plan", 5_000))
    (policy, routing) = sorted(load_by_layer([refused, refused, done, done, done]), key=lambda row: row.layer)
    assert (policy.p50, policy.p95) == (1.0, 1.0)
    assert (routing.mean, routing.p50, routing.p95) == (3.0, 5.0, 5.0)
    (_, seldom) = sorted(load_by_layer([refused, refused, done]), key=lambda row: row.layer)
    assert (seldom.p50, seldom.p95) == (0.0, 5.0)


def test_the_means_add_up_to_the_work_of_an_action() -> None:
    traces = [tuple(span(stage, 100 * number + index) for index, stage in enumerate(STAGES)) for number in range(20)]
    rows = load_by_layer(traces)
    assert sum(row.mean for row in rows) == pytest.approx(sum(s.own for t in traces for s in t) / 20 / 1_000)
    assert sum(row.share for row in rows) == pytest.approx(1)


def test_no_action_is_no_load() -> None:
    assert load_by_layer([]) == ()
    assert load_by_layer([()]) == ()
