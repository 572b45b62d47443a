"""What `fairlead doctor` finds out about search by meaning: whether the database scores the vectors, or each worker."""

from fairlead.cli.checks import OK, WARN, Finding, Looked
from fairlead.cli.compiled import published_revision
from fairlead.context.embedding import embedder_of
from fairlead.storage import postgres_vectors
from fairlead.workspace.published import snapshot_of

_IN_MEMORY = "pages are scored by each worker, which keeps their vectors in memory"


def vectors(looked: Looked) -> list[Finding]:
    """Where vectors are scored. Nothing is said where pages are found by words alone, or none is published."""
    embedder = embedder_of(looked.compiled.settings.context)
    revision = published_revision(looked.store)
    if not revision:
        return []
    if looked.compiled.settings.context.embedding_model:
        return _declared(looked, snapshot_of(looked.store, revision))
    return [_scored(looked, snapshot_of(looked.store, revision), embedder.model)] if embedder is not None else []


def _declared(looked: Looked, snapshot: str) -> list[Finding]:
    """How much a model of the workspace has embedded, and who scores it."""
    from fairlead.workspace.page_standing import page_standing

    standing = page_standing(looked.store, snapshot, looked.compiled)
    if standing is None:
        return []
    mend = "fairlead apply, which says why; a worker that serves tries again by itself"
    state = Finding("embedding", WARN if standing.waiting else OK, standing.said, mend if standing.waiting else "")
    return [state, _scored(looked, snapshot, standing.key)] if standing.embedded else [state]


def _scored(looked: Looked, snapshot: str, key: str) -> Finding:
    with looked.store.reading() as connection:
        extension, on_server = postgres_vectors.extension(connection), connection.dialect.name == "postgresql"
    if not on_server:
        return Finding("vectors", OK, _IN_MEMORY)
    if extension is None:
        return Finding("vectors", OK, f"{_IN_MEMORY}: the server has no extension `vector` (pgvector)")
    if postgres_vectors.complete(looked.store, snapshot, key):
        return Finding("vectors", OK, f"the database scores them (pgvector {extension})")
    if not extension:
        mend = "CREATE EXTENSION vector; in this database, by an account that may, then fairlead apply"
        return Finding("vectors", WARN, f"{_IN_MEMORY}: the database lacks the server's extension `vector`", mend)
    return Finding("vectors", WARN, f"{_IN_MEMORY}: the database has no full copy of them", "fairlead apply")
