"""What a reply is asked as a whole, once it is complete: whether it has what it must have, whether it is grounded, and
what a judge says of it.

Each rule finds a category of its own where it is not met, and stands for a Cedar policy that judges it: scope and mode
are Cedar's, as with every other rule.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal
from unicodedata import normalize

from msgspec import Struct

from fairlead.models.types import Passage
from fairlead.policy.grounding import cited_support, declines, support
from fairlead.policy.rules import mode_note, scope_tests
from fairlead.policy.settings import GroundingSetting, JudgeSetting, Mode, RequireSetting, RulesFile
from fairlead.policy.sources import quoted


class Question(Struct, frozen=True):
    """What a model is asked of a reply. `at_least` is a score of 0 to 10, None where it must answer yes."""

    model: str
    ask: str
    at_least: int | None
    on_error: Literal["withhold", "allow"]
    mode: Mode


class Ending(Struct, frozen=True):
    """One rule. `text` is what a reply must say; with a `share`, how much of it must be supported (by what it cites:
    `cited`), and `text` is what is added where it is not; `question` is what a judge is asked of it."""

    name: str
    cedar: str
    text: str = ""
    share: float = 0.0
    cited: bool = False
    question: Question | None = None

    def is_met(self, reply: str, passages: Sequence[Passage]) -> bool:
        """Whether a complete reply is as the rule wants it, as far as can be told without a judge."""
        if self.question is not None:
            return True
        if not self.share:
            return _plain(self.text) in _plain(reply)
        if declines(reply):
            return True
        found = cited_support(reply, passages) if self.cited else support(reply, passages)
        return not found.invented and not found.contradicted and found.share >= self.share


def compiled(files: Mapping[str, RulesFile]) -> Iterator[tuple[str, Ending]]:
    """The rules of all files, each with its file."""
    for path, file in files.items():
        for each in file.require:
            lifted = f" @redact({quoted(each.name)})" if each.otherwise == "append" else ""
            said = each.reason or f"{each.name}: a text that belongs into such replies is missing"
            yield path, Ending(each.name, _cedar(each, said, lifted), text=each.text)
        for one in file.grounding:
            said = one.reason or f"{one.name}: too little of the reply rests on the organisation's pages"
            caveat = one.caveat if one.otherwise == "caveat" else ""
            lifted = f" @redact({quoted(one.name)})" if caveat else ""
            yield path, Ending(one.name, _cedar(one, said, lifted), text=caveat, share=one.share, cited=one.cited)
        for this in file.judge:
            said = this.reason or f"{this.name}: the reply has not passed its judge"
            question = Question(this.model, this.ask, this.at_least, this.on_error, this.mode)
            yield path, Ending(this.name, _cedar(this, said, ""), question=question)


def _cedar(rule: RequireSetting | GroundingSetting | JudgeSetting, said: str, lifted: str) -> str:
    tests = [f"context.categories.contains({quoted(rule.name)})", *scope_tests(rule)]
    return (
        f"@id({quoted(rule.name)}) @reason({quoted(said)}){lifted}{mode_note(rule)}\n"
        f'forbid(principal, action == Action::"release_reply", resource)\nwhen {{ {" && ".join(tests)} }};\n'
    )


def _plain(text: str) -> str:
    return " ".join(normalize("NFC", text).casefold().split())
