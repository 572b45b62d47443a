"""What a reply is asked as a whole, once it is complete: whether it has what it must have, and whether it is grounded.

Each rule finds a category of its own where it is not met, and stands for a Cedar policy that judges it: scope and mode
are Cedar's, as with every other rule.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from fairlead.models.types import Passage
from fairlead.policy.grounding import support
from fairlead.policy.rules import mode_note, scope_tests
from fairlead.policy.settings import GroundingSetting, RequireSetting, RulesFile
from fairlead.policy.sources import quoted


class Ending(Struct, frozen=True):
    """One rule. `text` is what a reply must say, "" for a rule about `share`: how much of it must be supported."""

    name: str
    cedar: str
    text: str = ""
    share: float = 0.0

    def is_met(self, reply: str, passages: Sequence[Passage]) -> bool:
        """Whether a complete reply is as the rule wants it."""
        if self.text:
            return _plain(self.text) in _plain(reply)
        found = support(reply, passages)
        return not found.invented and found.share >= self.share


def compiled(files: Mapping[str, RulesFile]) -> Iterator[tuple[str, Ending]]:
    """The rules of all files, each with its file."""
    for path, file in files.items():
        for each in file.require:
            lifted = f" @redact({quoted(each.name)})" if each.otherwise == "append" else ""
            said = each.reason or f"{each.name}: a text that belongs into such replies is missing"
            yield path, Ending(each.name, _cedar(each, said, lifted), text=each.text)
        for one in file.grounding:
            said = one.reason or f"{one.name}: too little of the reply rests on the organisation's pages"
            yield path, Ending(one.name, _cedar(one, said, ""), share=one.share)


def _cedar(rule: RequireSetting | GroundingSetting, said: str, lifted: str) -> str:
    tests = [f"context.categories.contains({quoted(rule.name)})", *scope_tests(rule)]
    return (
        f"@id({quoted(rule.name)}) @reason({quoted(said)}){lifted}{mode_note(rule)}\n"
        f'forbid(principal, action == Action::"release_reply", resource)\nwhen {{ {" && ".join(tests)} }};\n'
    )


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
