"""What people gave in a model's place, read again: without what it says by whoever runs the deployment, and opened by
whoever has its master key. Every function reads or writes the database."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from fairlead.clock import Clock
from fairlead.costs.record import deed
from fairlead.errors import NotFound, Refused
from fairlead.labels import DataClass
from fairlead.learning.examples import Content, about_example, said
from fairlead.storage.store import Store
from fairlead.storage.types import NewExample
from fairlead.storage.vault import SubjectKey, Vault

if TYPE_CHECKING:
    from fairlead.storage.example_rows import Which

_decoder = msgspec.msgpack.Decoder(Content)


class Example(Struct, frozen=True):
    """A row, and what it says."""

    row: NewExample
    content: Content


def listed(store: Store, which: "Which", after: str = "") -> Iterator[NewExample]:
    """The youngest first, without what they say; from behind `after` on. Raises `NotFound` where that is none."""
    from fairlead.storage import example_rows as table
    from fairlead.storage.paging import FIRST

    last = FIRST
    if after:
        row = one(store, after)
        last = row.at, row.id
    with store.reading() as connection:
        yield from table.examples(connection, which, last)


def one(store: Store, beginning: str) -> NewExample:
    """The example whose id begins so. Raises `NotFound` where there is none, or several."""
    from fairlead.storage import example_rows as table

    with store.reading() as connection:
        found = table.named(connection, beginning)
    if len(found) == 1:
        return found[0]
    several = f"several examples begin with {beginning!r}" if found else f"there is no example {beginning[:80]!r}"
    raise NotFound(several, mend="`fairlead examples list` lists those that there are", subject=beginning)


def opened(vault: Vault, rows: Iterable[NewExample]) -> Iterator[Example]:
    """What these say. One of which a person is erased just now is as if it never was."""
    keys: dict[str, SubjectKey | None] = {}
    for row in rows:
        for id_ in {row.subject, row.by} - keys.keys():
            keys[id_] = vault.key_of(id_)
        subject, by = keys[row.subject], keys[row.by]
        if subject is None or by is None:
            continue
        inner = vault.open_own(subject, row.sealed, about_example(row.id))
        yield Example(row, _decoder.decode(vault.open_own(by, inner, about_example(row.id))))


def note_export(store: Store, clock: Clock, which: "Which", *, by: str, as_said: bool = False) -> int:
    """Put into the log that these are given away, before they are, and whether `as_said`, with all that policies take
    out of requests. How many they are."""
    from fairlead.storage import example_rows as table

    with store.writing() as connection:
        count = table.counted(connection, which)
        up_to = DataClass(DataClass.restricted if which.up_to is None else which.up_to).name
        kind = "".join(f", {name} {each}" for name, each in (("task", which.task), ("source", which.source)) if each)
        about = f"{count} examples up to {up_to}{kind}" + (", as they were said" if as_said else "")
        store.database.append(connection, [deed(clock, "examples_exported", by=by, about=about)])
    return count


def forget(store: Store, clock: Clock, rows: Sequence[NewExample], *, by: str) -> int:
    """Delete these, for good, with a record of it. How many there were. Raises `Refused` under a legal hold."""
    from fairlead.storage import example_rows as table

    gone = 0
    for start in range(0, len(rows), table.BATCH):
        page = rows[start : start + table.BATCH]
        with store.writing() as connection:
            if any(table.is_held(connection, each) for each in page):
                raise Refused(
                    "some of these examples cannot be deleted for now",
                    why="a legal hold is on whose they are, or on their run",
                    mend="fairlead data holds lists the holds",
                )
            store.database.wipe(connection)
            count = table.delete_these(connection, [each.id for each in page])
            entry = deed(clock, "examples_forgotten", by=by, about=f"{count} examples")
            store.database.append(connection, [entry])
        gone += count
    return gone


def about(row: NewExample) -> dict[str, Any]:
    """What is known of an example without opening it. Times in milliseconds since 1970."""
    return {
        "object": "example",
        "id": row.id,
        "source": row.source,
        "task": row.task,
        "class": DataClass(row.data_class).name,
        "at": row.at,
        "workflow": row.workflow or None,
        "run": row.run or None,
        "place": row.place or None,
        "action": row.action or None,
        "reason": row.reason,
        "code": row.code or None,
        "department": row.department,
        "revision": row.revision or None,
        "snapshot": row.snapshot or None,
        "answered_by": row.by,
        "accepted": row.accepted,
    }


def whole(example: Example) -> dict[str, Any]:
    """An example with what it says: in the form in which chats are given to be learnt from, and all that is known of it
    beside. People stand there by the ids under which the log knows them."""
    content = example.content
    messages = [*content.messages, ("assistant", said(content.answer))]
    known = about(example.row)
    del known["object"]
    return {
        "messages": [{"role": role, "content": text} for role, text in messages],
        **known,
        "role": content.role,
        "categories": content.categories,
        "sources": [each for each in content.sources if not each.startswith("person:")],
        "untrusted": content.untrusted,
        "citations": content.citations,
        "schema": content.schema or None,
        "rejected": [{"model": each.model, "run": each.run, "content": each.text} for each in content.rejected],
    }
