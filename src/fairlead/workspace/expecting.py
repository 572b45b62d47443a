"""What is expected today of the models that might have done a recorded piece of work."""

from fairlead.costs.prices import cost
from fairlead.costs.record import Record
from fairlead.labels import NO_LABELS
from fairlead.models.types import AUTO, Usage
from fairlead.routing.learned import NO_FEATURES, Predictor
from fairlead.routing.order import order
from fairlead.tasks.decisions import Option
from fairlead.tasks.types import Task
from fairlead.workspace.compile import Workspace
from fairlead.workspace.simulating import Expects


def expects_of(workspace: Workspace, predictor: Predictor | None) -> Expects:
    """By the tokens of the record and the prices of the workspace; scores by kind of work, since the text is gone."""
    models, rates = workspace.models.models, workspace.rates
    chats = {name: each for name, each in models.items() if each.space is None and name in rates}

    def expects(record: Record) -> tuple[Option, ...]:
        used, type_ = record.usage, workspace.tasks.types.get(record.task, workspace.tasks.default)
        if used is None:
            return ()
        task = Task(type=type_, labels=NO_LABELS, question="")
        names, _ = order(task, AUTO, chats, workspace.preferences, workspace.models.groups, record.run)
        dropped = {name for name, _ in record.dropped}
        units = dict[str, str]()
        for name in names:
            if name in chats and name not in dropped:
                units.setdefault(chats[name].group or name, name)
        usage = Usage(input=used.input, output=used.output)
        known = predictor.predict(record.task, NO_FEATURES, list(units)) if predictor is not None else ()
        scores = {each.model: round(each.p * 10_000) for each in known}
        return tuple(
            Option(model=unit, declared=place, cost=cost(usage, rates[name]), p=scores.get(unit))
            for place, (unit, name) in enumerate(units.items())
        )

    return expects
