"""Three texts of one page: that which somebody read, what they would have it say, and what it says by now. Pure."""

from difflib import SequenceMatcher

Change = tuple[int, int, list[str]]


def merged(read: str, wanted: str, current: str) -> str | None:
    """The current text with the changes from `read` to `wanted`; None where both changed the same lines, or lines that
    touch. What both have changed alike is no conflict."""
    lines = read.split("\n")
    theirs, ours = _changes(lines, wanted.split("\n")), _changes(lines, current.split("\n"))
    kept = [change for change in theirs if change not in ours]
    if any(_touch(mine, other) for mine in kept for other in ours):
        return None
    for first, last, text in sorted([*kept, *ours], reverse=True):
        lines[first:last] = text
    return "\n".join(lines)


def _changes(before: list[str], after: list[str]) -> list[Change]:
    """Runs of lines of `before`, each with what stands in its place."""
    found = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [(a, b, after[c:d]) for kind, a, b, c, d in found if kind != "equal"]


def _touch(one: Change, other: Change) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]
