"""Publishing what is sound of a context while some of its pages are broken, because somebody asked for just that."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from fairlead.clock import Clock
from fairlead.workspace.compile import Secrets
from fairlead.workspace.load import read_what_can_be
from fairlead.workspace.problems import InvalidWorkspace, Problem
from fairlead.workspace.publish import checked
from fairlead.workspace.text import WorkspaceText, is_page

_TOP: Final = 20_000
_APPROVES: Final = re.compile(
    rb"""\b(?:unit|role|flow)\b|\b(?:covers|approvers|quorum|holders|manager|parent|head|members)["']?[ \t]*:"""
)


def read_sound(folder: Path, secrets: Secrets, clock: Clock) -> tuple[WorkspaceText, tuple[Problem, ...]]:
    """The workspace without its broken pages, and what is wrong with those. Whatever includes a broken page is broken.

    Nothing else may be broken: raises `InvalidWorkspace` with what is. Rights are never guessed, so a page whose front
    matter is malformed is left out whole, and answers no longer rest on its last version either. Nor is one left out
    that may say who approves, where approvals rest on pages: a typing error would take an approval away.
    """
    text, problems = read_what_can_be(folder)
    left_out = list(problems)
    pages: dict[str, bytes] = {}
    while True:
        if others := [each for each in left_out if not is_page(each.file)]:
            raise InvalidWorkspace(others)
        try:
            settings = checked(text, secrets, clock).settings
        except InvalidWorkspace as invalid:
            broken = {each.file for each in invalid.problems if each.file in text.files and is_page(each.file)}
            left_out += invalid.problems
            if not broken:
                raise
            pages |= {path: text.files[path] for path in broken}
            sound = {path: content for path, content in text.files.items() if path not in broken}
            text = msgspec.structs.replace(text, files=sound)
            continue
        if settings.approvals.organisation:
            _refuse_fewer_approvals(left_out, pages)
        return text, tuple(left_out)


def _refuse_fewer_approvals(left_out: Iterable[Problem], pages: Mapping[str, bytes]) -> None:
    """Raises `InvalidWorkspace` with those problems whose pages look as if they said who approves. What kind of page it
    is cannot be told for sure of one that is broken."""
    found = [each for each in left_out if each.file not in pages or _APPROVES.search(pages[each.file][:_TOP])]
    if found:
        mend = "mend it, or take it away: approvals rest on pages here (`approvals.organisation`)"
        raise InvalidWorkspace([msgspec.structs.replace(each, mend=f"{each.mend}; {mend}") for each in found])
