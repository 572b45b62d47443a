"""Numbers that carry their own proof or form: bank accounts (ISO 13616), VAT numbers of Europe, addresses on the
Internet."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from fairlead.documents.layout import Cell, Sheet, around
from fairlead.documents.types import Box

_LENGTHS: Final = {
    "AD": 24,
    "AT": 20,
    "BE": 16,
    "BG": 22,
    "CH": 21,
    "CY": 28,
    "CZ": 24,
    "DE": 22,
    "DK": 18,
    "EE": 20,
    "ES": 24,
    "FI": 18,
    "FR": 27,
    "GB": 22,
    "GR": 27,
    "HR": 21,
    "HU": 28,
    "IE": 22,
    "IS": 26,
    "IT": 27,
    "LI": 21,
    "LT": 20,
    "LU": 20,
    "LV": 21,
    "MC": 27,
    "MT": 31,
    "NL": 18,
    "NO": 15,
    "PL": 28,
    "PT": 25,
    "RO": 24,
    "SE": 24,
    "SI": 19,
    "SK": 24,
    "TR": 26,
}
_VAT: Final = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CHE": r"\d{9}(MWST|TVA|IVA)?",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z]\d{7}[A-Z0-9]|\d{8}[A-Z]",
    "FI": r"\d{8}",
    "FR": r"[A-Z0-9]{2}\d{9}",
    "GB": r"\d{9}(\d{3})?",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}",
    "LT": r"\d{9}(\d{3})?",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "NO": r"\d{9}(MVA)?",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{6,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
}
_VAT_FORM: Final = re.compile("|".join(f"{country}(?:{form})" for country, form in _VAT.items()))
_BEGINS: Final = re.compile(r"\W*[^\W\d_]")  # with a letter, its country's
_JUNK: Final = re.compile(r"[\s.\-/:]")
_DOMAIN: Final = re.compile(
    r"(?:[\w.+-]+@|https?://|www\.)((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,})", re.IGNORECASE
)
_BARE_DOMAIN: Final = re.compile(
    r"^((?:[a-z0-9][a-z0-9-]*\.)+(?:com|net|org|eu|de|at|ch|fr|nl|be|es|it|pt|pl|se|dk|no|fi|cz|hu|ro|uk|ie|us|ca|au|io|shop|biz))$"
)
_ANYBODYS: Final = frozenset(
    [
        "gmail",
        "outlook",
        "hotmail",
        "yahoo",
        "gmx",
        "web",
        "icloud",
        "aol",
        "live",
        "proton",
        "protonmail",
        "orange",
        "wanadoo",
        "free",
        "libero",
        "t-online",
    ]
)
_MOST_WORDS: Final = 10
_LONGEST_GROUP: Final = 6


class Identifier(Struct, frozen=True):
    """One of them, with its place."""

    value: str
    text: str
    page: int
    box: Box
    cell: Cell


def accounts(sheet: Sheet) -> list[Identifier]:
    """The IBANs whose check digits hold."""
    return [found for cell in sheet.cells for found in _in(cell, _is_iban)]


def vat_numbers(sheet: Sheet) -> list[Identifier]:
    """What has the form of a VAT number with its country's letters, and is no part of a bank account."""
    spans = {(id(each.cell), each.box) for each in accounts(sheet)}
    found = [each for cell in sheet.cells for each in _in(cell, _is_vat)]
    return [each for each in found if not any(id(each.cell) == cell and _within(each.box, box) for cell, box in spans)]


def domains(cell: Cell) -> set[str]:
    """The names of the domains that a cell speaks of, without those where anybody may have an address."""
    found = set()
    for word in cell.words:
        text = word.text.strip(".,;:()|").lower()
        for host in [*_DOMAIN.findall(text), *_BARE_DOMAIN.findall(text)]:
            parts = host.lower().split(".")
            name = parts[-3] if len(parts) > 2 and parts[-2] in ("co", "com", "org", "ac") else parts[-2]
            if name not in _ANYBODYS:
                found.add(name)
    return found


def _in(cell: Cell, is_one: "type[str] | object") -> Iterator[Identifier]:
    start = 0
    while start < len(cell.words):
        if not _BEGINS.match(cell.words[start].text):
            start += 1
            continue
        for end in range(min(len(cell.words), start + _MOST_WORDS), start, -1):
            text = " ".join(word.text for word in cell.words[start:end])
            value = is_one(text)  # type: ignore[operator]
            if value:
                yield Identifier(value, text, cell.page, around(cell.words[start:end]), cell)
                start = end - 1
                break
        start += 1


def _is_iban(text: str) -> str:
    groups = text.split()
    if groups[0].strip(":").upper() == "IBAN":
        groups = groups[1:]
    if len(groups) > 1 and any(len(each) > _LONGEST_GROUP or each.upper().startswith("IBAN") for each in groups):
        return ""  # numbers that stand side by side: their check digits can hold by chance
    bare = _JUNK.sub("", re.sub(r"^IBAN", "", text.strip(" .,;:|"))).upper()
    if len(bare) != _LENGTHS.get(bare[:2], 0) or not bare[2:4].isdigit() or not bare.isalnum() or not bare.isascii():
        return ""
    digits = "".join(str(int(letter, 36)) for letter in bare[4:] + bare[:4])
    return bare if int(digits) % 97 == 1 else ""


def _is_vat(text: str) -> str:
    bare = _JUNK.sub("", text.strip(" .,;:|()")).upper()
    return bare if _VAT_FORM.fullmatch(bare) else ""


def _within(one: Box, other: Box) -> bool:
    return one[0] >= other[0] - 1 and one[2] <= other[2] + 1
