"""Declared queries: what the workspace's own text says of them, as tools, and as statements with places for values.

Nothing here needs a database or a parser of SQL, so that a workspace compiles without either.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from fairlead.errors import BadInput
from fairlead.tools.settings import QuerySettings, SqlSettings
from fairlead.tools.types import Definition, Schema

SELECT: Final = "select"
PERSON: Final = "person"
"""`:person` in a query stands for who calls. It is bound by Fairlead and is no argument."""
ONCE: Final = "once"
"""`:once` in a query stands for the key of the call, which is the same for every try of it. It is no argument
either."""
_OURS: Final = (PERSON, ONCE)

_TYPES: Final = frozenset(("string", "integer", "number", "boolean", "array", "object", "null"))
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
# What may stand in a statement and hide a colon: quotes of every kind, comments, casts, slices of time.
_PIECE: Final = re.compile(
    r"""[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
    | --[^\n]* | /\*.*?\*/ | :: | :=
    | (?<![\w:]):(?P<name>[A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)

RESULT: Final[Schema] = {
    "type": "object",
    "properties": {
        "columns": {"type": "array", "items": {"type": "string"}},
        "rows": {"type": "array", "items": {"type": "object"}},
        "truncated": {"type": "boolean"},
        "changed": {"type": "integer"},
    },
    "required": ["columns", "rows"],
}


class Query(Struct, frozen=True, kw_only=True):
    """A declared query, taken apart: `pieces` of text, and between each two of them the name whose value stands there.

    `schemas` are those of the arguments.
    """

    name: str
    pieces: tuple[str, ...]
    names: tuple[str, ...]
    schemas: Mapping[str, Schema]
    reads: bool

    def text(self, place: str, quoted: bool) -> str:
        """The statement as a driver wants it: `place` is how it marks a value, `quoted` whether % is special to it."""
        parts = [piece.replace("%", "%%") if quoted else piece for piece in self.pieces]
        return parts[0] + "".join(place.format(name) + part for name, part in zip(self.names, parts[1:], strict=True))

    def values(self, arguments: Mapping[str, Any], person: str, once: str = "") -> dict[str, Any]:
        """What is bound, by name. Raises `BadInput` for an argument that is missing or that there is not."""
        if unknown := sorted(arguments.keys() - self.schemas.keys()):
            raise BadInput(f"{self.name} has no argument {unknown[0]!r}", param=unknown[0])
        ours = {PERSON: person, ONCE: once}
        bound: dict[str, Any] = {name: value for name, value in ours.items() if name in self.names}
        for name, schema in self.schemas.items():
            if name not in arguments and "default" not in schema:
                raise BadInput(f"{self.name} lacks the argument {name!r}", param=name)
            if name in self.names:
                bound[name] = arguments.get(name, schema.get("default"))
        return bound


def queries_of(name: str, settings: SqlSettings) -> dict[str, Query]:
    """The declared queries of a system. Raises `BadInput` naming the key that is wrong."""
    key = f"systems.{name}.queries"
    if settings.tables and SELECT in settings.queries:
        raise BadInput(
            f"{key}.{SELECT} has the name of the tool that `tables` makes", mend="give the query another name"
        )
    if not settings.queries and not settings.tables:
        raise BadInput(
            f"systems.{name} offers nothing",
            why="it has neither queries nor tables",
            mend="declare a query under `queries:`, or name the tables that models may read under `tables:`",
        )
    return {each: _query(f"{key}.{each}", each, query) for each, query in settings.queries.items()}


def definitions_of(name: str, settings: SqlSettings) -> tuple[Definition, ...]:
    """The tools that the workspace's own text makes of a database. Raises `BadInput` naming the key that is wrong."""
    made = [
        Definition(
            name=each,
            description=settings.queries[each].about,
            input=_input(query.schemas),
            output=RESULT,
            effect=settings.queries[each].effect,
            idempotent=settings.queries[each].idempotent or ONCE in query.names,
        )
        for each, query in queries_of(name, settings).items()
    ]
    if settings.tables:
        made.append(_select(settings))
    return tuple(made)


def _select(settings: SqlSettings) -> Definition:
    tables = ", ".join(settings.tables)
    about = f"One SELECT statement that reads these tables: {tables}. At most {settings.most_rows} rows come back."
    sql = {"type": "string", "minLength": 1, "maxLength": 16_000, "description": "The statement, with no semicolon."}
    return Definition(
        name=SELECT,
        description=about,
        input={"type": "object", "properties": {"sql": sql}, "required": ["sql"], "additionalProperties": False},
        output=RESULT,
        effect="read",
        idempotent=True,
    )


def _query(key: str, name: str, settings: QuerySettings) -> Query:
    if not _NAME.fullmatch(name):
        raise BadInput(f"{key}: {name!r} is no fit name for a tool", mend="use small letters, digits and _")
    pieces, names = _apart(settings.sql.strip().rstrip(";").rstrip())
    # Of an `insert`, the mapping may have a value of its own in the place of what callers give.
    unused = [each for each in settings.parameters if each not in names]
    if unused and not settings.insert:
        spare = sorted(unused)
        raise BadInput(
            f"{key}.parameters: {spare[0]!r} stands nowhere in the statement", mend=f"write :{spare[0]} in it"
        )
    if taken := [each for each in _OURS if each in settings.parameters]:
        raise BadInput(
            f"{key}.parameters: `{taken[0]}` is no parameter",
            why=f":{PERSON} stands for who calls and :{ONCE} for the call, whatever arguments say",
            mend="leave it out of `parameters`, or give the parameter another name",
        )
    taken_in = [each for each in dict.fromkeys((*names, *unused)) if each not in _OURS]
    schemas = {each: _schema(key, each, settings.parameters) for each in taken_in}
    return Query(name=name, pieces=pieces, names=names, schemas=schemas, reads=settings.effect == "read")


def _schema(key: str, name: str, given: Mapping[str, Schema]) -> Schema:
    schema = given.get(name, {"type": "string"})
    kinds = schema.get("type", "string")
    if not set(kinds if isinstance(kinds, list) else [kinds]) <= _TYPES:
        raise BadInput(f"{key}.parameters.{name}.type: {kinds!r} is no type of JSON Schema", mend="such as `integer`")
    return schema if "type" in schema or "enum" in schema else {**schema, "type": "string"}


def _input(schemas: Mapping[str, Schema]) -> Schema:
    return {
        "type": "object",
        "properties": dict(schemas),
        "required": [name for name, schema in schemas.items() if "default" not in schema],
        "additionalProperties": False,
    }


def _apart(sql: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    places = list(_places(sql))
    ends = [0, *(end for _, end, _ in places)]
    starts = [*(start for start, _, _ in places), len(sql)]
    pieces = tuple(sql[end:start] for end, start in zip(ends, starts, strict=True))
    return pieces, tuple(name for _, _, name in places)


def _places(sql: str) -> Iterator[tuple[int, int, str]]:
    for found in _PIECE.finditer(sql):
        if name := found.group("name"):
            yield found.start(), found.end(), name
