"""How far a statement swells when a planner puts its subqueries into each other.

`a || a` over a subquery that says `a || a`, and so on thirty times, is a line of text and a billion nodes in a planner
that no timeout reaches. So what a column stands for is counted before a database sees it.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlglot import exp

MOST: Final = 20_000
"""Columns of real tables that one column of the result may stand for."""


def weight(tree: "exp.Expr") -> int:
    """The most columns of real tables that a column of any query in it stands for, never too low."""
    from sqlglot import exp

    weighed = _Weighed()
    return max((weighed.of(query) for query in tree.find_all(exp.Query)), default=1)


class _Weighed:
    """What has been counted: each query once, by identity, and those in WITH by name."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}
        self._named: dict[str, int] = {}

    def of(self, query: "exp.Expr") -> int:
        known = self._known.get(id(query))
        if known is None:
            known = self._known[id(query)] = self._counted(query)
        return known

    def _counted(self, query: "exp.Expr") -> int:
        from sqlglot import exp

        for cte in query.args["with_"].expressions if query.args.get("with_") else ():
            self._named[cte.alias] = 1  # what refers to itself is computed, not put in
            self._named[cte.alias] = self.of(cte.this)
        if isinstance(query, exp.SetOperation):
            return max(self.of(query.this), self.of(query.expression))
        if isinstance(query, exp.Subquery):
            return self.of(query.this)
        if not isinstance(query, exp.Select):
            return self._named.get(query.name, 1) if isinstance(query, exp.Table) else 1
        sources = [each.this for each in (query.args.get("from_"), *query.args.get("joins", ())) if each]
        sources += [lateral.this for lateral in query.args.get("laterals", ())]
        inside = [each for one in query.expressions for each in one.find_all(exp.Select)]
        heaviest = max(map(self.of, (*sources, *inside)), default=1)
        return heaviest * max((_columns(each) for each in query.expressions), default=1)


def _columns(projection: "exp.Expr") -> int:
    from sqlglot import exp

    return max(1, sum(1 for _ in projection.find_all(exp.Column)))
