"""What is wrong with a workspace: every problem with its file, its line and its mend, all of them at once."""

from collections.abc import Iterable

from msgspec import Struct

from fairlead.errors import BadInput


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that keeps a workspace from being published. `line` and `column` count from 1; 0 where unknown."""

    file: str
    line: int = 0
    column: int = 0
    message: str
    mend: str = ""

    @property
    def where(self) -> str:
        """`file:line:column`, as editors and terminals turn into a link."""
        parts = [self.file, *(str(number) for number in (self.line, self.column) if number)]
        return ":".join(parts)

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f" ({self.mend})" if self.mend else "")


class InvalidWorkspace(BadInput):
    """The text of the workspace does not compile. Nothing was published; the revision in force stays in force.

    Every problem names its file and line. `fairlead check` lists them all.
    """

    code = "invalid_workspace"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column)))
        super().__init__(
            f"{self.counted}: " + "; ".join(map(str, self.problems)),
            why="a workspace is published whole or not at all",
            mend="mend the lines named, then run `fairlead check`",
        )

    @property
    def counted(self) -> str:
        """How many there are, without them."""
        count = len(self.problems)
        return f"the workspace has {count} problem{'s' if count != 1 else ''}"
