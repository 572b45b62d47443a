"""Other words for what a question names, from the glossary: who asks for PTO finds the page about paid time off.

A term widens the search only of those who may read its page: what it says is not told by what is found either.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from fairlead.context.catalogue import Catalogue
from fairlead.labels import Access
from fairlead.models.words import stems

_COUNTS = 0.5  # of a word that was asked
_MOST_TERMS = 12  # of one question
_SPOKEN = ("synonyms", "avoid")

Form = tuple[str, ...]  # the stems of one name, in order


class Term(Struct, frozen=True):
    """What a thing is called: each form stands for the others, for whoever is permitted all of `rights`."""

    access: tuple[Access, ...]
    forms: tuple[Form, ...]


class Glossary(Struct, frozen=True):
    """The terms of a snapshot by the first stem of each of their forms."""

    by_first: dict[str, tuple[tuple[Form, Term], ...]]

    @property
    def rights(self) -> Iterator[tuple[Access, ...]]:
        """What must be permitted for each term."""
        return (term.access for terms in self.by_first.values() for _, term in terms)

    def also(self, question: Sequence[str], may_read: Callable[[Access], bool]) -> dict[str, float]:
        """What else the stems of a question (in order, repetitions included) may mean, and how much each counts."""
        if not self.by_first:
            return {}
        named: list[Term] = []
        for at, stem in enumerate(question):
            for form, term in self.by_first.get(stem, ()):
                if (
                    tuple(question[at : at + len(form)]) == form
                    and term not in named
                    and all(map(may_read, term.access))
                ):
                    named.append(term)
            if len(named) >= _MOST_TERMS:
                break
        asked = set(question)
        return {stem: _COUNTS for term in named for form in term.forms for stem in form if stem not in asked}


NO_GLOSSARY = Glossary({})


def glossary_of(catalogue: Catalogue) -> Glossary:
    """The terms of a snapshot, with their synonyms and the words that should not be used for them but are."""
    by_first: dict[str, list[tuple[Form, Term]]] = {}
    for entry in catalogue.by_kind.get("term", ()):
        names = [entry.title, *(name for key in _SPOKEN for name in entry.fields.get(key, ()))]
        forms = tuple(dict.fromkeys(form for form in (tuple(stems(name)) for name in names) if form))
        if len(forms) > 1:
            term = Term(catalogue.rights_of(entry), forms)
            for form in forms:
                by_first.setdefault(form[0], []).append((form, term))
    return Glossary({first: tuple(terms) for first, terms in by_first.items()})
