"""What commands print: data on standard output, words on the error stream, colour only where a person looks.

Text that came from elsewhere (names, titles, models' words) is shown with its control characters escaped, so that it
cannot drive the terminal.
"""

import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal, TextIO

import typer

from fairlead.cli.place import wants_colour
from fairlead.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_LONG, _GLIMPSE = 2000, 120  # letters
_RED, _BOLD, _PLAIN = "\x1b[1;31m", "\x1b[1m", "\x1b[0m"
# Control characters, lone surrogates, and marks that turn the direction of what follows.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSAFE_IN_LINE = re.compile(_UNSAFE.pattern[:-1] + "\t\n]")


def one_line(text: str) -> str:
    """The text on one line, with what could drive or fool a terminal escaped."""
    return _UNSAFE_IN_LINE.sub(_escaped, text)


def safe(text: str) -> str:
    """As `one_line`, for text of several lines."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def data(text: str) -> None:
    """A line, or lines, of what was asked for."""
    print(safe(text))


def briefly(value: Any, more: str) -> Any:
    """A value to look at: texts that would fill the screen are cut, and `more` says how to see them whole."""
    if isinstance(value, str) and len(value) > _LONG:
        return f"{value[:_GLIMPSE]}\u2026 ({len(value):,} letters; {more})"
    if isinstance(value, dict):
        return {key: briefly(each, more) for key, each in value.items()}
    return [briefly(each, more) for each in value] if isinstance(value, list) else value


def say(text: str) -> None:
    """Words about what happens. Never data: whoever pipes the output does not see them."""
    print(safe(text), file=sys.stderr, flush=True)


def json_data(value: Any) -> None:
    """What was asked for, as JSON of stable shape."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    print(_UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def json_text(value: Any) -> str:
    """A value as JSON on one line, with what could drive or fool a terminal escaped as JSON does."""
    import msgspec

    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", msgspec.json.encode(value).decode())


def json_rows(rows: Iterable[Any]) -> None:
    """A list of which nobody knows how long it is, as JSON of stable shape: each row on a line, as soon as it comes."""
    before = "["
    for each in rows:
        print(f"{before}\n{json_text(each)}", end="")
        before = ","
    print("[]" if before == "[" else "\n]")


def three_places(value: float | None) -> str:
    """A score as reports show it, "" for none."""
    return "" if value is None else f"{value:.3f}"


def bold(text: str, stream: TextIO) -> str:
    """In bold where this stream is a person's."""
    return f"{_BOLD}{text}{_PLAIN}" if wants_colour(stream) else text


def red(text: str, stream: TextIO) -> str:
    """In red where this stream is a person's."""
    return f"{_RED}{text}{_PLAIN}" if wants_colour(stream) else text


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = ()) -> None:
    """Rows under headings, as data. Columns in `right` are aligned to the right. Whole lines wherever it is not a
    terminal that reads, so that nothing is cut off in a pipe."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    numbers = frozenset(right)
    if sys.stdout.isatty() and _fits(columns, cells):
        _draw(columns, cells, numbers)
        return
    widths = [max(len(line[n]) for line in [list(columns), *cells]) for n in range(len(columns))]
    for line in [list(columns), *cells]:
        fitted = [
            cell.rjust(width) if name in numbers else cell.ljust(width)
            for name, cell, width in zip(columns, line, widths, strict=True)
        ]
        print("  ".join(fitted).rstrip())


def _fits(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Can the table be folded into the terminal without breaking a word? Else the terminal wraps whole lines."""
    longest = [_longest_word(columns, rows, number) for number in range(len(columns))]
    return sum(longest) + 2 * len(columns) <= shutil.get_terminal_size().columns


def _longest_word(columns: Sequence[str], rows: Sequence[Sequence[str]], number: int) -> int:
    return max((len(word) for line in [columns, *rows] for word in line[number].split()), default=0)


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: frozenset[str]) -> None:
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, name in enumerate(columns):
        # Words stay whole, so that a name can be copied.
        longest = _longest_word(columns, rows, number)
        drawn.add_column(name, justify="right" if name in numbers else "left", overflow="fold", min_width=longest)
    for row in rows:
        drawn.add_row(*map(Text, row))
    console(sys.stdout).print(drawn)


def console(stream: TextIO) -> "Console":
    """A console on this stream. Rich takes a while to import, so only commands that draw come here."""
    from rich.console import Console

    width = None if stream.isatty() else 200
    colours: Literal["auto"] | None = "auto" if wants_colour(stream) else None
    return Console(file=stream, color_system=colours, highlight=False, soft_wrap=True, width=width)


@contextmanager
def progress(what: str, total: int) -> Iterator[Any]:
    """A progress bar on the error stream while long work runs, only on a terminal. Gives a function to call with the
    number of steps done since."""
    if not sys.stderr.isatty():
        yield lambda steps=1: None
        return
    from rich.progress import Progress

    with Progress(console=console(sys.stderr), transient=True) as bar:
        task = bar.add_task(one_line(what), total=total)
        yield lambda steps=1: bar.advance(task, steps)


def confirm(question: str, yes: bool) -> None:
    """Ask before what cannot be undone. Ends the command with status 1 where the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadInput(
            "this needs a yes, and nobody can be asked here",
            why="standard input is not a terminal",
            mend="add --yes once you are sure, or --dry-run to look first",
        )
    if not typer.confirm(one_line(question), err=True):
        say("nothing was changed")
        raise typer.Exit(1)


def some(names: Sequence[str], most: int) -> str:
    """As many names as a cell of a table has room for, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
