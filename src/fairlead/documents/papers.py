"""Papers that look like invoices and are none: what they call themselves, in the languages of labels."""

import re
from typing import Final

from fairlead.documents.layout import Cell, Sheet, folded
from fairlead.documents.types import Run

_MOST_WORDS: Final = 6  # of a title; more is a sentence that only speaks of such a paper
_TITLED: Final = 0.3  # of the first page's height: a slip at its foot is called so on invoices too
_CREDIT: Final = (
    r"(?:sales |tax |vat |customer )?credit (?:note|memo|invoice)\w*|adjustment note|gutschrift|rechnungskorrektur"
    r"|(?:rechnungs)?storno\w*|korrektur\w*rechnung|(?:facture d.)?avoir|note de credit|nota (?:di|de) credito"
    r"|nota de abono|factura (?:rectificativa|de abono)|creditnota|creditfactuur|kredit ?nota|kreditfaktura|dobropis"
    r"|opravny danovy doklad|faktura (?:vat )?koryg\w+|faktura (?:vat )?korekta|korekta faktury|hyvityslasku"
    r"|(?:ervenytelenito|helyesbito|sztorno) szamla|iade faturasi|td04|factura storno"
)
_BEFORE: Final = r"pro-? ?forma\w*|zalohova faktura|predfaktura|dijbekero"
_AFTER: Final = (
    r"(?:(?:first|second|third|final|last|payment|overdue) )?reminder|(?:final|overdue|past due) notice|final demand"
    r"|zahlungserinnerung|(?:\d\. )?(?:letzte )?mahnung|relance\b|rappel de (?:facture|paiement)|mise en demeure"
    r"|recordatorio de pago|requerimiento de pago|sollecito\b|(?:betalings)?herinnering|(?:laatste )?aanmaning"
    r"|(?:betalings?|betalnings)?paminnelse|rykker\w*|purring|inkasso\w*|maksukehotus|maksumuistutus"
    r"|wezwanie do zaplaty|ponaglenie|upominka|fizetesi (?:felszolitas|emlekezteto)|aviso de cobro"
    r"|lembrete de pagamento|odeme hatirlatma\w*"
)
_OTHER: Final = re.compile(rf"(?:{_CREDIT}|{_BEFORE}|{_AFTER})\b")
_QUALIFIED: Final = re.compile(rf"(?:[:(\[–-]\s?|\b(?:type|typ|art|tipo|soort)\s)(?:{_CREDIT}|{_BEFORE})\b")
"""Behind what every invoice calls itself, as in `Invoice (pro forma)`, `Document type: credit memo`."""
_FORMA: Final = re.compile(
    r"\b(?:invoice|facture|factura|fattura|fatura|faktura|factuur|lasku)\W+(?:vat )?pro-? ?forma"
)
_SAYS: Final = re.compile(
    r"\b(?:this is a pro-? ?forma|this is not an invoice\b"
    r"|(?:ist|gilt als) keine rechnung|ce document n.est pas une facture|no es una factura|geen factuur)"
)
_STAMPED: Final = re.compile(
    rf"\b(?:{_CREDIT}|{_BEFORE}|void|cancelled|canceled|storniert|annulee?|annullat[ao]|anulad[ao]|geannuleerd|anulowano"
    r"|draft|entwurf|brouillon|borrador|bozza|specimen)\b"
)
"""What is stamped across a page that is no invoice, or none any more."""
_MOST_STAMP: Final = 40  # letters
_MOST_STAMPED: Final = 4  # words, each counted once; more, as small as the page's text, is small print along a margin
_STAMP: Final = 1.5  # times what most letters have: a stamp, however much it says
_WORD: Final = re.compile(r"[^\W\d_]+")
_APART: Final = re.compile(r"(?<=\b\w) (?=\w\b)")  # between letters that stand singly: V O I D
_SLIP: Final = re.compile(
    r"(?:(?:remittance (?:advice|slip)|zahlungsavis|avis de paiement|betaaladvies)\W*$"
    r"|(?:customer )?statement of account|account statement|kontoauszug|releve de compte|extracto de cuenta"
    r"|estratto conto|rekeningoverzicht|kontoutdrag|kontoudtog|tiliote|wyciag z konta|extrato de conta)"
)
_OFFER: Final = re.compile(
    r"(?:quot(?:e|ation)|estimate|angebot|kostenvoranschlag|devis|presupuesto|preventivo|offerte?|orcamento|oferta|tilbud"
    r"|tarjous|nabidka|arajanlat|(?:fiyat )?teklifi?|purchase order|order (?:confirmation|acknowledgement)"
    r"|sales order|auftragsbestatigung|bestellung|bon de (?:commande|livraison)|delivery note|packing (?:slip|list)"
    r"|lieferschein|pakbon|albaran|documento di trasporto|foljesedel|folgeseddel|lahete|dodaci list)\b"
)
_LARGE: Final = 1.25  # times what most letters have: a title, and no label
_INVOICE: Final = re.compile(
    r"(?:\w+ )?(?:\w*rechnung|invoice|facture|factuur|factura|fattura|fatura|faktura|lasku|szamla)"
    r"(?:$|\W+(?:\(\d+\) )?(?:n[ro]?|num\w*|no|number|nummer|id|ref\w*|vom|du|of|dated|date)\b|\W*\d)"
)
"""How invoices are titled, on which an order or a quotation is only referred to."""


CALLED: Final = "the document calls itself"
"""How a doubt begins that no second reader of the same words lifts."""


def other_paper(sheet: Sheet) -> str:
    """What the document calls itself where that is no invoice to pay, such as `Credit note`; "" for an invoice."""
    sizes = sorted(cell.size for cell in sheet.cells)
    usual = sizes[len(sizes) // 2] if sizes else 0.0
    large = _LARGE * usual
    titles = (folded(cell.text) for cell in sheet.cells if cell.size > large and _heads(cell, sheet))
    is_titled = any(_INVOICE.match(each) for each in titles)
    aside = (run for page in sheet.pages for run in page.aside)
    if stamp := next((run.text for run in aside if _is_stamp(run, usual)), ""):
        return stamp[:_MOST_STAMP]
    for cell in sheet.cells:
        plain = folded(cell.text)
        if _SAYS.search(plain):
            return cell.text
        if len(cell.words) > _MOST_WORDS:
            continue
        if any(each.search(plain) for each in (_QUALIFIED, _FORMA)) or _OTHER.match(plain):
            return cell.text
        if not _heads(cell, sheet):
            continue
        if _SLIP.match(plain) or (not is_titled and cell.size > large and _OFFER.match(plain)):
            return cell.text
    return ""


def _is_stamp(run: Run, usual: float) -> bool:
    """Whether text across a page, or along its margin, says that this is no invoice; small print only speaks of it."""
    for said in (folded(run.text), folded(run.parted), _APART.sub("", folded(run.parted))):
        is_short = run.size > _STAMP * usual or len(set(_WORD.findall(said))) <= _MOST_STAMPED
        if is_short and _STAMPED.search(said):
            return True
    return False


def _heads(cell: Cell, sheet: Sheet) -> bool:
    """Whether it stands where titles do."""
    return cell.page == 1 and cell.middle <= _TITLED * sheet.pages[0].height
