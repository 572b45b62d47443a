"""Papers that look like invoices and are none: what they call themselves, in the languages of labels."""

import re
from typing import Final

from fairlead.documents.layout import Sheet, folded

_MOST_WORDS: Final = 6  # of a title; more is a sentence that only speaks of such a paper
_OTHER: Final = re.compile(
    r"(?:credit (?:note|memo|invoice)|gutschrift|rechnungskorrektur|stornorechnung|(?:facture d.)?avoir|note de credit"
    r"|nota di credito|nota de credito|factura rectificativa|creditnota|creditfactuur|kredit ?nota|kreditfaktura"
    r"|dobropis|faktura korygujaca|hyvityslasku|pro-? ?forma\w*|(?:(?:first|second|third|final|last|payment) )?reminder"
    r"|zahlungserinnerung|(?:\d\. )?mahnung)\b"
)


def other_paper(sheet: Sheet) -> str:
    """What the document calls itself where that is no invoice to pay, such as `Credit note`; "" for an invoice."""
    for cell in sheet.cells:
        if len(cell.words) <= _MOST_WORDS and _OTHER.match(folded(cell.text)):
            return cell.text
    return ""
