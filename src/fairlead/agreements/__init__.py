"""Contracts: their clauses, and what these say that can be reckoned with. Pure: rules read or abstain."""

from fairlead.agreements.bearing_out import bears_out
from fairlead.agreements.clauses import Clause, is_in_another_language, split
from fairlead.agreements.doubting import doubted
from fairlead.agreements.languages import LANGUAGES, language_of
from fairlead.agreements.parties import Parties, parties_of
from fairlead.agreements.positions import Position, position, standing_of
from fairlead.agreements.quantities import amounts, digits
from fairlead.agreements.readers import MEASURES, annual_value, read
from fairlead.agreements.subjects import Unheard, heads_of, unheard

__all__ = [
    "LANGUAGES",
    "MEASURES",
    "Clause",
    "Parties",
    "Position",
    "Unheard",
    "amounts",
    "annual_value",
    "bears_out",
    "digits",
    "doubted",
    "heads_of",
    "is_in_another_language",
    "language_of",
    "parties_of",
    "position",
    "read",
    "split",
    "standing_of",
    "unheard",
]
