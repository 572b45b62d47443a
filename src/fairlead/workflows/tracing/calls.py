"""Results of tools, and what an agent called them with: what speaks against them."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from fairlead.workflows.tracing.dataflow import Taken, at_path
from fairlead.workflows.tracing.evidence import (
    Against,
    against_nothing,
    against_others,
    against_pages,
    against_result,
    against_unlike,
)
from fairlead.workflows.tracing.facts import Page
from fairlead.workflows.tracing.from_records import Met
from fairlead.workflows.tracing.leaves import empties
from fairlead.workflows.tracing.looking import Aim, Looking
from fairlead.workflows.tracing.matching import Path, atoms, holds, shown_path
from fairlead.workflows.tracing.replaying import Passed
from fairlead.workflows.tracing.telling import is_telling, says_itself
from fairlead.workflows.walk import Place

_NO_ITEMS: Final = 0.42  # of an empty list: there may be none
_WENT_ON: Final = 0.7  # how much a refusal counts after which an agent went on


class Calls(Looking):
    """The part of a search that looks at tools."""

    def _result(self, call: Met, aim: Aim, path: Path, takens: Sequence[Taken]) -> list[Aim]:
        """A value of a tool's result: what speaks against it, and what the tool was given. Where too much was looked at
        before it is a suspect all the same: it bears the value out."""
        name = f"tool:{call.name}" + (f"#{shown_path(path)}" if path else "")
        model = self._asked_by(call)
        self._left -= 1
        found = self._against(call, path, converted=aim.converted) if self._left >= 0 else None
        if found is not None:
            name = f"tool:{call.name}" if found.whole else name
            about = {"input": name, "tool": call.name, "model": model, "rival": found.rival}
            self.suspect("bad_tool_result", found.weight, aim, found.why, call, **about)
        else:
            why = f"{call.name} says so, and nothing speaks against it"
            if self._left < 0:
                why = f"{call.name} says so; there was too much to look for what speaks against it"
            self.suspect("data", 0.4, aim, why, call, input=name, tool=call.name, model=model)
        return self._each(takens, aim)

    def _against(self, call: Met, path: Path, *, converted: bool = False) -> Against | None:
        schema = self._flow.run.program.bundle.results.get(call.name)
        calls = [each for each in self._flow.run.met.values() if each.kind == "tool" and each.result is not None]
        return (
            against_result(call, path, schema, self._facts.earlier(call))
            or (None if converted else against_unlike(call, path, calls))
            or against_others(call, path, calls)
            or against_pages(call, path, self._all_pages())
        )

    def _nothing(self, call: Met, aim: Aim, within: Path = ()) -> None:
        """What a result has nothing for, where what is in question is nothing."""
        if call.result is None or not aim.empty:
            return
        value, model = at_path(call.result.value, within), self._asked_by(call)
        for path in [(*within, *each) for each in empties(value)]:
            found, name = against_nothing(at_path(call.result.value, path)), f"tool:{call.name}"
            about = {"input": f"{name}#{shown_path(path)}" if path else name, "tool": call.name, "model": model}
            if found is not None:
                self.suspect("bad_tool_result", found.weight, aim, found.why, call, **about)
            else:
                self.suspect("data", _NO_ITEMS, aim, "there are no items in it", call, value=[], **about)

    def _asked_by(self, call: Met) -> str:
        """The model whose turn asked for a call, or was told beforehand what is remembered; "" where the workflow
        itself asked."""
        if "~memory" in call.at.path and (step := self._flow.step_of(call.at)) is not None:
            return self._model(self._flow.effects(step)[-1])
        turn = self._flow.run.met.get(Place(call.at.run, call.at.path[:-1]).text)
        return self._model(turn) if turn is not None and turn.kind == "turn" else ""

    def _all_pages(self) -> list[Page]:
        return [page for each in self._flow.run.met.values() if each.action for page in self._read(each)]

    def _failed_call(self, call: Met, aim: Aim) -> None:
        assert call.failed is not None
        change = self._facts.changed(call.failed.run) if call.failed.run else None
        model = self._asked_by(call)
        if call.kind != "tool" and change is None and call.failed.kind != "refused":
            model = self._model(call)
            self.suspect("model_error", 0.6, aim, call.failed.message, call, model=model, input="prompt")
        elif call.failed.kind == "refused" and change is not None:
            self.suspect("policy_change", 0.98, aim, change.said, call, tool=call.name, model=model, input=change.rule)
        elif call.failed.code == "denied":
            self.suspect("policy", 0.6, aim, call.failed.message, call, tool=call.name, model=model)
        else:
            self.suspect(
                "tool_error", self._got_over(call), aim, call.failed.message, call, tool=call.name, model=model
            )

    def _lost(self, effects: Sequence[Met], aim: Aim) -> None:
        """Calls that an agent was refused by a rule that came meanwhile: it went on with what it had."""
        for call in effects:
            failed = call.failed if call.kind == "tool" else None
            if failed is not None and failed.kind == "refused" and failed.run and self._facts.changed(failed.run):
                self._failed_call(call, replace(aim, part=aim.part * _WENT_ON))

    def _took_over(self, passed: Passed, aim: Aim) -> None:
        """A step that failed, so that its `otherwise` gave the value: what it failed of."""
        failed = passed.caught
        inner = passed if failed is None else self._flow.run.steps.get(failed.at, passed)
        tried = [each for each in self._flow.effects(inner) if each.failed is not None and each.failed.run]
        if tried:
            self._failed_call(tried[-1], aim)
        elif failed is not None:
            asks = inner.compiled.step.kind in ("model", "agent")
            input = "prompt" if asks else ""
            self.suspect("model_error" if asks else "tool_error", 0.6, aim, failed.message, inner, input=input)

    def _got_over(self, call: Met) -> float:
        """How much an error of a tool weighs: little where the agent called it wrongly, or went on to a result."""
        agent = call.at.path[:-2]
        later = [
            each for each in self._flow.run.met.values() if each.at.path[: len(agent)] == agent and each.at > call.at
        ]
        went_on = any(each.kind == "tool" and each.result is not None for each in later)
        return 0.3 if went_on or (call.failed is not None and call.failed.kind == "refused") else 0.6

    def _argued(
        self, passed: Passed, call: Met, effects: Sequence[Met], takens: Sequence[Taken], aim: Aim
    ) -> list[Aim]:
        """What an agent called a tool with: each argument is to stand in what it was given by then."""
        before = [each for each in effects if each.at < call.at and each.kind == "tool" and each.result is not None]
        found: list[Aim] = []
        for path, atom in atoms(call.given):
            inner = replace(aim, atom=atom)
            known = self._matched(takens, inner)
            told = any(holds(each.result.value, atom) is not None for each in before if each.result is not None)
            read = any(holds(page.text, atom) is not None for one in effects for page in self._read(one))
            fixed = says_itself(passed, atom)
            found += known
            if not (known or told or read or fixed) and is_telling(atom, path, plainly=False):
                name = f"tool:{call.name}#arguments.{shown_path(path)}"
                why = "it was called with what nothing bears out that the model was given"
                model = self._asked_by(call)
                self.suspect("hallucinated_value", 0.8, inner, why, call, tool=call.name, model=model, input=name)
        return found
