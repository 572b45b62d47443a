"""What a copy of a run would take over, do anew and change: planned before anything is written. Pure, but that it opens
what the run has sealed.

Whatever rests on something edited is done anew. What people have answered is asked again where the input or the
definition was edited, for nobody has agreed to that.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from fairlead.errors import BadInput
from fairlead.storage.workflow_rows import FAILED
from fairlead.storage.workflow_step_rows import Result
from fairlead.workflows.bundle import Bundle
from fairlead.workflows.cutting import ANY, Cut, Parts, parts_of, resolved, step_at, text_of
from fairlead.workflows.definition import Definition, Step
from fairlead.workflows.forms import Form
from fairlead.workflows.marks import ORIGIN, begun_by, is_mark
from fairlead.workflows.opened import Opened, unpacked
from fairlead.workflows.recorded import failure_in
from fairlead.workflows.steering import NotNow
from fairlead.workflows.templates import as_text
from fairlead.workflows.walk import UNDO, StepResult

_UNDO: Final = f".{UNDO}"
_TOLD: Final = ("model", "agent", "tool", "python")  # kinds whose result a person may give
_PEOPLE: Final = ("~expert", "~resolve")
_steps: Final = msgspec.json.Decoder(Definition)


class Fork(Struct, frozen=True, kw_only=True):
    """What is asked for. `results` and `models` are by step; `current` goes on with the definition in force now;
    `again` accepts that what changed something outside is done once more."""

    start: str = ""
    input: Any | UnsetType = UNSET
    results: Mapping[str, Any] = {}
    models: Mapping[str, str] = {}
    current: bool = False
    again: bool = False
    once: str = ""

    @property
    def digest(self) -> str:
        """The SHA-256 of what makes the copy another one: all but what is only said to have it done."""
        given = () if isinstance(self.input, UnsetType) else (self.input,)
        whole = (self.start, given, self.results, self.models, self.current)
        return sha256(msgspec.json.encode(whole, order="sorted")).hexdigest()


class Repeated(Struct, frozen=True):
    """Something outside that was changed, and would be changed again: where, and by what."""

    at: str
    does: str


class Plan(Struct, frozen=True, kw_only=True):
    """What a copy comes to. `taken` are rows of the run, `results` what is put in the place of some."""

    bundle: Bundle
    given: Any
    start: tuple[str, ...]
    taken: tuple[Result, ...]
    results: Mapping[str, StepResult]
    anew: tuple[str, ...]
    again: tuple[Repeated, ...]
    asked_again: tuple[str, ...]
    edited: tuple[str, ...]

    @property
    def kept(self) -> tuple[str, ...]:
        """The places whose results are taken over."""
        return tuple(each.place for each in self.taken if not is_mark(each.place))


def planned(
    opened: Opened, bundle: Bundle, fork: Fork, by: str, *, failed_at: str, writes: Callable[[str], bool]
) -> Plan:
    """The plan of a copy that goes on with this bundle. `by` is who edits, `failed_at` where the run failed, `writes`
    whether a tool changes anything. Raises `BadInput`, `NotNow`."""
    edited_bundle = _with_models(bundle, fork.models)
    targets = _targets(edited_bundle, fork, failed_at)
    cut = Cut(edited_bundle, [*targets, *(resolved(edited_bundle, each) for each in (*fork.results, *fork.models))])
    results = {_place(edited_bundle, each): _given(opened, each, value, by) for each, value in fork.results.items()}
    asked_anew = not isinstance(fork.input, UnsetType) or fork.current
    undone = _undone(opened)
    taken, dropped, asked = list[Result](), list[Result](), list[str]()
    for each in opened.results.values():
        if each.place == ORIGIN:
            continue
        if cut.drops(each.place) or (fork.current and each.status == "failed" and each.place.startswith(failed_at)):
            dropped.append(each)
        elif asked_anew and _is_answer(edited_bundle, each):
            asked.append(each.place)
        else:
            taken.append(each)
    _refuse_undone(opened, undone, taken)
    _refuse_failing(opened, cut, failed_at, fork, results)
    return Plan(
        bundle=edited_bundle,
        given=_input(opened, edited_bundle, fork),
        start=tuple(text_of(each) for each in cut.targets),
        taken=tuple(taken),
        results=results,
        anew=tuple(each.place for each in dropped if not is_mark(each.place) and _UNDO not in each.place),
        again=tuple(_repeated(opened, bundle, dropped, undone, results, writes)),
        asked_again=tuple(each for each in asked if not is_mark(each)),
        edited=_edited(fork),
    )


def _targets(bundle: Bundle, fork: Fork, failed_at: str) -> list[Parts]:
    if fork.start:
        return [resolved(bundle, fork.start)]
    if fork.results or fork.models:
        return []
    if failed_at:
        return [resolved(bundle, failed_at)]
    raise BadInput(
        "nothing says from where the copy is to go on",
        why="only a run that has failed has a step that goes without saying: the one that failed",
        mend="name a step: --from STEP; `fairlead workflow status RUN` tells them",
        param="from",
    )


def _with_models(bundle: Bundle, models: Mapping[str, str]) -> Bundle:
    """The bundle with other models for some steps."""
    for said, model in models.items():
        step = step_at(bundle, resolved(bundle, said))
        if step is None or step.kind not in ("model", "agent"):
            kind = "nothing" if step is None else f"a `{step.kind}`"
            why = "only a `model` or an `agent` asks one"
            raise BadInput(f"{said} is {kind}", why=why, mend="name a step that asks a model", param="models")
        definitions = {name: _asking(bundle.of(name), step.id, model) for name in (bundle.name, *bundle.subflows)}
        bundle = msgspec.structs.replace(bundle, definition=definitions.pop(bundle.name), subflows=definitions)
    return bundle


def _asking(definition: Definition, id: str, model: str) -> Definition:
    plain = msgspec.json.decode(msgspec.json.encode(definition))
    _set_model(plain, id, model)
    return _steps.decode(msgspec.json.encode(plain))


def _set_model(plain: Any, id: str, model: str) -> None:
    if isinstance(plain, list):
        for each in plain:
            _set_model(each, id, model)
    elif isinstance(plain, dict):
        if plain.get("id") == id:
            for kind in ("model", "agent"):
                if isinstance(node := plain.get(kind), dict):
                    node["model"] = model
                    node.pop("task", None)  # one request goes by a task type or by a model
        for each in plain.values():
            _set_model(each, id, model)


def _place(bundle: Bundle, said: str) -> str:
    parts = resolved(bundle, said)
    step = step_at(bundle, parts)
    if step is None or step.kind not in _TOLD or isinstance(parts[-1], int):
        what = f"a `{step.kind}`" if step else "no step"
        why = (
            "a person gives the result of a model, an agent, a tool or a function; what people answer is asked of them"
        )
        raise BadInput(f"the result of {said} cannot be given: it is {what}", why=why, mend="leave it out", param="set")
    if ANY in parts:
        mend = f"name which: {text_of(parts).replace('each', '0')}"
        raise BadInput(f"{said} is done several times", mend=mend, param="set")
    return text_of(parts)


def _given(opened: Opened, said: str, value: Any, by: str) -> StepResult:
    """A result as somebody gives it. What was known of the old one's labels stays known of it."""
    old = opened.results.get(said)
    labels = StepResult().labels
    if old is not None and old.status == "done":
        labels = unpacked(opened.key.open(old.place, old.sealed), StepResult).labels
    return StepResult(value=value, text=as_text(value), labels=labels, provenance=(f"person:{by}",))


def _input(opened: Opened, bundle: Bundle, fork: Fork) -> Any:
    given = opened.begun.input if isinstance(fork.input, UnsetType) else fork.input
    value, wrong = Form({"type": "object", **bundle.definition.input}, "input").taken(given)
    if wrong:
        mend = f"`fairlead workflow show {bundle.name}` tells what it takes"
        raise BadInput(f"the input of {bundle.name} does not fit: {wrong}", mend=mend, param="input")
    return value


def _is_answer(bundle: Bundle, row: Result) -> bool:
    """Whether people have said this: an approval, an expert's work, a choice between branches."""
    parts = parts_of(row.place)
    step = step_at(bundle, parts)
    said = any(isinstance(each, str) and each.startswith(_PEOPLE) for each in parts)
    return said or (step is not None and step.kind == "approval")


def _undone(opened: Opened) -> dict[str, None]:
    """The places that were taken back, in the order in which they were done."""
    places = [each.place for each in opened.results.values() if _UNDO in each.place and each.status == "done"]
    found = {place.partition(_UNDO)[0] for place in places}
    return dict.fromkeys(place for place in opened.results if place.partition("#")[0] in found)


def _refuse_undone(opened: Opened, undone: Mapping[str, None], taken: Iterable[Result]) -> None:
    kept = {each.place for each in taken}
    if first := next((place for place in undone if place in kept), ""):
        raise NotNow(
            f"{first} was undone when run {opened.run.id} ended",
            why="to go on behind it would rest on what was taken back",
            mend=f"begin the copy there or before: --from {first}",
            subject=first,
        )


def _refuse_failing(opened: Opened, cut: Cut, failed_at: str, fork: Fork, given: Mapping[str, Any]) -> None:
    """Raises `BadInput` where the copy would fail at once where the run has."""
    if opened.run.status != FAILED or not failed_at or fork.current or failed_at in given or cut.drops(failed_at):
        return
    raise BadInput(
        f"run {opened.run.id} failed at {failed_at}, and a copy from {text_of(cut.targets[0])} would fail there too",
        mend=f"begin it there: --from {failed_at}; or give what it should have given: --set {failed_at}=JSON",
        param="from",
    )


def _repeated(
    opened: Opened,
    bundle: Bundle,
    dropped: Iterable[Result],
    undone: Mapping[str, None],
    given: Mapping[str, Any],
    writes: Callable[[str], bool],
) -> Iterator[Repeated]:
    """What has changed something outside, or was cut off while it did, still stands, and would be done once more."""
    for row in dropped:
        cut_off = begun_by(row.place)
        place = cut_off or row.place
        if place in opened.results if cut_off else is_mark(place):
            continue  # what came of it stands in another row
        if _UNDO in place or place in undone or place in given:
            continue
        step = step_at(bundle, parts_of(place))
        plain = opened.key.open(row.place, row.sealed)
        if step is None or (row.status == "failed" and not failure_in(plain).may_be_done):
            continue
        if does := _changed(step, plain, writes):
            yield Repeated(place, does)


def _changed(step: Step, plain: Mapping[str, Any], writes: Callable[[str], bool]) -> str:
    """What changed something; "" for what only reads."""
    if step.python is not None and step.python.effect == "write":
        return f"python {step.python.function}"
    if step.tool is not None and writes(step.tool.call):
        return f"tool {step.tool.call}"
    for source in plain.get("provenance", ()) if step.agent is not None else ():
        kind, _, tool = source.partition(":")
        if kind == "tool" and writes(tool):
            return f"tool {tool}"
    return ""


def _edited(fork: Fork) -> tuple[str, ...]:
    """What was edited, for the record: names of places, and nothing of what they hold."""
    found = [*(["input"] * (not isinstance(fork.input, UnsetType))), *(["definition"] * fork.current)]
    return (*found, *(f"result {each}" for each in fork.results), *(f"model {each}" for each in fork.models))
