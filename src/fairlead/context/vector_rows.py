"""What sections mean to a model for embeddings: worked out at publish, once for each text, and read with a snapshot.

A batch is embedded before the write lock is taken, and kept in one transaction; a crash in between loses a batch, and
the next publish goes on with what is missing.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from fairlead.context.sections import PATH
from fairlead.storage import postgres_vectors
from fairlead.storage.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Select

    Numbers = NDArray[np.float32]

Progress = Callable[[int, int], None]

_BATCH = 32  # texts: some seconds on one core
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_MARKS = re.compile(r"[*_`#>|]+")


class Embedder(Protocol):
    """Gives texts vectors of length 1. `model` names what they can be compared with."""

    @property
    def model(self) -> str: ...

    def vectors(self, texts: Sequence[str]) -> "Numbers":
        """A row for each text, in order. Takes as long as it takes: call it in a thread."""
        ...


def embedded_text(title: str, heading: str, text: str) -> str:
    """What is embedded of a section: its words under what it is called, without marks, so that a new look of a page
    changes nothing."""
    above = " ".join(dict.fromkeys(part for part in (title, *heading.split(PATH)) if part))
    plain = _MARKS.sub(" ", _LINK.sub(r"\1", text))
    return f"{above}\n{' '.join(plain.split())}"


def embed_sections(store: Store, snapshot: str, embedder: Embedder, progress: Progress | None = None) -> int:
    """Embeds what is not embedded yet of a snapshot, and gives the number of texts that the model had to read.
    `progress` is told (sections done, sections to do)."""
    missing = _missing(store, snapshot, embedder.model)
    read = done = 0
    for batch in (missing[at : at + _BATCH] for at in range(0, len(missing), _BATCH)):
        texts = {_digest(text): text for _, text in batch}
        known = _known(store, embedder.model, list(texts))
        new = [digest for digest in texts if digest not in known]
        made: dict[str, bytes] = {}
        if new:
            vectors = embedder.vectors([texts[digest] for digest in new])
            made = {digest: vector.astype("<f4").tobytes() for digest, vector in zip(new, vectors, strict=True)}
        _keep(store, embedder.model, made, [(section, _digest(text)) for section, text in batch])
        read += len(new)
        done += len(batch)
        if progress is not None:
            progress(done, len(missing))
    postgres_vectors.copy(store, snapshot, embedder.model)
    return read


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _of_snapshot(snapshot: str, *columns: Any) -> "Select[Any]":
    from sqlalchemy import and_, select

    from fairlead.storage.context_tables import context_member, context_section

    member, section = context_member.c, context_section.c
    return (
        select(*columns)
        .join_from(
            context_member, context_section, and_(member.item == section.item, member.version == section.version)
        )
        .where(member.snapshot == snapshot)
    )


def _missing(store: Store, snapshot: str, model: str) -> list[tuple[int, str]]:
    from sqlalchemy import and_

    from fairlead.storage.context_tables import context_embedded, context_item, context_section

    item, section, embedded = context_item.c, context_section.c, context_embedded.c
    query = (
        _of_snapshot(snapshot, section.rowid, item.title, section.heading, section.text)
        .join(context_item, and_(item.id == section.item, item.version == section.version))
        .outerjoin(context_embedded, and_(embedded.section == section.rowid, embedded.model == model))
        .where(embedded.section.is_(None))
        .order_by(section.rowid)
    )
    with store.reading() as connection:
        return [(row.rowid, embedded_text(row.title, row.heading, row.text)) for row in connection.execute(query).all()]


def _known(store: Store, model: str, digests: Sequence[str]) -> set[str]:
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_vector

    chosen = (context_vector.c.model == model) & context_vector.c.text.in_(digests)
    with store.reading() as connection:
        return set(connection.execute(select(context_vector.c.text).where(chosen)).scalars())


def _keep(store: Store, model: str, made: dict[str, bytes], sections: Sequence[tuple[int, str]]) -> None:
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_embedded, context_vector

    vector, embedded = context_vector.c, context_embedded.c
    with store.writing() as connection:
        # Asked again under the lock: another process may have kept them since.
        there = (vector.model == model) & vector.text.in_(list(made))
        known = set(connection.execute(select(vector.text).where(there)).scalars())
        rows = [{"model": model, "text": text, "vector": value} for text, value in made.items() if text not in known]
        if rows:
            connection.execute(context_vector.insert(), rows)
        these = (embedded.model == model) & embedded.section.in_([section for section, _ in sections])
        had = set(connection.execute(select(embedded.section).where(these)).scalars())
        fresh = [{"section": key, "model": model, "text": text} for key, text in sections if key not in had]
        if fresh:
            connection.execute(context_embedded.insert(), fresh)


def stored_vectors(store: Store, snapshot: str, model: str) -> Iterator[tuple[int, bytes]]:
    """The key of each embedded section of a snapshot, with its vector."""
    from sqlalchemy import and_

    from fairlead.storage.context_tables import context_embedded, context_section, context_vector

    embedded, vector = context_embedded.c, context_vector.c
    query = (
        _of_snapshot(snapshot, context_section.c.rowid, vector.vector)
        .join(context_embedded, and_(embedded.section == context_section.c.rowid, embedded.model == model))
        .join(context_vector, and_(vector.model == embedded.model, vector.text == embedded.text))
    )
    with store.reading() as connection:
        for row in connection.execute(query):
            yield row.rowid, bytes(row.vector)
