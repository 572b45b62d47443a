"""Where Fairlead's own work goes: the traces of many runs, added up by layer of orchestration.

Only a step's own time counts as load. Waiting for models, for the journal's disk or for systems is shown beside it,
because it costs patience and not processors.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from fairlead.telemetry.trace import Span

# Which layer a step belongs to. A step that is not listed belongs to the layer of the step that encloses it.
LAYERS = {
    "authenticate": "policy",
    "classify": "data preparation",
    "stitch": "context",
    "authorize": "policy",
    "plan": "routing",
    "queue": "routing",
    "reserve": "costs",
    "attempt": "routing",
    "check": "governance",
    "settle": "audit",
    "observe": "monitoring",
}
OTHER = "other"


class LayerLoad(Struct, frozen=True, kw_only=True):
    """One layer's part of the load. Times are in microseconds per action; `share` is of all layers' work, 0 to 1.

    `mean`, `p50` and `p95` are of the work; `waited` is the mean waiting. Actions that never reached the layer count
    as zero, so that the means of the layers add up to the mean of an action.
    """

    layer: str
    share: float
    mean: float
    p50: float
    p95: float
    waited: float


def load_by_layer(traces: Iterable[Sequence[Span]]) -> tuple[LayerLoad, ...]:
    """The load of these actions by layer, the largest first. Give one trace per run: its last record's, which holds
    the earlier ones."""
    worked: dict[str, list[int]] = {}
    waited: dict[str, int] = {}
    actions = 0
    for spans in traces:
        actions += 1
        for layer, own, waiting in _of_action(spans):
            worked.setdefault(layer, []).append(own)
            waited[layer] = waited.get(layer, 0) + waiting
    everything = sum(map(sum, worked.values()))
    rows = [_row(layer, sorted(times), waited[layer], actions, everything) for layer, times in worked.items()]
    return tuple(sorted(rows, key=lambda row: (-row.share, row.layer)))


def _of_action(spans: Sequence[Span]) -> Iterable[tuple[str, int, int]]:
    layers: list[str] = []
    own: dict[str, int] = {}
    waited: dict[str, int] = {}
    for span in spans:
        enclosing = layers[span.parent] if span.parent >= 0 else OTHER
        layer = LAYERS.get(span.name, enclosing)
        layers.append(layer)
        own[layer] = own.get(layer, 0) + span.own
        waited[layer] = waited.get(layer, 0) + span.waited
    return [(layer, own[layer], waited[layer]) for layer in own]


def _row(layer: str, times: list[int], waited: int, actions: int, everything: int) -> LayerLoad:
    total = sum(times)
    return LayerLoad(
        layer=layer,
        share=total / everything if everything else 0.0,
        mean=total / actions / 1_000,
        p50=_percentile(times, actions, 50),
        p95=_percentile(times, actions, 95),
        waited=waited / actions / 1_000,
    )


def _percentile(ascending: list[int], actions: int, percent: int) -> float:
    """The nearest rank among all actions, in microseconds; those that are not listed took no time."""
    rank = -(-actions * percent // 100)
    index = rank - 1 - (actions - len(ascending))
    return ascending[index] / 1_000 if index >= 0 else 0.0
