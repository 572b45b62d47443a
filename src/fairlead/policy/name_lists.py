"""Registers of names as a workspace writes them: one name a line, or a table with a head."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from fairlead.errors import BadInput
from fairlead.policy.names import Name
from fairlead.policy.settings import NamesSetting, RulesFile
from fairlead.policy.sources import Statement

MOST = 250_000
"""Names of all registers together: each worker has them in memory."""

_PARTICLES: Final = frozenset(
    ("von", "van", "de", "der", "den", "del", "di", "da", "dos", "du", "la", "ter", "zu", "bin", "al")
)


def names_in(files: Mapping[str, RulesFile], lists: Mapping[str, bytes]) -> tuple[Name, ...]:
    """All names of all registers. `lists` are the other files of `rules/` by their path. Raises BadInput naming the
    register."""
    found: list[Name] = []
    for file in files.values():
        for each in file.names:
            found += _read(each, lists)
    if len(found) > MOST:
        raise BadInput(
            f"the registers hold {len(found):,} names, and {MOST:,} are the most",
            why="every worker has all of them in memory",
            mend="keep those whose names occur in what is asked",
        )
    return tuple(found)


def table_of(register: NamesSetting, rows: Any) -> tuple[bytes, int]:
    """The file of a register as rows of a system make it, with no column more than it needs, and how many names it
    holds. Raises BadInput naming the register."""
    owner = f"names {register.name!r}"
    if not isinstance(rows, list) or not rows or not all(isinstance(each, dict) for each in rows):
        raise BadInput(
            f"{owner}: {register.source} gave no rows",
            why="an empty register would protect nobody",
            mend="let it give a list of rows, and ask with a key that may see all of them",
        )
    wanted = register.columns or tuple(rows[0])[:1]
    if missing := [each for each in wanted if each not in rows[0]]:
        raise BadInput(
            f"{owner}: the rows of {register.source} have no column {missing[0]!r}",
            mend="they have " + ", ".join(map(str, rows[0])),
        )
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(wanted)
    lines = sorted({tuple(" ".join(str(row.get(each) or "").split()) for each in wanted) for row in rows})
    table.writerows(each for each in lines if any(each))
    return written.getvalue().encode(), sum(any(each) for each in lines)


def _read(register: NamesSetting, lists: Mapping[str, bytes]) -> list[Name]:
    owner = f"names {register.name!r}"
    content = lists.get(f"rules/{register.file}")
    if content is None:
        raise BadInput(
            f"{owner}: there is no file rules/{register.file}",
            why="a register that nobody reads would protect nobody",
            mend="bring it in: fairlead names sync" if register.source else "put the list there, as .csv or .txt",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{owner}: rules/{register.file} is not UTF-8 text", mend="save the file as UTF-8") from None
    rows = _table(register, text, owner) if register.file.endswith(".csv") else ([line] for line in text.splitlines())
    found = [name for row in rows if (name := _name(register, [each.strip() for each in row])) is not None]
    if not found:
        raise BadInput(f"{owner}: rules/{register.file} holds no name", mend="write one name a line, or a table")
    return found


def _table(register: NamesSetting, text: str, owner: str) -> Iterator[list[str]]:
    head, _, _ = text.partition("\n")
    delimiter = max(",;\t", key=head.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise BadInput(f"{owner}: rules/{register.file} is no table: {error}", mend="mend its quotes") from None
    known = list(rows[0]) if rows else []
    wanted = register.columns or known[:1]
    if missing := [each for each in wanted if each not in known]:
        raise BadInput(
            f"{owner}: rules/{register.file} has no column {missing[0]!r}",
            mend="its first line must name the columns: " + ", ".join(str(each) for each in known),
        )
    for row in rows:
        yield [row[each] or "" for each in wanted]


def _name(register: NamesSetting, row: list[str]) -> Name | None:
    """The forename first, the family's name last; in one column either `Anna Schmidt` or `Schmidt, Anna`."""
    row = [each for each in row if any(map(str.isalnum, each))]
    if not row or (len(row) == 1 and row[0].startswith("#")):
        return None
    if not register.persons:
        return Name(register.category, " ".join(row))
    if len(row) > 1:
        return Name(register.category, row[-1], " ".join(row[:-1]))
    family, comma, given = row[0].partition(",")
    if not comma:
        words = row[0].split()
        last = next((at for at, word in enumerate(words[:-1]) if at and word in _PARTICLES), len(words) - 1)
        given, family = " ".join(words[:last]), " ".join(words[last:])
    return Name(register.category, family, given)


def refuse_replies(statements: Iterable[Statement], categories: frozenset[str]) -> None:
    """Raises BadInput where a policy judges replies by what only a register knows: no reply is searched for names."""
    for each in statements:
        of_replies = each.actions is None or "release_reply" in each.actions
        named = [name for name in sorted(categories) if of_replies and f'"{name}"' in each.text]
        if named:
            raise BadInput(
                f"{each.where}: replies are not searched for {named[0]!r}",
                why="a register is looked for in requests and in the results of tools, not in replies as they stream",
                mend="judge the request by it (call_model, release_result), or use a detector with a pattern",
            )
