"""Who owns a file by a CODEOWNERS file, as GitHub and GitLab read it."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from fairlead.context.sources.globs import owned

PLACES: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
MOST_BYTES: Final = 3 << 20  # as much as GitHub reads
_MOST_RULES: Final = 20_000
_SECTION: Final = re.compile(r"\^?\[(?P<name>[^\]]+)\](?:\[\d+\])?(?P<owners>(?:\s.*)?)$")
_SPLIT: Final = re.compile(r"(?<!\\)\s+")


class Rule(Struct, frozen=True):
    """One line: which files, and who answers for them; nobody where the file takes an owner away."""

    covers: Callable[[str], bool]
    owners: tuple[str, ...]


class Owners(Struct, frozen=True):
    """The rules by section, in their order; GitHub knows one section only."""

    sections: tuple[tuple[Rule, ...], ...]

    def of(self, path: str) -> str:
        """The owner of a path from the top of the repository, "" where nobody is named. Within a section the last
        line that covers it counts; of sections, the last that names somebody. Of several people, the first."""
        for rules in reversed(self.sections):
            rule = next((each for each in reversed(rules) if each.covers(path)), None)
            if rule is not None and rule.owners:
                return rule.owners[0]
        return ""


def read_owners(text: str) -> Owners:
    """The rules in the text of a file. Lines that the format does not know are passed over, as by those hosts."""
    current: list[Rule] = []
    sections = {"": current}
    usual: tuple[str, ...] = ()
    for line in text.splitlines()[:_MOST_RULES]:
        bare = re.sub(r"(?:^|(?<=\s))#.*$", "", line).strip()
        if found := _SECTION.match(bare):
            usual = tuple(_people(found["owners"].split()))
            current = sections.setdefault(found["name"].strip().casefold(), [])
        elif bare:
            pattern, *owners = _SPLIT.split(bare)
            covers = owned(pattern)
            if covers is not None:
                current.append(Rule(covers, tuple(_people(owners)) or usual))
    return Owners(tuple(map(tuple, sections.values())))


def _people(words: list[str]) -> Iterator[str]:
    """Names as this organisation has them: `@acme/people` is the team `people`, `@kim` is kim; addresses stay."""
    for word in words:
        if word.startswith("@@"):
            yield word[2:]  # a role, as GitLab writes it
        elif word.startswith("@") and len(word) > 1:
            yield word[1:].rpartition("/")[2]
        elif "@" in word:
            yield word
