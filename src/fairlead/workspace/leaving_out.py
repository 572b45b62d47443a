"""Publishing what is sound of a context while some of its pages are broken, because somebody asked for just that."""

from pathlib import Path

import msgspec

from fairlead.clock import Clock
from fairlead.workspace.compile import Secrets
from fairlead.workspace.load import read_what_can_be
from fairlead.workspace.problems import InvalidWorkspace, Problem
from fairlead.workspace.publish import checked
from fairlead.workspace.text import WorkspaceText, is_page


def read_sound(folder: Path, secrets: Secrets, clock: Clock) -> tuple[WorkspaceText, tuple[Problem, ...]]:
    """The workspace without its broken pages, and what is wrong with those. Whatever includes a broken page is broken.

    Nothing else may be broken: raises `InvalidWorkspace` with what is. Rights are never guessed, so a page whose front
    matter is malformed is left out whole, and answers no longer rest on its last version either.
    """
    text, problems = read_what_can_be(folder)
    left_out = list(problems)
    while True:
        if others := [each for each in left_out if not is_page(each.file)]:
            raise InvalidWorkspace(others)
        try:
            checked(text, secrets, clock)
        except InvalidWorkspace as invalid:
            broken = {each.file for each in invalid.problems if each.file in text.files and is_page(each.file)}
            left_out += invalid.problems
            if not broken:
                raise
            sound = {path: content for path, content in text.files.items() if path not in broken}
            text = msgspec.structs.replace(text, files=sound)
            continue
        return text, tuple(left_out)
