"""What an answer rests on."""

import re
from typing import Any

_CITED = re.compile(r"\[([a-z0-9_/-]+)@[^\]\s]+\]")
_UNKNOWN = re.compile(r"\b(?:do not|don't) know\b", re.IGNORECASE)


def told(text: str) -> dict[str, Any]:
    """The pages that an answer cites, each once, and whether it answers at all: what cites nothing is no answer."""
    pages = list(dict.fromkeys(_CITED.findall(text)))
    known = bool(pages) and not _UNKNOWN.search(text)
    return {
        "known": known,
        "pages": pages if known else [],
        "answer": text if known else "I don't know. Ask the store manager.",
    }
