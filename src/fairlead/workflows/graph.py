"""Which step of a list comes after which: edges, an order, and what is sure to be over before."""

from collections.abc import Iterator, Mapping, Sequence

from fairlead.workflows.definition import Step


def follows_of(steps: Sequence[Step]) -> dict[str, tuple[str, ...]]:
    """For each step of a list those that it directly follows: what it says by `after`, else the one before it."""
    found: dict[str, tuple[str, ...]] = {}
    before: tuple[str, ...] = ()
    for step in steps:
        found[step.id] = before if step.after is None else step.after
        before = (step.id,)
    return found


def is_straight(steps: Sequence[Step]) -> bool:
    """Whether each follows the one before it, so that nothing happens at the same time."""
    return all(step.after is None for step in steps)


def ordered(steps: Sequence[Step]) -> list[Step]:
    """The steps so that each comes after all that it follows, otherwise as written. Those of a circle are left out."""
    follows, placed, left = follows_of(steps), set[str](), list(steps)
    found: list[Step] = []
    while ready := next((step for step in left if placed.issuperset(follows[step.id])), None):
        left.remove(ready)
        placed.add(ready.id)
        found.append(ready)
    return found


def circle_of(steps: Sequence[Step]) -> tuple[str, ...]:
    """Steps that each wait for the next and the last for the first, empty where there are none."""
    follows = follows_of(steps)
    left = {step.id for step in steps} - {step.id for step in ordered(steps)}
    if not left:
        return ()
    at, path = min(left), list[str]()
    while at not in path:
        path.append(at)
        waits = [each for each in follows[at] if each in left]
        if not waits:
            return ()  # it waits for a step that there is not: another problem
        at = waits[0]
    return tuple(path[path.index(at) :])


def before_each(steps: Sequence[Step]) -> dict[str, frozenset[str]]:
    """For each step of a list those that are over whenever it begins. Needs a list without circles."""
    follows = follows_of(steps)
    found: dict[str, frozenset[str]] = {}
    for step in ordered(steps):
        known = [each for each in follows[step.id] if each in found]
        found[step.id] = frozenset(known).union(*(found[each] for each in known))
    return found


def lists_of(step: Step) -> Iterator[tuple[str, tuple[str | int, ...], tuple[Step, ...]]]:
    """The lists of steps within a step: a name, the path of keys that leads there, and the steps."""
    if step.map is not None:
        yield "each", ("map", "steps"), step.map.steps
    if step.loop is not None:
        yield "turn", ("loop", "steps"), step.loop.steps
    for name, branch in step.parallel.branches.items() if step.parallel is not None else ():
        yield name, ("parallel", "branches", name), branch
    if step.switch is not None:
        for number, case in enumerate(step.switch.cases):
            yield f"case {number + 1}", ("switch", "cases", number, "steps"), case.steps
        if step.switch.otherwise:
            yield "otherwise", ("switch", "otherwise"), step.switch.otherwise
    if step.otherwise:
        yield "failed", ("otherwise",), step.otherwise


def every_step(
    steps: Sequence[Step], path: tuple[str | int, ...] = ("steps",)
) -> Iterator[tuple[tuple[str | int, ...], Step]]:
    """All steps at any depth, each with the path of keys that leads to it."""
    for number, step in enumerate(steps):
        yield (*path, number), step
        for _, below, inner in lists_of(step):
            yield from every_step(inner, (*path, number, *below))


def subflows_of(steps: Sequence[Step]) -> frozenset[str]:
    """The workflows that these steps use, compensations included."""
    names = set()
    for _, step in every_step(steps):
        if step.subflow is not None:
            names.add(step.subflow.workflow)
        if step.compensate is not None and step.compensate.subflow is not None:
            names.add(step.compensate.subflow.workflow)
    return frozenset(names)


def recursion_of(uses: Mapping[str, frozenset[str]], name: str) -> tuple[str, ...]:
    """The workflows by which one comes to use itself, empty where it does not."""
    found: list[str] = []

    def leads(at: str) -> bool:
        for each in sorted(uses.get(at, ())):
            if each == name:
                found.append(at)
                return True
            if each not in seen:
                seen.add(each)
                if leads(each):
                    found.append(at)
                    return True
        return False

    seen: set[str] = set()
    return (*reversed(found), name) if leads(name) else ()
