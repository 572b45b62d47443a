"""One SELECT statement that somebody else wrote, restricted: parsed, checked piece by piece, and written anew.

What is run is what was checked: the text that comes out is made from the syntax tree, with every name quoted, every
table with its schema and no comment, and it is parsed and checked a second time. This is the first fence; behind it
stand the person's own login, a transaction that only reads, and on SQLite the authorizer.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

from fairlead.errors import BadInput, closest
from fairlead.tools.sql_syntax import ALTERED, FUNCTIONS, KINDS, PARTS, TYPES, WORDS
from fairlead.tools.sql_weight import MOST, weight

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.tokenizer_core import Token

Dialect = Literal["postgres", "sqlite"]

MOST_TEXT: Final = 16_000  # characters
_DEEPEST: Final = 64  # parentheses
# The parser tries each of these in several ways, so that its work would grow as a power of how deep they stand.
_DEEPEST_BRACKETS: Final = 3
_STEPS: Final = 30  # of the parser, a token; usual statements take four
_REMEMBERED: Final = 256
OURS: Final = "fairlead with "  # no table of anybody's is called so
_BEGINNINGS: Final = frozenset(("SELECT", "WITH", "VALUES", "("))
_HOME: Final = {"postgres": "public", "sqlite": "main"}


class Restriction:
    """What statements of one system may read and call. `tables` are names, with a schema where it is not the usual."""

    def __init__(self, dialect: Dialect, tables: Iterable[str], functions: Iterable[str] = ()) -> None:
        self._dialect: Final = dialect
        self._home: Final = _HOME[dialect]
        self.tables: Final = frozenset(self._placed(name) for name in tables)
        self.functions: Final = FUNCTIONS | {name.lower() for name in functions}
        self._called: Final = {name.rpartition(".")[2] for name in self.functions}
        self._known: dict[str, str] = {}

    def restricted(self, text: str) -> str:
        """The same statement, written by us. Raises `BadInput` saying what may not be in it."""
        known = self._known.get(text)
        if known is None:
            try:
                known = self._written(text)
            except RecursionError:
                raise _refused("it is nested too deeply", "write it flatter, with WITH") from None
            if len(self._known) >= _REMEMBERED:
                self._known.pop(next(iter(self._known)))
            self._known[text] = known
        return known

    def _written(self, text: str) -> str:
        first = self._parsed(text)
        if weight(first) > MOST:
            raise _refused("its subqueries repeat each other's columns too often", "name a column once in each")
        self._named_by_us(first)
        written = self._text(first)
        again = self._parsed(written)
        if self._text(again) != written:
            raise _refused("it does not survive being read and written anew", "say it more plainly")
        self._functions_called(written)
        return written

    def _parsed(self, text: str) -> "exp.Expr":
        """The checked tree of exactly one statement."""
        from sqlglot.errors import SqlglotError
        from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

        tokens = self._tokens(text)
        _refuse_unfit(tokens)
        try:
            trees = self._parser(len(tokens)).parse(tokens, text)
        except (SqlglotError, ValueError, AttributeError, TypeError, KeyError, IndexError) as error:
            said = getattr(error, "errors", None)
            why = said[0].get("description", "") if said else "it is no SQL that is understood here"
            raise _refused(why.split("<")[0].strip() or "it is no SQL", "write one SELECT statement") from None
        if len(trees) != 1 or trees[0] is None:
            raise _refused("it is more or less than one statement", "write one SELECT statement without a semicolon")
        tree: exp.Expr = normalize_identifiers(trees[0], dialect=self._dialect)
        if type(tree).__name__ not in ("Select", "Union", "Intersect", "Except", "Values", "Subquery"):
            raise _refused("it is no SELECT", "write one SELECT statement")
        for node in tree.walk():
            self._checked(node)
        return tree

    def _parser(self, tokens: int) -> Any:
        """A parser that gives up where it would try the same text again and again in ever more ways."""
        from sqlglot.errors import ParseError

        left = [_STEPS * (tokens + 10)]
        dialect = _dialect(self._dialect)

        class Bounded(dialect.parser_class):  # type: ignore[misc,name-defined]
            def _advance(self, times: int = 1) -> None:
                left[0] -= 1
                if left[0] < 0:
                    raise ParseError("it is too involved")
                super()._advance(times)

        return Bounded(dialect=dialect)

    def _tokens(self, text: str) -> "list[Token]":
        from sqlglot.errors import TokenError

        if len(text) > MOST_TEXT or "\0" in text:
            raise _refused(f"it has more than {MOST_TEXT} characters, or a NUL", "ask for less at once")
        try:
            return list(_dialect(self._dialect).tokenize(text))
        except TokenError:
            raise _refused("a quote or a comment in it does not end", "write one SELECT statement") from None

    def _checked(self, node: "exp.Expr") -> None:
        kind = type(node).__name__
        parts = PARTS.get(kind)
        if (parts is None and kind not in KINDS) or kind in ALTERED[self._dialect]:
            raise _refused(f"{_shown(node)} is not allowed in it", "use plain SELECT: joins, conditions, aggregates")
        if parts is not None:
            for name, value in node.args.items():
                if name not in parts and value not in (None, False, []):
                    raise _refused(f"{kind.lower()} with {name.strip('_')} is not allowed in it", "leave that out")
        if kind == "Anonymous":
            self._function(node)
        elif kind == "Var" and not node.name.replace("_", "").isalnum():
            raise _refused(f"{node.name[:40]!r} is no unit", "use a unit such as day or month")
        elif kind == "DataType" and (not hasattr(node.this, "name") or node.this.name not in TYPES):
            raise _refused(f"a cast to {_shown(node)} is not allowed in it", "cast to a plain type such as text")
        elif kind == "Dot" and (type(node.this).__name__, type(node.expression).__name__) != (
            "Identifier",
            "Anonymous",
        ):
            raise _refused("a field of a whole row is not allowed in it", "name the column itself")
        elif kind == "Column" and node.name.lower() in ("tableoid", "xmin", "xmax", "cmin", "cmax", "ctid"):
            raise _refused("a column of the database's own is not allowed in it", "name the table's columns")

    def _function(self, node: "exp.Expr") -> None:
        name, schema = node.this, ""
        if type(node.parent).__name__ == "Dot":
            schema = f"{node.parent.this.name}." if node.parent is not None else ""
        if not isinstance(name, str) or f"{schema}{name}".lower() not in self.functions:
            raise _refused(f"the function {str(name)[:60]!r} is not allowed in it", closest(str(name), self.functions))

    def _named_by_us(self, tree: "exp.Expr") -> None:
        """Every real table gets its schema, and every named subquery a name that no table can have: whatever else the
        database may think is in scope, there is nothing of that name to be found."""
        from sqlglot import exp

        named = {cte.alias: cte for cte in tree.find_all(exp.CTE)}
        for name in named:
            if (self._home, name) in self.tables or not name:
                raise _refused(f"{name!r} is a table already", "give the subquery in WITH another name")
        for table in list(tree.find_all(exp.Table)):
            self._table(table, named.keys())
        for cte in named.values():
            cte.args["alias"].set("this", exp.to_identifier(OURS + cte.alias, quoted=True))

    def _table(self, table: "exp.Expr", named: Iterable[str]) -> None:
        from sqlglot import exp

        if not isinstance(table.this, exp.Identifier):
            if isinstance(table.this, exp.Anonymous):
                return  # a function as a table: its name has been looked at
            raise _refused(f"{_shown(table)} is no table", "name one of the tables")
        schema, name = table.text("db"), table.name
        if not schema and name in named:
            table.set("this", exp.to_identifier(OURS + name, quoted=True))
        elif (schema or self._home, name) in self.tables:
            table.set("db", exp.to_identifier(schema or self._home, quoted=True))
        else:
            known = [each[1] if each[0] == self._home else ".".join(each) for each in self.tables]
            raise _refused(
                f"there is no table {'.'.join(filter(None, (schema, name)))[:80]!r} to be read", closest(name, known)
            )
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))

    def _text(self, tree: "exp.Expr") -> str:
        from sqlglot.errors import ErrorLevel, SqlglotError

        generator = _dialect(self._dialect).generator(
            identify=True, comments=False, unsupported_level=ErrorLevel.RAISE, normalize_functions=False
        )
        try:
            return str(generator.generate(tree))
        except (SqlglotError, ValueError, AttributeError, TypeError) as error:
            raise _refused("it cannot be written for this database", "say it more plainly") from error

    def _functions_called(self, written: str) -> None:
        """By the text alone, whatever the tree calls them."""
        from sqlglot.tokenizer_core import TokenType

        for token, following in pairwise(self._tokens(written)):
            word = token.text.lower()
            if following.token_type != TokenType.L_PAREN or not word[:1].isalpha():
                continue
            quoted = token.token_type in (TokenType.IDENTIFIER, TokenType.STRING)
            if not quoted and word not in self._called and word not in WORDS:
                raise _refused(f"the function {word[:60]!r} is not allowed in it", closest(word, self.functions))

    def _placed(self, name: str) -> tuple[str, str]:
        schema, _, table = name.rpartition(".")
        return (schema or self._home, table)


def _refuse_unfit(tokens: "list[Token]") -> None:
    """Before any parsing: how it begins, and how deep it goes."""
    from sqlglot.tokenizer_core import TokenType

    if not tokens or tokens[0].text.upper() not in _BEGINNINGS or tokens[0].token_type == TokenType.IDENTIFIER:
        raise _refused("it is no SELECT", "write one SELECT statement")
    round_, square = 0, 0
    for token in tokens:
        kind = token.token_type
        round_ += (kind == TokenType.L_PAREN) - (kind == TokenType.R_PAREN)
        square += (kind == TokenType.L_BRACKET) - (kind == TokenType.R_BRACKET)
        if round_ > _DEEPEST or square > _DEEPEST_BRACKETS or kind == TokenType.L_BRACE:
            raise _refused("it is nested too deeply", "write it flatter, with WITH")


def _dialect(name: Dialect) -> Any:
    from sqlglot.dialects import Dialect as Dialects

    return Dialects.get_or_raise(name)


def _shown(node: "exp.Expr") -> str:
    return type(node).__name__.lower()


def _refused(why: str, mend: str) -> BadInput:
    return BadInput("this statement is not run", why=why, mend=mend, param="sql")
