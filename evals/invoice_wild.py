"""Layouts in the manner of bills that people get: of telephones, shops, clouds, hotels. Half of them are for choices
(`SEEN`), and half only ever reported on (`HELD_OUT`)."""

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from tests.paper import A4, LETTER, Text, pdf, right

from evals.invoice_countries import DE, ES, FR, GB, IT, NL, US
from evals.invoice_facts import Facts, Line, facts, spaced

Said = dict[str, str]
Page = list[Text]

COUNTRIES: Final = (DE, ES, FR, GB, IT, NL, US)

_KEYS: Final = (
    "title",
    "number",
    "date",
    "due",
    "order",
    "to",
    "net",
    "tax",
    "total",
    "with",
    "vat",
    "pay",
    "thanks",
    "of",
    "item",
)
_SAID: Final = {  # in the order of the keys
    "DE": "Rechnung|Rechnungsnummer|Rechnungsdatum|Fällig am|Bestellnummer|Rechnung an|Nettobetrag|USt."
    "|Gesamtbetrag|inkl. USt.|USt-IdNr."
    "|Der Rechnungsbetrag wird von Ihrem Konto abgebucht|Vielen Dank für Ihren Einkauf|vom|Artikel",
    "ES": "Factura|Número de factura|Fecha de factura|Vencimiento|Pedido|Cliente|Base imponible|IVA"
    "|Total a pagar|IVA incluido|CIF"
    "|El importe se cargará en su cuenta|Gracias por su compra|de|Concepto",
    "FR": "Facture|N° de facture|Date de facture|Échéance|Votre commande|Facturé à|Total HT|TVA|Total TTC"
    "|TVA incluse|N° TVA"
    "|Le montant sera prélevé sur votre compte|Merci de votre confiance|du|Désignation",
    "GB": "Invoice|Invoice number|Invoice date|Payment due|Order number|Bill to|Subtotal|VAT|Total due"
    "|incl. VAT|VAT no."
    "|The amount will be collected by direct debit|Thank you for your order|of|Item",
    "IT": "Fattura|Fattura n.|Data fattura|Scadenza|Ordine n.|Intestatario|Imponibile|IVA|Totale da pagare"
    "|IVA inclusa|P. IVA"
    "|L'importo sarà addebitato sul suo conto|Grazie per il suo acquisto|del|Articolo",
    "NL": "Factuur|Factuurnummer|Factuurdatum|Vervaldatum|Bestelnummer|Factuuradres|Exclusief btw|Btw"
    "|Totaal te betalen|inclusief btw|Btw-nummer"
    "|Het bedrag wordt van uw rekening afgeschreven|Bedankt voor uw bestelling|van|Artikel",
    "US": "Invoice|Invoice #|Invoice date|Due date|PO number|Bill to|Subtotal|Sales tax|Balance due|tax included|EIN"
    "|The amount will be charged to your card|Thank you for your business|of|Item",
}


def words_of(code: str) -> Said:
    """A country's words by key."""
    return dict(zip(_KEYS, _SAID[code].split("|"), strict=True))


def sample(rng: random.Random, held_out: bool = True) -> tuple[bytes, Facts]:
    """One invented document, and what it says."""
    what = facts(rng, rng.choice(COUNTRIES), traps=0.1)
    layout: Callable[[Facts, Said, random.Random], list[Page]] = rng.choice(HELD_OUT if held_out else SEEN)
    if layout in (telephone, cloud, hotel, row_of_heads):  # no account is printed there
        what = replace(what, seller=replace(what.seller, iban=""))
    if layout is before:
        cut = -(what.net / 10).quantize(Decimal("0.01"))
        what = replace(what, lines=(*what.lines, Line("Rabatt" if what.country is DE else "Discount", 1, cut)))
    return pdf(layout(what, words_of(what.country.code), rng), LETTER if what.country.code == "US" else A4), what


def telephone(f: Facts, s: Said, rng: random.Random) -> list[Page]:
    """No name on top but a picture; number and date in the title, columns of net, tax and total, firm at the foot."""
    p = [Text(40, 95, f.buyer.name, 10), Text(40, 107, f.buyer.street, 10), Text(40, 119, f.buyer.city, 10)]
    p.append(Text(40, 190, f"{s['title']} n° {f.number} {s['of']} {f.on(f.issued)}", 13, True))
    p += [Text(40, 210, f"{s['due']} {f.on(f.due)}", 9), right(550, 210, f.money(f.total), 11, True)]
    p += [right(380, 250, s["net"], 8), right(460, 250, s["tax"], 8), right(550, 250, s["total"], 8)]
    for number, line in enumerate(f.lines):
        tax = (line.total * f.rate / 100).quantize(Decimal("0.01"))
        y = 266 + 12 * number
        p += [Text(40, y, line.text), right(380, y, f.money(line.total, False)), right(460, y, f.money(tax, False))]
        p.append(right(550, y, f.money(line.total + tax, False)))
    y = 280 + 12 * len(f.lines)
    p += [Text(40, y, f"Total {s['title'].lower()}", 9, True), right(380, y, f.money(f.net, False), 9, True)]
    p += [right(460, y, f.money(f.tax, False), 9, True), right(550, y, f.money(f.total, False), 9, True)]
    p.append(Text(40, y + 40, f"{s['pay']}: {f.money(f.total)}", 8))
    p.append(Text(40, 770, f"{f.seller.name} - {f.seller.street}, {f.seller.city} - {s['vat']} {f.seller.vat}", 6.5))
    return [
        p,
        [right(550, 50, f"{s['title']} n° {f.number} {s['of']} {f.on(f.issued)}", 8), right(550, 62, "2 / 2", 8)],
    ]


def shop(f: Facts, s: Said, rng: random.Random) -> list[Page]:
    """A slogan in large letters, the firm in a column on the right, prices with tax, a table of taxes on the left."""
    p = [Text(45, 60, s["title"].upper() + ".", 20, True), Text(45, 82, s["thanks"] + ".", 17, True)]
    column = [
        f.seller.name,
        f.seller.street,
        f.seller.city,
        "",
        f"www.{rng.choice(('bestel', 'shop24', 'direct'))}.com",
    ]
    column += [
        "",
        f"{s['vat']} {f.seller.vat}" if f.seller.vat else "",
        f"IBAN {spaced(f.seller.iban)}" if f.seller.iban else "",
    ]
    p += [Text(430, 60 + 12 * number, text, 8.5) for number, text in enumerate(column) if text]
    p += [Text(45, 112 + 13 * n, text, 11) for n, text in enumerate((f.buyer.name, f.buyer.street, f.buyer.city))]
    pairs = ((s["number"], f.number), (s["date"], f.on(f.issued)), (s["order"], f.order or f.customer))
    p += [Text(45, 165 + 13 * number, f"{label}: {value}") for number, (label, value) in enumerate(pairs)]
    y = 240.0
    p += [Text(45, y, s["item"], 8, True), right(550, y, s["with"], 8, True)]
    for line in f.lines:
        y += 14
        p += [Text(45, y, line.text), right(400, y, str(line.quantity)), right(550, y, f.money(_gross(f, line.total)))]
    if f.rate:
        p += [right(115, y + 40, s["net"]), right(180, y + 40, f.money(f.net))]
        p += [right(115, y + 53, f"{s['tax']} {f.rate}%"), right(180, y + 53, f.money(f.tax))]
    p += [right(460, y + 40, s["total"]), right(550, y + 40, f.money(f.total))]
    p += [right(460, y + 58, f"VISA {f.on(f.issued)}"), right(550, y + 58, f.money(f.total))]
    return [p]


def cloud(f: Facts, s: Said, rng: random.Random) -> list[Page]:
    """The firm's name before the word for an invoice, the sums first, the firm in small letters at the foot."""
    ""
    name = f.seller.name
    p = [Text(250, 60, f"{_short(f)} {s['title']}", 15, True), Text(250, 76, f"support: {f.seller.domain}/contact", 7)]
    p += [
        Text(40, 100, s["to"], 8),
        Text(40, 112, f.buyer.name),
        Text(40, 124, f.buyer.street),
        Text(40, 136, f.buyer.city),
    ]
    pairs = ((s["number"], f.number), (s["date"], f.on(f.issued)), (f"{s['total']} {f.on(f.due)}", f.money(f.total)))
    for number, (label, value) in enumerate(pairs):
        p += [Text(250, 100 + 13 * number, f"{label}:", 8), right(550, 100 + 13 * number, value, 8)]
    p += [
        Text(40, 220, s["net"]),
        right(550, 220, f.money(f.net)),
        Text(50, 233, f"{s['tax']} *"),
        right(550, 233, f.money(f.tax)),
    ]
    p += [Text(40, 250, f"Total {s['title'].lower()}", 9, True), right(550, 250, f.money(f.total), 9, True)]
    for number, line in enumerate(f.lines):
        p += [Text(40, 290 + 14 * number, line.text), right(550, 290 + 14 * number, f.money(line.total))]
    p += [
        Text(400, 700, name, 6.5),
        Text(400, 708, f"{f.seller.street}, {f.seller.city}", 6.5),
        Text(400, 716, f.seller.vat or "", 6.5),
    ]
    p.append(Text(40, 740, f"* {name}, {f.seller.domain}", 6.5))
    return [[each for each in p if each.text]]


def hotel(f: Facts, s: Said, rng: random.Random) -> list[Page]:
    """A receipt: all in the middle, tax within the total, paid by card."""
    p: Page = []
    lines = [
        f.seller.name,
        f.seller.street,
        f.seller.city,
        f.seller.domain,
        "",
        f"{s['title']} {f.number}",
        f.on(f.issued),
    ]
    for number, text in enumerate(lines):
        p.append(Text(297 - 2.2 * len(text), 60 + 13 * number, text))
    y = 170.0
    for line in f.lines:
        p += [Text(180, y, f"{line.quantity} {line.text}"), right(420, y, f.money(_gross(f, line.total), False))]
        y += 12
    p += [Text(180, y + 8, s["total"].upper(), 11, True), right(420, y + 8, f.money(f.total), 11, True)]
    if f.rate:
        p += [
            Text(180, y + 30, "%"),
            right(270, y + 30, s["net"]),
            right(340, y + 30, s["tax"]),
            right(420, y + 30, "Total"),
        ]
        p += [
            Text(180, y + 42, f"{f.rate} %"),
            right(270, y + 42, f.money(f.net, False)),
            right(340, y + 42, f.money(f.tax, False)),
        ]
        p.append(right(420, y + 42, f.money(f.total, False)))
    p += [
        Text(180, y + 70, "VISA **** 4711"),
        right(420, y + 70, f.money(f.total, False)),
        Text(180, y + 90, s["thanks"]),
    ]
    if f.seller.vat:
        p.append(Text(180, y + 104, f"{s['vat']} {f.seller.vat}"))
    return [p]


def row_of_heads(f: Facts, s: Said, rng: random.Random) -> list[Page]:
    """Customer, order, date and number under heads in a row; the sender as an address of the Internet at the foot."""
    p = [Text(80, 130, f.buyer.name), Text(80, 142, f.buyer.street), Text(80, 154, f.buyer.city)]
    heads = (
        ("#", f.customer),
        (s["order"], f.order or f.customer),
        (s["date"], f.on(f.issued)),
        (s["title"], f.number),
        (s["due"], f.on(f.due)),
    )
    for number, (head, value) in enumerate(heads):
        p += [Text(45 + 105 * number, 250, head, 8, True), Text(45 + 105 * number, 263, value, 8)]
    y = 300.0
    for line in f.lines:
        p += [Text(45, y, line.text), right(550, y, f.money(line.total, False))]
        y += 14
    p += [right(470, y + 10, s["net"]), right(550, y + 10, f.money(f.net))]
    if f.rate:
        p += [right(470, y + 24, f"{s['tax']} ({f.rate}%)"), right(550, y + 24, f.money(f.tax))]
    p += [right(470, y + 38, s["total"]), right(550, y + 38, f.money(f.total))]
    p.append(Text(45, 780, f"info@{f.seller.domain}   www.{f.seller.domain}   {f.seller.vat}", 7))
    return [p]


def before(f: Facts, s: Said, rng: random.Random) -> list[Page]:
    """Two totals: before and after a discount, or what was owed before and is added."""
    p = [
        Text(50, 60, f.seller.name, 14, True),
        Text(50, 74, f"{f.seller.street}, {f.seller.city}", 8),
        Text(50, 84, f"mail@{f.seller.domain}", 8),
    ]
    p += [
        right(545, 60, s["title"], 16, True),
        Text(50, 130, s["to"], 8),
        Text(50, 143, f.buyer.name),
        Text(50, 155, f.buyer.city),
    ]
    pairs = ((s["number"], f.number), (s["date"], f.on(f.issued)), (s["due"], f.on(f.due)))
    for number, (label, value) in enumerate(pairs):
        p += [Text(350, 130 + 13 * number, label), right(545, 130 + 13 * number, value)]
    y = 230.0
    rows = [*((line.text, line.total) for line in f.lines), (s["net"], f.net)]
    if f.rate:
        rows.append((f"{s['tax']} {f.rate} %", f.tax))
    rows.append((s["total"], f.total))
    for label, value in rows:
        p += [Text(300, y, label), right(545, y, f.money(value))]
        y += 14
    if f.seller.iban:
        p.append(Text(50, 770, f"{f.seller.name} · IBAN {spaced(f.seller.iban)} · {s['vat']} {f.seller.vat}", 7))
    return [p]


def _gross(f: Facts, value: Decimal) -> Decimal:
    return (value * (100 + f.rate) / 100).quantize(Decimal("0.01"))


def _short(f: Facts) -> str:
    return " ".join(f.seller.name.split()[:2])


SEEN: Final = (telephone, shop, cloud)
HELD_OUT: Final = (hotel, row_of_heads, before)
