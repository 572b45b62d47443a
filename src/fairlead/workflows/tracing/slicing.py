"""Where a value of a run came from: back through the steps that handed it on to what systems, pages, people, the input
and models said. Of runs that ended well too.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.errors import BadInput, NotFound
from fairlead.workflows.tracing.dataflow import Dataflow, Spot, Taken, at_path
from fairlead.workflows.tracing.facts import Facts
from fairlead.workflows.tracing.leaves import paths_of
from fairlead.workflows.tracing.looking import Aim
from fairlead.workflows.tracing.matching import Path, atom_of, atoms, holds, shown_path
from fairlead.workflows.tracing.replaying import Rerun
from fairlead.workflows.tracing.searching import Search
from fairlead.workflows.tracing.suspects import Cause, Suspect

_KEY: Final = re.compile(r"\.?([A-Za-z_][\w-]*)|\[(\d+)\]")
_OUTPUT: Final = ("result", "output")
_MOST: Final = 20  # leaves of a value that are traced, and places at which a text stands
_SAID: Final[dict[Cause, str]] = {
    "bad_tool_result": "a system said so, and something speaks against it",
    "hallucinated_value": "a model said so first",
    "stale_context": "a page said so, and does not by now",
    "data": "a system, a page or a function said so",
    "input": "the run was given it",
    "person": "people said so",
    "definition": "the workflow itself says so",
}


class Source(Struct, frozen=True):
    """Where a value came from. `what` is that in a few words, `found` the step, model, tool or page and the chain;
    `run` is the governed action that gave it, "" for none."""

    what: str
    found: Suspect
    run: str = ""


class Origins(Struct, frozen=True, kw_only=True):
    """A value of a run, by the name that it has there, and where it came from; `models` by the steps of the chains."""

    name: str
    value: Any
    sources: tuple[Source, ...]
    models: dict[str, str]


def origins(run: Rerun, facts: Facts, asked: str) -> list[Origins]:
    """Of what is asked for: a path (`result.total`, `steps.offer.value.total`, `lines[1].look.value`, `input.article`),
    or a text or number as it stands somewhere in the run, in its output first. Raises `BadInput` for a path that leads
    nowhere, `NotFound` for what the run says nowhere."""
    flow = Dataflow(run)
    named = _by_path(flow, asked)
    found = list(_by_text(flow, asked)) if named is None else [named]
    return [_traced(flow, facts, name, takens) for name, takens in found]


def _traced(flow: Dataflow, facts: Facts, name: str, takens: list[Taken]) -> Origins:
    search = _Slice(flow, facts)
    search.from_(list(_aims(takens))[:_MOST])
    ordered = {(each.cause, each.place, each.input, str(each.value)): each for each in search.found}
    value = takens[0].value if len(takens) == 1 else [each.value for each in takens]
    actions = {met.at.text: met.action for met in flow.run.met.values()}
    sources = tuple(
        Source(_SAID.get(each.cause, each.cause.replace("_", " ")), each, actions.get(each.place, ""))
        for each in ordered.values()
    )
    places = {link.place for each in search.found for link in each.chain}
    return Origins(name=name, value=value, sources=sources, models=search.models_at(places))


def _aims(takens: list[Taken]) -> Iterator[Aim]:
    for each in takens:
        leaves = list(atoms(each.value))
        for path, atom in leaves:
            yield Aim(Spot(each.spot.place, (*each.spot.path, *path)), atom, plainly=True, chain=())
        if not leaves:
            yield Aim(each.spot, None, plainly=True, chain=())


class _Slice(Search):
    """A search that tells of every end that it comes to, also where nothing is to be blamed."""

    def _looked_at(self, aim: Aim) -> list[Aim]:
        before = len(self.found)
        onward = super()._looked_at(aim)
        passed = self._flow.run.steps.get(aim.spot.place)
        if not onward and len(self.found) == before and passed is not None:
            here = replace(aim, chain=(*aim.chain, self._link(passed, aim)))
            model = self.models_at({passed.at.text}).get(passed.at.text, "")
            why = "it was judged, or worked out, here" if model else "the workflow makes it here"
            cause: Cause = "hallucinated_value" if model else "definition"
            self.suspect(cause, 0.3, here, why, passed, model=model, input=shown_path(aim.spot.path))
        return onward

    def models_at(self, places: set[str]) -> dict[str, str]:
        """Which model did the work of these steps."""
        found = {}
        for place in sorted(places):
            passed = self._flow.run.steps.get(place)
            asked = [each for each in self._flow.effects(passed) if each.kind in ("model", "turn")] if passed else []
            if asked and (model := self._model(asked[-1])):
                found[place] = model
        return found


# ---- what is asked for -----------------------------------------------------------------------------------------------


def _by_path(flow: Dataflow, asked: str) -> tuple[str, list[Taken]] | None:
    """The value at a path; None where what is asked for is none."""
    keys = _keys(asked)
    if not keys:
        return None
    if keys[0] in _OUTPUT:
        return asked, _required(asked, _narrowed(flow, keys[1:]))
    if keys[0] == "input" and len(keys) > 1:
        value = at_path(flow.run.opened.begun.input, keys[1:])
        return asked, _required(asked, [Taken(asked, value, Spot("", keys))])
    text = asked.removeprefix("steps.")
    fitting = [
        each for each in flow.run.steps.values() if text == each.at.text or text.startswith(_after(each.at.text))
    ]
    if not fitting:
        return None
    step = max(fitting, key=lambda each: len(each.at.text))
    rest = _keys(text.removeprefix(step.at.text)) or ("value",)
    path = rest if rest[0] in ("value", "text") else ("value", *rest)
    result = step.result or (step.failed.result if step.failed is not None else None)
    value = None if result is None else at_path({"value": result.value, "text": result.text}, path)
    return asked, _required(asked, [Taken(asked, value, Spot(step.at.text, path))])


def _narrowed(flow: Dataflow, path: Path) -> list[Taken]:
    """Of what the output was made of, what the values at a path of it are: all of it where they stand nowhere there."""
    made, takens = flow.run.made, flow.output(path)
    value = at_path(made.get("value") if isinstance(made, Mapping) else None, path)
    found = [
        Taken(each.name, at_path(each.value, inner), Spot(each.spot.place, (*each.spot.path, *inner)))
        for below, atom in atoms(value)
        for each in takens
        for inner in paths_of(each.value, atom, (*path, *below))
    ]
    return found or (takens if value is not None else [])


def _after(place: str) -> tuple[str, ...]:
    return (f"{place}.", f"{place}[")


def _keys(asked: str) -> Path:
    """The keys of a path, () where it is none."""
    keys: list[str | int] = []
    end = 0
    while end < len(asked):
        found = _KEY.match(asked, end)
        if found is None or (found[0].startswith(".") and not end and not keys and found[1] is None):
            return ()
        keys.append(found[1] if found[1] is not None else int(found[2]))
        end = found.end()
    return tuple(keys)


def _required(asked: str, found: list[Taken]) -> list[Taken]:
    if not found or all(each.value is None for each in found):
        raise BadInput(
            f"the run has no value at {asked}",
            why="it did not come to it, or gave nothing of the name",
            mend="result.KEY, steps.ID.value.KEY, input.KEY, or a text as it stands; `fairlead trace RUN` lists steps",
            subject=asked,
        )
    return found


def _by_text(flow: Dataflow, asked: str) -> Iterator[tuple[str, list[Taken]]]:
    """Where a text or number stands: in the output, else in the last steps that say it. Raises `NotFound`."""
    atom = atom_of(asked)
    if atom is None:
        raise BadInput(f"{asked!r} is no value", mend="a path such as result.total, or a text or number of the run")
    whole = flow.output(())
    places = [(taken, path) for taken in whole for path, each in atoms(taken.value) if each == atom]
    if not places:
        places = [(taken, path) for taken in whole if (path := holds(taken.value, atom)) is not None]
    if not places:
        places = [(taken, path) for taken in _results(flow) if (path := holds(taken.value, atom)) is not None][:1]
    if not places:
        raise NotFound(
            f"the run says {asked!r} nowhere", mend="write it as it stands there, or name it by its path", subject=asked
        )
    for taken, path in places[:_MOST]:
        spot = Spot(taken.spot.place, (*taken.spot.path, *path))
        yield f"{taken.name}{shown_path(('', *path))}", [Taken(taken.name, at_path(taken.value, path), spot)]


def _results(flow: Dataflow) -> Iterator[Taken]:
    """What steps gave, the last first."""
    for each in reversed(flow.run.steps.values()):
        result = each.result or (each.failed.result if each.failed is not None else None)
        if result is not None:
            yield Taken(f"{each.at.text}.value", result.value, Spot(each.at.text, ("value",)))
