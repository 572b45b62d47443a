"""What sections mean to a model for embeddings: worked out once for each text, and read with a snapshot.

A batch is embedded before the write lock is taken, and kept in one transaction; a crash in between loses a batch, and
whoever is next goes on with what is missing.
"""

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from fairlead.context.sections import LINK, PATH
from fairlead.errors import Upstream
from fairlead.labels import DataClass
from fairlead.storage import postgres_vectors
from fairlead.storage.store import Store

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Connection, Select

    Numbers = NDArray[np.float32]

Progress = Callable[[int, int], None]

_BATCH = 32  # texts: some seconds on one core
_LINKED = 500  # texts that are looked up at once
_MARKS = re.compile(r"[*_`#>|]+")


class Embedder(Protocol):
    """Gives texts vectors of length 1. `model` names what they can be compared with."""

    @property
    def model(self) -> str: ...

    def vectors(self, texts: Sequence[str]) -> "Numbers":
        """A row for each text, in order. Takes as long as it takes: call it in a thread."""
        ...


class Lacking(Struct, frozen=True):
    """A section that has no vector yet: its key, what is embedded of it, and the digest of that."""

    section: int
    text: str
    digest: str
    data_class: DataClass


class Embedded(Struct, frozen=True):
    """What of a snapshot has vectors: how many sections, the number up to which they are counted, and the length of a
    vector."""

    sections: int = 0
    upto: int = 0
    length: int = 0


def embedded_text(title: str, heading: str, text: str) -> str:
    """What is embedded of a section: its words under what it is called, without marks, so that a new look of a page
    changes nothing."""
    above = " ".join(dict.fromkeys(part for part in (title, *heading.split(PATH)) if part))
    plain = _MARKS.sub(" ", LINK.sub(r"\1", text))
    return f"{above}\n{' '.join(plain.split())}"


def embed_sections(store: Store, snapshot: str, embedder: Embedder, progress: Progress | None = None) -> int:
    """Embeds what is not embedded yet of a snapshot, in this process, and gives the number of texts that the model had
    to read. `progress` is told (sections done, sections to do)."""
    missing = lacking(store, snapshot, embedder.model)
    rest = linked(store, embedder.model, missing)
    done = len(missing) - len(rest)
    new = list(by_text(rest).values())
    for batch in (new[at : at + _BATCH] for at in range(0, len(new), _BATCH)):
        vectors = embedder.vectors([alike[0].text for alike in batch])
        made = {alike[0].digest: vector.tolist() for alike, vector in zip(batch, vectors, strict=True)}
        keep_vectors(store, embedder.model, made, [each for alike in batch for each in alike])
        done += sum(map(len, batch))
        if progress is not None:
            progress(done, len(missing))
    postgres_vectors.copy(store, snapshot, embedder.model)
    return len(new)


def by_text(missing: Iterable[Lacking]) -> dict[str, list[Lacking]]:
    """Sections that say the same, together: they are embedded once."""
    found: dict[str, list[Lacking]] = {}
    for each in missing:
        found.setdefault(each.digest, []).append(each)
    return found


def lacking(store: Store, snapshot: str, model: str) -> list[Lacking]:
    """The sections of a snapshot that have no vector of this model."""
    from sqlalchemy import and_

    from fairlead.storage.context_tables import context_embedded, context_item, context_section

    item, section, embedded = context_item.c, context_section.c, context_embedded.c
    query = (
        _of_snapshot(snapshot, section.rowid, item.title, section.heading, section.text, item.data_class)
        .join(context_item, and_(item.id == section.item, item.version == section.version))
        .outerjoin(context_embedded, and_(embedded.section == section.rowid, embedded.model == model))
        .where(embedded.section.is_(None))
        .order_by(section.rowid)
    )
    with store.reading() as connection:
        rows = connection.execute(query).all()
    texts = [embedded_text(row.title, row.heading, row.text) for row in rows]
    return [
        Lacking(row.rowid, text, hashlib.sha256(text.encode()).hexdigest(), DataClass(row.data_class))
        for row, text in zip(rows, texts, strict=True)
    ]


def linked(store: Store, model: str, missing: Sequence[Lacking]) -> list[Lacking]:
    """Gives the vector that there is to each section whose text was embedded before, and returns the others."""
    rest: list[Lacking] = []
    for some in (missing[at : at + _LINKED] for at in range(0, len(missing), _LINKED)):
        with store.reading() as connection:
            known = _known(connection, model, {each.digest for each in some})
        if known:
            keep_vectors(store, model, {}, [each for each in some if each.digest in known])
        rest += [each for each in some if each.digest not in known]
    return rest


def keep_vectors(store: Store, model: str, made: Mapping[str, Sequence[float]], sections: Iterable[Lacking]) -> None:
    """Keep the vectors of texts, by digest, and that these sections have them. Raises `Upstream` for vectors that
    cannot be compared with those that there are."""
    from sqlalchemy import func, select

    from fairlead.storage.context_tables import context_embedded, context_vector

    embedded = context_embedded.c
    packed = {digest: packed_vector(numbers, model) for digest, numbers in made.items()}
    with store.writing() as connection:
        # Asked again under the lock: another process may have kept them since.
        known = _known(connection, model, packed.keys())
        rows = [{"model": model, "text": digest, "vector": packed[digest]} for digest in packed.keys() - known]
        if rows:
            refuse_unlike(connection, model, {len(row["vector"]) // 4 for row in rows})
            connection.execute(context_vector.insert(), rows)
        wanted = {each.section: each.digest for each in sections}
        these = (embedded.model == model) & embedded.section.in_(wanted)
        had = set(connection.execute(select(embedded.section).where(these)).scalars())
        last = connection.execute(select(func.max(embedded.made)).where(embedded.model == model)).scalar() or 0
        fresh = [
            {"section": key, "model": model, "text": digest, "made": last + 1}
            for key, digest in wanted.items()
            if key not in had
        ]
        if fresh:
            connection.execute(context_embedded.insert(), fresh)


def packed_vector(numbers: Sequence[float], model: str) -> bytes:
    """A vector of length 1 as it is kept: floats of four bytes, the lowest first. Raises `Upstream` for what has no
    direction."""
    import numpy as np

    length = math.hypot(*numbers)
    if not 0 < length < float("inf"):
        raise _unlike(model, "it is nothing but zeros, or too large to be counted with")
    return (np.asarray(numbers, dtype="<f8") / length).astype("<f4").tobytes()


def refuse_unlike(connection: "Connection", model: str, lengths: set[int]) -> None:
    """Raises `Upstream` where vectors are not as long as each other and those that are kept."""
    wanted = _length(connection, model) or min(lengths)
    if lengths != {wanted}:
        raise _unlike(model, f"it has {max(lengths ^ {wanted})} numbers, and those of the other pages have {wanted}")


def _length(connection: "Connection", model: str) -> int | None:
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_vector

    vector = context_vector.c
    found = connection.execute(select(vector.vector).where(vector.model == model).limit(1)).scalar()
    return None if found is None else len(found) // 4


def _unlike(model: str, why: str) -> Upstream:
    return Upstream(
        f"a vector of {model.partition('=')[0]} cannot be compared with others",
        why=why,
        mend="if another model answers at its address now, give `embeddings.space` another name: all is embedded anew",
        retryable=False,
        charged="part",
    )


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


def _known(connection: "Connection", model: str, digests: Iterable[str]) -> set[str]:
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_vector

    chosen = (context_vector.c.model == model) & context_vector.c.text.in_(list(digests))
    return set(connection.execute(select(context_vector.c.text).where(chosen)).scalars())


def embedded_of(store: Store, snapshot: str, model: str) -> Embedded:
    """How far a snapshot is embedded by now."""
    from sqlalchemy import and_, func

    from fairlead.storage.context_tables import context_embedded, context_section

    embedded = context_embedded.c
    query = _of_snapshot(snapshot, func.count(), func.max(embedded.made)).join(
        context_embedded, and_(embedded.section == context_section.c.rowid, embedded.model == model)
    )
    with store.reading() as connection:
        sections, upto = connection.execute(query).one()
        return Embedded(sections, upto or 0, _length(connection, model) or 0)


def stored_vectors(store: Store, snapshot: str, model: str, upto: int | None = None) -> Iterator[tuple[int, bytes]]:
    """The key of each embedded section of a snapshot, with its vector; of those up to a number, where one is given."""
    from sqlalchemy import and_

    from fairlead.storage.context_tables import context_embedded, context_section, context_vector

    embedded, vector = context_embedded.c, context_vector.c
    query = (
        _of_snapshot(snapshot, context_section.c.rowid, vector.vector)
        .join(context_embedded, and_(embedded.section == context_section.c.rowid, embedded.model == model))
        .join(context_vector, and_(vector.model == embedded.model, vector.text == embedded.text))
    )
    if upto is not None:
        query = query.where(embedded.made <= upto)
    with store.reading() as connection:
        for row in connection.execute(query):
            yield row.rowid, bytes(row.vector)


def later_than(store: Store, snapshot: str, model: str, upto: int) -> frozenset[int]:
    """Keys of sections that were embedded since."""
    from sqlalchemy import and_

    from fairlead.storage.context_tables import context_embedded, context_section

    embedded = context_embedded.c
    query = _of_snapshot(snapshot, embedded.section).join(
        context_embedded, and_(embedded.section == context_section.c.rowid, embedded.model == model)
    )
    with store.reading() as connection:
        return frozenset(connection.execute(query.where(embedded.made > upto)).scalars())


def last_made(store: Store, model: str) -> int:
    """The number of the last write of a model's vectors, of whatever snapshot."""
    from sqlalchemy import func, select

    from fairlead.storage.context_tables import context_embedded

    embedded = context_embedded.c
    with store.reading() as connection:
        return connection.execute(select(func.max(embedded.made)).where(embedded.model == model)).scalar() or 0
