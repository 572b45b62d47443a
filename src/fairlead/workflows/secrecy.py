"""What a workflow with `secrecy: memory` cannot do, told before it is published: nothing of such a run is written, so
it cannot wait for people, nor be taken up by another process."""

from collections.abc import Iterator
from typing import Any, Final

from fairlead.workflows.definition import Definition, Step
from fairlead.workflows.graph import every_step
from fairlead.workflows.known import Fault, Known, Path
from fairlead.workflows.nodes import RetrySettings, seconds
from fairlead.workflows.recalling import REMEMBER
from fairlead.workflows.walk import LONGEST_WAIT

_MEMORY: Final = "memory"
_SEALED: Final = "say `secrecy: sealed`, which keeps what it knows encrypted"
_DECIDES: Final = "declassify."


def secrecy_faults(definition: Definition, known: Known) -> Iterator[Fault]:
    """What does not go with what the definition says of secrecy."""
    if definition.secrecy != _MEMORY:
        yield from _secret_parts(definition, known)
        return
    for key in ("schedule", "queue", "at_once"):
        if getattr(definition, key):
            message = "a run with `secrecy: memory` is begun by whoever waits for it, in the process that answers them"
            yield Fault(
                path=(key,), message=f"{message}: `{key}` says nothing to it", mend=f"leave it out, or {_SEALED}"
            )
    for path, step, inside in _all_steps(definition, known):
        for where, why in _parks(step):
            within = f", in the subflow `{inside}`" if inside else ""
            message = f"`{step.id}`{within} {why}, which a run with `secrecy: memory` cannot"
            yield Fault(path=path if inside else (*path, *where), message=message, mend=_SEALED)
        yield from _may_ask(path, step, known)


def _secret_parts(definition: Definition, known: Known) -> Iterator[Fault]:
    for path, step in every_step(definition.steps):
        name = step.subflow.workflow if step.subflow is not None else ""
        if name in known.workflows and known.workflows[name].secrecy == _MEMORY:
            message = f"`{name}` says `secrecy: memory`, and what it knows would be kept with this run"
            yield Fault(path=(*path, "subflow", "workflow"), message=message, mend="say `secrecy: memory` here too")


def _all_steps(definition: Definition, known: Known) -> Iterator[tuple[Path, Step, str]]:
    """Its steps and those of its subflows, these at the step that has them, with the subflow's name."""
    for path, step in every_step(definition.steps):
        yield path, step, ""
        names, seen = [step.subflow.workflow] if step.subflow is not None else [], set[str]()
        while names:
            name = names.pop()
            if name in seen or name not in known.workflows:
                continue
            seen.add(name)
            for _, inner in every_step(known.workflows[name].steps):
                yield (*path, "subflow", "workflow"), inner, name
                if inner.subflow is not None:
                    names.append(inner.subflow.workflow)


def _parks(step: Step) -> Iterator[tuple[Path, str]]:
    """Where in a step a run would have to park, and in what words."""
    if step.approval is not None:
        yield ("approval",), "waits for people"
    if step.wait is not None and (step.wait.signal or step.wait.until):
        key = "signal" if step.wait.signal else "until"
        yield ("wait", key), "waits for somebody" if step.wait.signal else "waits until a moment that nobody knows yet"
    if step.wait is not None and step.wait.for_ is not None and seconds(step.wait.for_) > LONGEST_WAIT:
        yield ("wait", "for"), f"waits longer than {LONGEST_WAIT // 60} minutes"
    node: Any = getattr(step, step.kind)
    if getattr(node, "expert", None) is not None:
        yield (step.kind, "expert"), "may wait for an expert"
    if step.parallel is not None and step.parallel.agree is not None and step.parallel.agree.role:
        yield ("parallel", "agree", "role"), "may wait for who decides where branches differ"
    if step.retry is not None and _longest(step.retry) > LONGEST_WAIT:
        yield ("retry",), f"may wait longer than {LONGEST_WAIT // 60} minutes before another attempt"
    for number, name in enumerate(_calls(step)):
        if name.startswith(_DECIDES):
            where: Path = ("tool", "call") if step.tool is not None else ("agent", "tools", number)
            yield where, "calls a tool that always waits for an approval"
        if name == REMEMBER:
            yield (step.kind,), "keeps what it knows in a memory"


def _may_ask(path: Path, step: Step, known: Known) -> Iterator[Fault]:
    for name in _calls(step):
        tool = known.tools.get(name)
        for role in sorted(tool.asks) if tool is not None else ():
            message = (
                f"`{name}` may ask {role} for an approval: where it does, `{step.id}` fails, since nothing can wait"
            )
            yield Fault(path=(*path, step.kind), message=message, mend=_SEALED, remark=True)


def _calls(step: Step) -> tuple[str, ...]:
    if step.tool is not None:
        return (step.tool.call,)
    return step.agent.tools if step.agent is not None else ()


def _longest(retry: RetrySettings) -> float:
    """Seconds of the longest wait between two attempts."""
    if retry.attempts < 2:
        return 0.0
    last: float = seconds(retry.wait) * retry.backoff ** (retry.attempts - 2)
    return min(float(seconds(retry.most_wait)), last)
