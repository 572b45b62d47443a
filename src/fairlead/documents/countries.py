"""From where a document is, as far as its words, addresses and signs tell."""

import re
from typing import Final

from fairlead.documents.dates import days_in
from fairlead.documents.layout import Sheet

_STATES: Final = re.compile(
    r"\b(?:AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC)"
    r",?\s+\d{5}(?:-\d{4})?\b"
)
_NOT_ENGLISH: Final = frozenset(
    (
        "rechnung",
        "rechnungsnummer",
        "rechnungsdatum",
        "facture",
        "factuur",
        "factuurnummer",
        "factura",
        "fattura",
        "fatura",
        "faktura",
        "fakturanummer",
        "fakturadatum",
        "lasku",
        "szamla",
    )
)
_AMERICA: Final = re.compile(r"\b(?:U\.?S\.?A\b|United States|US Dollars?|U\.S\. Dollars?|USD\b|US\$)", re.IGNORECASE)
_OTHER_DOLLARS: Final = re.compile(
    r"\b(?:Canada|Canadian|Ontario|Qu[eé]bec|British Columbia|Alberta|Manitoba|Australia|ABN|ACN|New Zealand|GST"
    r"|HST|PST|QST|TPS|TVQ|IRD|M[eé]xico|RFC|Singapore|UEN|Hong Kong|Colombia|Argentina|Chile|CUIT|NIT|RUT|CAD|AUD|NZD"
    r"|MXN|SGD|HKD|COP|ARS|CLP|TWD|Taiwan|NSW|VIC|QLD|[A-Z]\d[A-Z] ?\d[A-Z]\d)\b|\b(?:CA|C|A|AU|NZ|S|HK|MX|R|NT)\$"
)
_INDIA: Final = re.compile(r"\b(?:India|GSTIN|CGST|SGST|IGST)\b", re.IGNORECASE)
_OTHER_RUPEES: Final = re.compile(r"\b(?:Pakistan|Sri Lanka|Nepal|Mauritius)\b", re.IGNORECASE)
_SPELT: Final = re.compile(r"\b[A-Z][a-z]{2,8}\.? \d{1,2} ?, ?(?:19|20)\d\d\b")


def is_american(sheet: Sheet) -> bool:
    """Whether an address, a currency or the country's name of the United States stands there."""
    text = text_of(sheet)
    return bool(_STATES.search(text) or _AMERICA.search(text))


def is_european(sheet: Sheet, proofs: bool) -> bool:
    """Whether words, signs or numbers (`proofs`: of banks or taxes) say that day stands before month."""
    tokens = {token for cell in sheet.cells for token, _, _ in cell.tokens}
    text = text_of(sheet)
    return bool(
        tokens & _NOT_ENGLISH or proofs or re.search(r"[£€]|\bGBP\b|\bEUR\b", text) or {"abn", "gstin"} & tokens
    )


def dollars_are_american(sheet: Sheet) -> bool:
    """Whether `$` is that of the United States: something says so, dates spelt as there with them, and nothing speaks
    for another country that has one."""
    text = text_of(sheet)
    spelt = any(days_in(found) for found in _SPELT.findall(text))
    return bool(_STATES.search(text) or _AMERICA.search(text) or spelt) and not _OTHER_DOLLARS.search(text)


def rupees_are_indian(sheet: Sheet) -> bool:
    """Whether the country or its tax stands there, and none other that has rupees."""
    text = text_of(sheet)
    return bool(_INDIA.search(text)) and not _OTHER_RUPEES.search(text)


def text_of(sheet: Sheet) -> str:
    """The words of all cells, one cell a line."""
    return "\n".join(cell.text for cell in sheet.cells)
