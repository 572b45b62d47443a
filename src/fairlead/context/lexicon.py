"""What joins a pack beside what the search finds: terms of the glossary that are named, precedents, and how the
organisation wants to be heard. Items of these kinds are short, and kept in memory."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from msgspec import Struct

from fairlead.context.catalogue import Catalogue, Entry
from fairlead.context.hits import Hit
from fairlead.labels import Access, MayRead
from fairlead.models.words import stems
from fairlead.storage.store import Store

Form = tuple[str, ...]

_KINDS: Final = ("term", "decision", "voice")
_MOST_TEXT: Final = 4_000  # characters of such an item that are kept: one that says more is a page
_MOST_TERMS: Final = 12
_MOST_OTHERS: Final = 4  # decisions, or pages of voice
_READ: Final = 4_000  # characters of a question, from its end


class Spoken(Struct, frozen=True):
    """An item that joins packs: as a piece, what must be permitted, its names as stems, its topics, and names in
    capitals that are compared as they are written (IT is not it)."""

    hit: Hit
    rights: tuple[Access, ...]
    forms: tuple[Form, ...]
    exact: tuple[str, ...]
    topics: frozenset[str]


class Joining(Struct, frozen=True):
    """What joins one pack. `terms` are those that the question names; `named` the terms that passages name, by the
    place of the passage."""

    terms: tuple[Hit, ...] = ()
    decisions: tuple[Hit, ...] = ()
    voice: tuple[Hit, ...] = ()
    named: tuple[tuple[Hit, ...], ...] = ()


NOTHING: Final = Joining()


class Lexicon:
    """The terms, decisions and voices of a snapshot."""

    def __init__(self, spoken: Iterable[Spoken] = ()) -> None:
        self._all = tuple(spoken)
        self._first: dict[str, list[tuple[Form, int]]] = {}
        self._exact: dict[str, list[int]] = {}
        for at, each in enumerate(self._all):
            for form in each.forms:
                self._first.setdefault(form[0], []).append((form, at))
            for name in each.exact:
                self._exact.setdefault(name, []).append(at)
        # What a passage names never changes while the snapshot is in force.
        self._named = lru_cache(maxsize=4096)(self._names)

    @property
    def rights(self) -> Iterator[tuple[Access, ...]]:
        """What must be permitted for each item that may join a pack."""
        return (each.rights for each in self._all)

    def joining(
        self, question: str, passages: Sequence[str], topics: Sequence[str], voice: bool, may_read: MayRead
    ) -> Joining:
        """What joins the pack of a question to which these passages were found."""
        if not self._all:
            return NOTHING
        known: dict[tuple[Access, ...], bool] = {}

        def permitted(at: int) -> bool:
            rights = self._all[at].rights
            if rights not in known:
                known[rights] = all(map(may_read, rights))
            return known[rights]

        asked = [at for at in self._names(question[-_READ:]) if permitted(at)]
        wanted = frozenset(topic.casefold() for topic in topics)
        about = [at for at, each in enumerate(self._all) if each.topics & wanted and permitted(at)]
        decisions = dict.fromkeys(at for at in (*asked, *about) if self._all[at].hit.kind == "decision")
        voices = [
            at for at, each in enumerate(self._all)
            if each.hit.kind == "voice" and (at in about or (voice and permitted(at)))
        ]  # fmt: skip
        return Joining(
            terms=self._hits(self._terms(asked), _MOST_TERMS),
            decisions=self._hits(decisions, _MOST_OTHERS),
            voice=self._hits(voices, _MOST_OTHERS),
            named=tuple(
                self._hits((at for at in self._terms(self._named(text)) if permitted(at)), _MOST_TERMS)
                for text in passages
            ),
        )

    def met(self, text: str) -> None:
        """Work out, once, what a passage names."""
        self._named(text)

    def _terms(self, found: Iterable[int]) -> Iterator[int]:
        return (at for at in found if self._all[at].hit.kind == "term")

    def _hits(self, found: Iterable[int], most: int) -> tuple[Hit, ...]:
        return tuple(self._all[at].hit for at in list(found)[:most])

    def _names(self, text: str) -> tuple[int, ...]:
        """The items that a text names, in the order of their first mention."""
        found: dict[int, None] = {}
        stemmed = stems(text)
        for place, stem in enumerate(stemmed):
            for form, at in self._first.get(stem, ()):
                if at not in found and tuple(stemmed[place : place + len(form)]) == form:
                    found[at] = None
        if self._exact:
            for word in text.replace("-", " ").replace("/", " ").split():
                for at in self._exact.get(word.strip(".,;:!?()[]\"'"), ()):
                    found.setdefault(at)
        return tuple(found)


NO_LEXICON: Final = Lexicon()


def load_lexicon(store: Store, catalogue: Catalogue) -> Lexicon:
    """The lexicon of a published snapshot."""
    entries = [each for kind in _KINDS for each in catalogue.by_kind.get(kind, ())]
    if not entries:
        return Lexicon()
    from sqlalchemy import select, tuple_

    from fairlead.storage.context_tables import context_item

    item, texts = context_item.c, {}
    with store.reading() as connection:
        for start in range(0, len(entries), 400):
            keys = [(each.id, each.version) for each in entries[start : start + 400]]
            query = select(item.id, item.text).where(tuple_(item.id, item.version).in_(keys))
            texts.update({row.id: row.text for row in connection.execute(query)})
    return Lexicon(spoken_of(each, texts.get(each.id, ""), catalogue.rights_of(each)) for each in entries)


def spoken_of(entry: Entry, text: str, rights: tuple[Access, ...]) -> Spoken:
    """An item of one of the kinds, as it joins packs."""
    fields = entry.fields
    names: tuple[str, ...] = ()
    lines = [text.strip()[:_MOST_TEXT]]
    if entry.kind == "term":
        names = (entry.title, *fields.get("synonyms", ()), *fields.get("avoid", ()))
        lines += _line("Also called", fields.get("synonyms", ())) + _line("Do not call it", fields.get("avoid", ()))
    elif entry.kind == "decision":
        names = fields.get("precedent_for", ())
        lines += _line("Decided", (*fields.get("decided", ()), *(f"by {each}" for each in fields.get("by", ()))))
    else:
        lines += _line("Say", fields.get("say", ())) + _line("Do not say", fields.get("avoid", ()))
    exact = tuple(name for name in names if name.isupper() and len(name) <= 8 and " " not in name)
    forms = (tuple(stems(name)) for name in names if name not in exact)
    hit = Hit(
        item=entry.id,
        version=entry.version,
        title=entry.title,
        heading="",
        text="\n".join(filter(None, lines)),
        owner=entry.owner,
        verified=entry.verified,
        review_by=entry.review_by,
        data_class=entry.data_class,
        score=0.0,
        kind=entry.kind,
        expires=entry.expires,
        trusted=entry.trusted,
        changed=entry.changed,
    )
    topics = frozenset(each.casefold() for each in (*entry.topics, *fields.get("precedent_for", ())))
    return Spoken(hit, rights, tuple(dict.fromkeys(filter(None, forms))), exact, topics)


def _line(what: str, names: Sequence[str]) -> list[str]:
    return [f"{what}: {', '.join(names)}."] if names else []
