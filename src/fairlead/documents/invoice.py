"""The fields of an invoice, each with its place, how sure it is, and why it is not."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.documents.currencies import currency
from fairlead.documents.identifiers import Identifier, accounts, vat_numbers
from fairlead.documents.issued import dates
from fairlead.documents.layout import Sheet
from fairlead.documents.named import Named
from fairlead.documents.numbers import invoice_number, order_number
from fairlead.documents.papers import CALLED, other_paper
from fairlead.documents.parties import buyers
from fairlead.documents.supplier import supplier
from fairlead.documents.totals import reckoned
from fairlead.documents.types import Field, Page

REQUIRED: Final = ("supplier", "number", "date", "currency", "total")
"""What an invoice cannot be posted without."""

MOST_TEXT: Final = 20_000
_FOOT: Final = 0.8  # of a page's height: what stands below is the sender's


class Invoice(Struct, frozen=True, kw_only=True):
    """What was read. `fields` by name: supplier, vat, iban, number, date, due, order, currency, total, net, tax.
    `text` is the document's, line by line, as far as `MOST_TEXT` letters go."""

    fields: dict[str, Field]
    pages: int
    text: str


def invoice_of(pages: Sequence[Page], house: Iterable[str] = ()) -> Invoice:
    """Read an invoice. `house` are one's own names, which are never the supplier's."""
    sheet = Sheet(pages)
    named = Named(sheet)
    ibans, vats = accounts(sheet), vat_numbers(sheet)
    proofs = [*ibans, *vats]
    sums = reckoned(sheet)
    found: dict[str, Field | None] = {
        "supplier": supplier(named, ibans, vats, house),
        "vat": _vat(named, vats, ibans),
        "iban": _iban(ibans),
        "number": invoice_number(named, proofs),
        "order": order_number(named),
        **dates(named, proofs),
        "currency": currency(sheet, sums.sign, sums.fields.get("total"), proofs),
        **sums.fields,
    }
    number, other = found["number"], other_paper(sheet)
    if number is not None and other:
        found["number"] = _doubted(number, f"{CALLED} {other!r}, which is no invoice to pay")
    if said := _not_read(pages):
        name = next((name for name in ("total", "number", *found) if found.get(name)), "")
        if (field := found.get(name)) is not None:
            found[name] = _doubted(field, said)
    text = "\n".join("  ".join(cell.text for cell in line) for line in sheet.lines)[:MOST_TEXT]
    return Invoice(fields={name: each for name, each in found.items() if each is not None}, pages=len(pages), text=text)


def _not_read(pages: Sequence[Page]) -> str:
    """What to say of pages that are pictures, beside others that are text."""
    numbers = [str(number) for number, page in enumerate(pages, 1) if page.is_picture]
    if not numbers:
        return ""
    one = len(numbers) == 1
    which = f"page {numbers[0]} has" if one else f"pages {', '.join(numbers)} have"
    return f"{which} hardly any text: {'it is' if one else 'they are'} likely a scan, and the total may stand there"


def _doubted(field: Field, said: str) -> Field:
    """The field with a doubt that goes before any other it has: a second reader may lift those."""
    return replace(field, confidence=min(0.4, field.confidence), doubt="; ".join(filter(None, (said, field.doubt))))


def _iban(found: Sequence[Identifier]) -> Field | None:
    values = dict.fromkeys(each.value for each in found)
    if not values:
        return None
    doubt = "" if len(values) == 1 else "several bank accounts stand there: " + ", ".join(values)
    return _of(found[0], 0.99 if not doubt else 0.5, doubt)


def _vat(named: Named, vats: Sequence[Identifier], ibans: Sequence[Identifier]) -> Field | None:
    away = buyers(named)
    found = [each for each in vats if id(each.cell) not in away]
    if not found:
        return None
    values = dict.fromkeys(each.value for each in found)
    low = found[0].box[1] > _FOOT * named.sheet.pages[found[0].page - 1].height
    doubt = ""
    if len(values) > 1:
        doubt = "several VAT numbers stand there: " + ", ".join(values)
    elif not low and found[0].value[:2] not in {each.value[:2] for each in ibans}:
        doubt = "nothing says whose VAT number it is"
    return _of(found[0], 0.5 if doubt else 0.95, doubt)


def _of(found: Identifier, confidence: float, doubt: str) -> Field:
    return Field(value=found.value, text=found.text, page=found.page, box=found.box, confidence=confidence, doubt=doubt)
