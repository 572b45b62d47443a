"""What the records tell of how task types are asked for: by whom, how often, and what their answers rested on. Pure."""

from collections import Counter
from collections.abc import Iterable

from fairlead.context.citations import reference_of
from fairlead.context.readiness import Traffic
from fairlead.costs.record import Record

_ASKED = "call_model"
_CALLED = "call_tool"
_WANTED_CONTEXT = frozenset({"no_context", "insufficient_context"})
"""The codes of errors by which a question was turned away for want of context."""


def traffic_of(records: Iterable[Record]) -> Traffic:
    """The traffic in these records. What a judge was asked, and what was only priced, is none."""
    calls, lacked = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    refused, uncited, tools = Counter[str](), Counter[str](), Counter[str]()
    cited: dict[str, Counter[str]] = {}
    for record in records:
        if record.kind == _CALLED and record.outcome != "refused":
            tools[record.tool] += 1
        if record.kind != _ASKED or not record.task or record.judges or record.outcome == "estimated":
            continue
        calls[record.task, record.department] += 1
        if any(state != "met" for _, state in record.required):
            lacked[record.task, record.department] += 1
        if record.error is not None and record.error.code in _WANTED_CONTEXT:
            refused[record.task] += 1
        elif record.outcome == "done" and not record.citations:
            uncited[record.task] += 1
        for item in {reference_of(each).item for each in record.citations}:
            cited.setdefault(record.task, Counter())[item] += 1
    return Traffic(calls=calls, lacked=lacked, refused=refused, uncited=uncited, cited=cited, tools=tools)
