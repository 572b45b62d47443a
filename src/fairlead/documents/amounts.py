"""Amounts of money and percentages as invoices write them, and the currencies that they name."""

import re
from decimal import Decimal
from typing import Final

from msgspec import Struct

SYMBOLS: Final = {
    "€": "EUR",
    "£": "GBP",
    "zł": "PLN",
    "Kč": "CZK",
    "Ft": "HUF",
    "R$": "BRL",
    "US$": "USD",
    "C$": "CAD",
    "CA$": "CAD",
    "A$": "AUD",
    "AU$": "AUD",
    "NZ$": "NZD",
    "S$": "SGD",
    "HK$": "HKD",
    "₹": "INR",
    "₺": "TRY",
    "₽": "RUB",
    "₴": "UAH",
    "₪": "ILS",
    "₩": "KRW",
    "₫": "VND",
    "฿": "THB",
    "₦": "NGN",
    "лв": "BGN",
    "руб": "RUB",
    "грн": "UAH",
    "lei": "RON",
    "Fr.": "CHF",
    "SFr.": "CHF",
}
"""Signs that stand for one currency alone."""
SHARED: Final = {
    "$": ("USD", "CAD", "AUD", "NZD", "MXN", "SGD"),
    "kr": ("SEK", "NOK", "DKK"),
    "¥": ("JPY", "CNY"),
    "Rs.": ("INR", "PKR", "LKR", "NPR", "MUR"),
    "Rs": ("INR", "PKR", "LKR", "NPR", "MUR"),
}
"""Signs that several use."""
_ISO: Final = """
EUR USD GBP CHF SEK NOK DKK PLN CZK HUF RON BGN CAD AUD NZD JPY CNY INR BRL MXN SGD HKD TRY ZAR ILS AED ISK
ARS CLP COP UYU SAR QAR KWD BHD OMR JOD EGP MAD TND DZD KES NGN GHS UGX TZS ZMW PKR LKR BDT NPR MUR THB VND
IDR MYR PHP KRW TWD UAH RUB KZT RSD BAM HRK MKD XOF XAF
"""
CODES: Final = frozenset(_ISO.split())
"""Of ISO 4217, without those that are English words, such as ALL and TOP."""
_NUMBER: Final = (
    r"(?:\d{1,2}(?:,\d\d)+,\d{3}(?!\d)|\d{1,3}(?:[ \u00a0\u202f'’.,]\d{3})+|\d+)(?:[.,]\d{1,4})?(?:,-|\.-)?"
)
_SIGN: Final = "|".join(re.escape(each) for each in sorted((*SYMBOLS, *SHARED), key=len, reverse=True))
_APART: Final = r"(?<![^\W\d_])(?<![\w.][-–])"  # `hrs 3` are no rupees, and `Mo.-Fr. 8.00` no francs
_AMOUNT: Final = re.compile(
    rf"(?P<open>\()?(?P<minus>[-–−])?\s?(?P<before>{_APART}(?:{_SIGN}|\b[A-Z]{{3}}\b)(?=\s?[-–−(]?\s?\d))?\s?(?P<minus2>[-–−])?\s?"
    rf"(?<![\w.,/#])(?<!\w-)(?P<number>{_NUMBER})(?![\d/]|[.,]\d)(?P<minus3>-(?!\w)|\s?CR\b)?\s?(?P<after>(?:{_SIGN}|[A-Z]{{3}})(?![\w]))?"
    r"(?P<percent>\s?%)?"
)


class Amount(Struct, frozen=True):
    """A number with its currency's sign, "" without one. `cents` tells whether it is written with two decimals."""

    value: Decimal
    sign: str
    cents: bool
    start: int
    end: int
    percent: bool = False


def amounts_in(text: str) -> list[Amount]:
    """The amounts and percentages of a text, in their order. What is part of a word, a date or a number with dashes
    is none."""
    found = []
    for each in _AMOUNT.finditer(text):
        value = parsed(each["number"])
        if value is None:
            continue
        after = each["after"] or ""
        sign = each["before"] or (after if after in SYMBOLS or after in SHARED or after in CODES else "")
        sign = sign if sign in SYMBOLS or sign in SHARED or sign in CODES else ""
        if after and not sign and each.end("number") == each.start("after"):
            continue  # 12ABC is a code
        negative = bool(each["minus"] or each["minus2"] or each["minus3"] or each["open"])
        exact = re.search(r"[.,]\d\d$", each["number"].removesuffix(",-").removesuffix(".-")) is not None
        cents = exact or each["number"].endswith(("-",))
        found.append(
            Amount(-value if negative else value, sign, cents, each.start(), each.end(), bool(each["percent"]))
        )
    return found


def parsed(text: str) -> Decimal | None:
    """A number in any of the usual spellings: `1.234,56`, `1,234.56`, `1 234,56`, `1'234.56`, `12,34,567.00`, `12,-`.
    None where it is none."""
    bare = re.sub(r"[ \u00a0\u202f'’]", "", text.removesuffix(",-").removesuffix(".-"))
    points, commas = bare.count("."), bare.count(",")
    if points and commas:
        mark = max(".", ",", key=bare.rfind)
        other = "," if mark == "." else "."
        if bare.count(mark) > 1:
            return None
        bare = bare.replace(other, "").replace(mark, ".")
    elif points > 1 or commas > 1:
        bare = bare.replace(".", "").replace(",", "")
    elif points or commas:
        mark = "." if points else ","
        whole, _, rest = bare.partition(mark)
        # Three digits after a single mark are thousands on an invoice, unless nothing stands before it.
        bare = whole + rest if len(rest) == 3 and whole not in ("", "0") else f"{whole}.{rest}"
    return Decimal(bare) if re.fullmatch(r"\d+(\.\d+)?", bare) else None
