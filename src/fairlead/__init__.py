"""Fairlead: the neutral execution layer between models and systems of record."""

__version__ = "0.1.0"
