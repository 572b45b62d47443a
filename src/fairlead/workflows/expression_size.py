"""How much work an expression can be, before it is evaluated: a bound on the bytes that it makes and looks through.

The library counts iterations; it does not count bytes. `[text].map(a, a + a)` doubles a text each time, `replace` can
square it, and neither needs many iterations.
"""

from collections.abc import Callable
from typing import Final

from fairlead.workflows.expression_tree import Call, Constant, Each, Many, Path, Select, Tree, path_of

ITERATIONS: Final = 10_000  # as many as the library goes through
_SMALL: Final = 16
_COPIED: Final = 4
_PREDICATES: Final = frozenset(
    ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_&&_", "_||_", "!_", "@in", "size", "contains", "startsWith",
     "endsWith", "matches", "int", "double", "bool", "timestamp", "duration", "type", "indexOf", "lastIndexOf", "sum",
     "round")
)  # fmt: skip

SizeOf = Callable[[Path], int]


def grows(tree: Tree) -> bool:
    """Whether the work may be more than what is looked at, so that it is worth reckoning."""
    match tree:
        case Each():
            return True
        case Call():
            return tree.function in ("replace", "join", "format") or any(map(grows, tree.given))
        case Many():
            return any(map(grows, tree.parts))
        case Select():
            return grows(tree.of)
        case _:
            return False


def mentions(tree: Tree) -> int:
    """How many values it is made of: what it makes without `grows` is no more than so many times the largest."""
    match tree:
        case Each():
            return mentions(tree.over) + sum(map(mentions, tree.parts))
        case Call():
            return sum(map(mentions, tree.given))
        case Many():
            return sum(map(mentions, tree.parts))
        case Select():
            return mentions(tree.of)
        case Constant():
            return 0
        case _:
            return 1


def most_work(tree: Tree, size_of: SizeOf, items: int) -> float:
    """The most bytes it makes and looks through. `items` is the length of the longest list or text that it is given."""
    return _reckoned(tree, size_of, min(items, ITERATIONS), {})[1]


def _reckoned(tree: Tree, size_of: SizeOf, items: int, own: dict[str, float]) -> tuple[float, float]:
    """The greatest size of the value, and the work that it is."""
    path = path_of(tree)
    if path is not None:
        size = own[path[0]] if path[0] in own else float(size_of(path))
        return size, _SMALL
    if isinstance(tree, Select):
        return _reckoned(tree.of, size_of, items, own)
    if isinstance(tree, Constant):
        size = float(len(tree.value) if isinstance(tree.value, str) else _SMALL)
        return size, size
    if isinstance(tree, Each):
        return _each(tree, size_of, items, own)
    assert isinstance(tree, Call | Many)
    given = tree.given if isinstance(tree, Call) else tree.parts
    each = [_reckoned(part, size_of, items, own) for part in given]
    sizes, work = [size for size, _ in each], sum(work for _, work in each)
    size = _made(tree.function, sizes, items) if isinstance(tree, Call) else sum(sizes) + _SMALL
    return size, work + max(size, sum(sizes))


def _made(function: str, sizes: list[float], items: int) -> float:
    """The size of what a function makes of things of these sizes."""
    if function in _PREDICATES:
        return _SMALL
    if function == "_?_:_":
        return max(sizes[1:])
    if function == "replace":
        return (sizes[0] + 1) * (sizes[2] + 1)
    if function == "join":
        return sizes[0] + items * sum(sizes[1:])
    return sum(sizes) + _SMALL


def _each(tree: Each, size_of: SizeOf, items: int, own: dict[str, float]) -> tuple[float, float]:
    """Its body for all items: as if all were of the same size, and as if one was all of it, whichever is more."""
    over, work = _reckoned(tree.over, size_of, items, own)
    count = max(1, min(items, int(over)))
    size = 0.0
    for item, times in ((over / count, count), (over, 1)):
        within = {**own, tree.variable: item, tree.total: 0.0}
        parts = [_reckoned(part, size_of, items, within) for part in tree.parts]
        size = max(size, times * sum(made for made, _ in parts))
        work = max(work, times * sum(done for _, done in parts))
    # The library copies the list that it makes, for each item anew.
    return size, work + over + (_COPIED * count**2 if _gathers(tree) else 0)


def _gathers(tree: Each) -> bool:
    """Whether a list is made, as `map` and `filter` do."""
    return any(isinstance(part, Many) for part in tree.parts[:1])


def longest(value: object) -> int:
    """The length of the longest list, mapping or text within a value."""
    most, left = 0, [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            most = max(most, len(each))
            left.extend(each.values())
        elif isinstance(each, list | tuple):
            most = max(most, len(each))
            left.extend(each)
        elif isinstance(each, str):
            most = max(most, len(each))
    return most


def values_in(value: object, most: int) -> int:
    """How many values there are within one, those that it has several times counted each; no more than `most` are
    looked at."""
    count, left = 0, [value]
    while left and count < most:
        each = left.pop()
        count += 1
        if isinstance(each, dict):
            left.extend(each.values())
        elif isinstance(each, list | tuple):
            left.extend(each)
    return count


def size_of_value(value: object) -> int:
    """About as many bytes as the value has."""
    size, left = 0, [value]
    while left:
        each = left.pop()
        size += _SMALL
        if isinstance(each, dict):
            left.extend(each.values())
            size += sum(map(len, each))
        elif isinstance(each, list | tuple):
            left.extend(each)
        elif isinstance(each, str):
            size += len(each)
    return size
