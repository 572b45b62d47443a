"""Whether a reply only hands on what its model was given, or made something of it: a list with something added or left
out, a value that was chosen where another was given too. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from fairlead.workflows.tracing.dataflow import under
from fairlead.workflows.tracing.leaves import texts_of
from fairlead.workflows.tracing.matching import Atom, Path, atom_of, atoms, holds, is_prose

_TELLING_DIGITS: Final = 3  # of a number that is not met with by chance


def made_here(value: Any, sources: Sequence[Any], path: Path = ()) -> Iterator[Path]:
    """The paths in a reply of what is not merely handed on: leaves that stand in no source, yes and no, and lists that
    have more or less than the list that they were taken from."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from made_here(each, sources, (*path, str(key)))
    elif isinstance(value, list | tuple):
        if any(True for each in value for _ in made_here(each, sources)) or is_part_of_list(value, sources):
            yield path
    elif not _stands(value, sources, str(path[-1]) if path else ""):
        yield path


def is_part_of_list(value: Sequence[Any], sources: Sequence[Any]) -> bool:
    """Whether a list has some of the items of a longer one that was given, or none where there were some, and nowhere
    was just that list given."""
    mine = {atom for _, atom in atoms(value)}
    given = [each for one in sources for each in _lists(one)]
    longer = [each for each in given if len(each) > len(value)]
    if any(len(each) == len(value) and mine <= {atom for _, atom in atoms(each)} for each in given):
        return False
    return any(all(any(holds(item, atom) is not None for item in each) for atom in mine) for each in longer)


def added(value: Sequence[Any], sources: Sequence[Any]) -> Any:
    """The item of a list that stands nowhere, where all others do; None where that is not so."""
    if not all(isinstance(each, str | int | float) and not isinstance(each, bool) for each in value):
        return None
    new = [each for each in value if not _stands(each, sources)]
    return new[0] if len(new) == 1 and len(value) > 1 else None


def gave_way(atom: Atom, key: str, sources: Sequence[Any], seen: Collection[Atom], wanted: Atom) -> Atom | None:
    """What a model was given besides that would have led to what was wanted, in place of what was `seen`: the wanted
    value itself, or a number that is to it as this one is to what was seen. None where there is none, where it was
    given this under the very key that it gives it under, and for what may stand there by chance."""
    leaves = [(path, each) for one in sources for path, each in atoms(one)]
    if any(each == atom and path and str(path[-1]) == key for path, each in leaves):
        return None
    others = [each for _, each in leaves if each != atom and is_rare(each)]
    return next((each for each in others if _leads_to(atom, each, seen, wanted)), None)


def other_row(atom: Atom, key: str, sources: Sequence[Any], wanted: Atom) -> bool:
    """Whether a model took a value from one row of a list where another row has what was wanted, under the same key."""
    leaves = [(path, each) for one in sources for path, each in atoms(one) if path and str(path[-1]) == key]
    rows = {column(path) for path, each in leaves if each == atom and column(path) != path}
    return is_rare(wanted) and any(column(path) in rows and each == wanted for path, each in leaves)


def reordered(value: Any, sources: Sequence[Any]) -> bool:
    """Whether a list has just the items of one that was given, or of one column of its rows, in another order."""
    mine = [atom for _, atom in atoms(value)]
    if len(set(mine)) < max(len(mine), 2):
        return False
    given = [each for one in sources for rows in _lists(one) for each in _columns(rows)]
    return any(set(each) == set(mine) for each in given) and mine not in given


def _columns(rows: Sequence[Any]) -> Iterator[list[Atom]]:
    found: dict[Path, list[Atom]] = {}
    for path, atom in atoms(rows):
        found.setdefault(column(path), []).append(atom)
    yield from found.values()


def column(path: Path) -> Path:
    """A path without the numbers of its rows."""
    return tuple(each for each in path if not isinstance(each, int))


def _leads_to(atom: Atom, instead: Atom, seen: Collection[Atom], wanted: Atom) -> bool:
    if atom in seen:
        return instead == wanted
    if not (isinstance(atom, Decimal) and isinstance(instead, Decimal) and isinstance(wanted, Decimal)):
        return False
    numbers = [each for each in seen if isinstance(each, Decimal) and each != wanted]
    return any(wanted * atom == each * instead or wanted - each == instead - atom for each in numbers)


def is_chosen(atom: Atom, key: str, path: Path, given: Any) -> bool:
    """Whether a model may have chosen a value: it gives it under another key than it was given it under, with others
    of the kind beside."""
    if not path or isinstance(path[-1], int) or str(path[-1]) == key:
        return False
    kind = Decimal if isinstance(atom, Decimal) else str
    return any(isinstance(each, kind) and each != atom for _, each in atoms(given))


def is_rare(atom: Atom) -> bool:
    """Whether a value is hardly met with by chance: words, dates, and numbers of some length."""
    if isinstance(atom, Decimal):
        return len(atom.as_tuple().digits) >= _TELLING_DIGITS
    return len(atom) > 1


def _lists(value: Any) -> Iterator[Sequence[Any]]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _lists(each)
    elif isinstance(value, list | tuple):
        yield value
        for each in value:
            yield from _lists(each)


def _stands(value: Any, sources: Sequence[Any], key: str = "") -> bool:
    """Whether a leaf stands in some source; yes and no under the same key."""
    if isinstance(value, bool):
        return any(each is value for one in sources for each in under(one, key))
    if value is None or value == "":
        return True
    if isinstance(value, str) and is_prose(value):
        return any(value == text for one in sources for _, text in texts_of(one))
    atom = atom_of(value)
    return atom is None or any(holds(each, atom) is not None for each in sources)
