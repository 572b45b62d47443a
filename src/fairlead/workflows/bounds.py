"""Time in a definition: what could never be waited for, and waits that are not clear."""

from collections.abc import Iterator, Sequence

from msgspec import UNSET

from fairlead.workflows.definition import Definition, Step
from fairlead.workflows.graph import lists_of
from fairlead.workflows.known import Fault, Path
from fairlead.workflows.nodes import WaitNode, seconds


def bound_faults(definition: Definition) -> Iterator[Fault]:
    """Faults of time, and waits that are not clear."""
    most = None if definition.timeout is None else seconds(definition.timeout)
    yield from _times(definition.steps, ("steps",), most)


def _times(steps: Sequence[Step], path: Path, most: int | None) -> Iterator[Fault]:
    """`most` are the seconds within which all of this must be over."""
    for number, step in enumerate(steps):
        at, inside = (*path, number), most
        if step.timeout is not None:
            own = seconds(step.timeout)
            if most is not None and own > most:
                message = f"`{step.id}` may take {step.timeout}, and all around it is over before that"
                yield Fault(path=(*at, "timeout"), message=message, mend="shorten it, or lengthen what is around it")
            inside = own if most is None else min(own, most)
        yield from _waiting(step, at, inside)
        for _, keys, inner in lists_of(step):
            yield from _times(inner, (*at, *keys), inside)


def _waiting(step: Step, path: Path, most: int | None) -> Iterator[Fault]:
    node = step.wait
    if node is not None:
        yield from _clear(node, (*path, "wait"), most)
        if node.for_ is not None and most is not None and seconds(node.for_) > most:
            message = f"`{step.id}` waits for {node.for_}, and its time is over before that"
            yield Fault(path=(*path, "wait", "for"), message=message, mend="wait for less, or raise the `timeout`")
    approval = step.approval
    if approval is not None:
        if approval.unanswered != "fail" and most is None:
            message = f"`unanswered: {approval.unanswered}` never comes about: the question has no end"
            yield Fault(path=(*path, "approval", "unanswered"), message=message, mend="give the step a `timeout`")
        if approval.escalate is not None and most is not None and seconds(approval.escalate.after) >= most:
            message = f"`{step.id}` is over before it is escalated"
            yield Fault(path=(*path, "approval", "escalate", "after"), message=message, mend="escalate sooner")
        if most is None:
            message = f"`{step.id}` may wait for ever"
            yield Fault(path=path, message=message, mend="give the step a `timeout`, such as 7d", remark=True)


def _clear(node: WaitNode, path: Path, most: int | None) -> Iterator[Fault]:
    if sum(map(bool, (node.for_, node.until, node.signal))) != 1:
        yield Fault(path=path, message="it is not clear what is waited for", mend="say `for`, `until` or `signal`")
    if node.default is not UNSET and (not node.signal or most is None):
        message = "a `default` stands for a signal that does not come in time"
        yield Fault(path=(*path, "default"), message=message, mend="give the step a `signal` and a `timeout`")
