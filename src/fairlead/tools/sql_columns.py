"""Which columns a declared query gives, as far as its text tells. Nothing is decided by it: the database knows."""

from fairlead.tools.settings import SqlSettings


def columns_of(settings: SqlSettings, query: str) -> tuple[str, ...] | None:
    """The names in their order; None where only the database knows (a `*`), or no parser is installed."""
    try:
        import sqlglot
        from sqlglot.errors import SqlglotError
    except ImportError:
        return None
    dialect = "sqlite" if settings.url.startswith("sqlite:") else "postgres"
    try:
        found = sqlglot.parse_one(settings.queries[query].sql, dialect=dialect)
    except (SqlglotError, RecursionError):
        return None
    names = tuple(found.named_selects) if isinstance(found, sqlglot.exp.Query) else ()
    return names if names and "*" not in names and all(names) else None
