"""Kinds of bills that are harder than their layout: captions in two lines, sums carried over, prices with tax, several
rates, roundings, papers that are no invoice. Choices may be made on these; `invoice_kinds_aside.py` has as many others,
which are only ever reported on."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from tests.paper import Text, right

from evals.invoice_bills import Bill, Page, bill, cents, column, pairs, table
from evals.invoice_facts import spaced

Drawn = tuple[Bill, list[Page], dict[str, Any]]
Kind = Callable[[random.Random], Drawn]
_NO_NET: Final = {"net": None}


def letterhead(b: Bill, y: float = 50) -> Page:
    """The firm on top with its address, whom it is for below."""
    s, t = b.seller, b.buyer
    return [
        Text(50, y, s.name, 13, True),
        Text(50, y + 13, f"{s.street}, {s.city}", 8),
        Text(50, y + 23, f"office@{s.domain}", 8),
        *column(50, y + 80, (t.name, t.street, t.city), 10),
    ]


def foot(b: Bill, vat: str, y: float = 800) -> Page:
    """The line at the foot of a page."""
    said = [b.seller.name, f"{vat} {b.seller.vat}", f"IBAN {spaced(b.seller.iban)}" if b.seller.iban else ""]
    return [Text(50, y, "  |  ".join(each for each in said if each), 7)]


def split_captions(rng: random.Random) -> Drawn:
    """A narrow block on the right, whose captions need two lines each."""
    b = bill(rng, "DE")
    p = [*letterhead(b), Text(50, 250, "Rechnung", 16, True), *foot(b, "USt-IdNr.")]
    heads = (
        ("Kunden-", "nummer", b.customer),
        ("Rechnungs-", "nummer", b.number),
        ("Rechnungs-", "datum", b.on(b.issued)),
    )
    for number, (one, other, value) in enumerate(heads):
        x = 350 + 70 * number
        p += [Text(x, 130, one, 8), Text(x, 139, other, 8), Text(x, 152, value, 8)]
    p += table(b, 280, ("Bezeichnung", "Menge", "Preis", "Betrag"))
    p += pairs(
        380,
        545,
        420,
        (("Summe netto", b.money(b.net)), ("19 % MwSt.", b.money(b.tax)), ("Gesamtbetrag", b.money(b.total))),
    )
    return b, [p], {}


def merged_caption(rng: random.Random) -> Drawn:
    """Number and date under one caption."""
    b = bill(rng, "GB")
    p = [*letterhead(b), right(545, 60, "INVOICE", 18, True), *foot(b, "VAT Reg No", 790)]
    p += [Text(330, 130, "Invoice No. / Date"), right(545, 130, f"{b.number} / {b.on(b.issued)}")]
    p += [Text(330, 143, "Your ref. / Order No."), right(545, 143, f"JM / {b.order}")]
    p += table(b, 260, ("Description", "Qty", "Price", "Amount"))
    p += pairs(
        380, 545, 400, (("Total net", b.money(b.net)), ("VAT @ 20%", b.money(b.tax)), ("TOTAL DUE", b.money(b.total)))
    )
    return b, [p], {}


def carried_over(rng: random.Random) -> Drawn:
    """Two pages, the sum of the first carried over to the second."""
    b = bill(rng, "DE")
    b = replace(b, lines=tuple((f"Position {n}", 1, Decimal(rng.randint(900, 9_000)) / 100) for n in range(1, 9)))
    half = sum((price for _, _, price in b.lines[:5]), Decimal(0))
    head = [
        Text(330, 130, "Rechnungs-Nr."),
        right(545, 130, b.number),
        Text(330, 143, "Datum"),
        right(545, 143, b.on(b.issued)),
    ]
    one = [*letterhead(b), *head, Text(50, 240, f"Rechnung {b.number}", 14, True)]
    one += table(replace(b, lines=b.lines[:5]), 270, ("Leistung", "Menge", "E-Preis", "G-Preis"), 30)
    one += [
        Text(380, 460, "Übertrag"),
        right(545, 460, b.plain(half)),
        right(545, 780, "Seite 1 von 2", 7),
        *foot(b, "USt-ID"),
    ]
    two = [Text(50, 60, f"Rechnung {b.number} vom {b.on(b.issued)}", 9), right(545, 60, "Seite 2 von 2", 7)]
    two += [Text(380, 90, "Übertrag"), right(545, 90, b.plain(half))]
    two += table(replace(b, lines=b.lines[5:]), 110, ("Leistung", "Menge", "E-Preis", "G-Preis"), 30)
    sums = (
        ("Nettobetrag", b.money(b.net)),
        ("zzgl. 19,00 % USt.", b.money(b.tax)),
        ("Rechnungsbetrag", b.money(b.total)),
    )
    return b, [one, [*two, *pairs(380, 545, 260, sums), *foot(b, "USt-ID")]], {}


def tax_within(rng: random.Random) -> Drawn:
    """Prices with tax; only the total and the tax in it."""
    b = bill(rng, rng.choice(("GB", "IE")))
    gross = replace(b, lines=tuple((text, n, cents(price * (100 + b.rate) / 100)) for text, n, price in b.lines))
    tax = cents(gross.net * b.rate / (100 + b.rate))
    p = [*letterhead(b), Text(330, 60, "Receipt / Invoice", 15, True), *foot(b, "VAT no.")]
    p += pairs(
        330,
        545,
        130,
        (
            ("Invoice number:", b.number),
            ("Order:", b.order),
            ("Order date:", b.on(b.issued - timedelta(days=2))),
            ("Invoice date:", b.on(b.issued)),
        ),
    )
    p += table(gross, 260, ("Item", "Qty", "Price", "Total"))
    p += pairs(380, 545, 380, (("Total paid", b.money(gross.net)), (f"(includes VAT at {b.rate}%", f"{b.money(tax)})")))
    p += [Text(50, 420, "Paid by Visa ending 4471. All prices include VAT.", 8)]
    return b, [p], {**_NO_NET, "total": gross.net, "tax": tax}


def two_rates(rng: random.Random) -> Drawn:
    """Two rates of tax, in a small table beside the sums."""
    b = bill(rng, "AT")
    food = replace(b, lines=(("Kaffee 1 kg", 4, Decimal("18.40")),), rate=10)
    net, tax = b.net + food.net, b.tax + food.tax
    p = [*letterhead(b), Text(50, 240, "RECHNUNG", 15, True), *foot(b, "UID:")]
    p += pairs(
        330,
        545,
        130,
        (("Rechnung Nr.:", b.number), ("Ausgestellt am:", b.on(b.issued)), ("Leistungszeitraum:", "KW 12")),
    )
    p += table(replace(b, lines=b.lines + food.lines), 270, ("Artikel", "Menge", "Preis", "Gesamt"))
    p += pairs(
        400,
        545,
        400,
        (
            ("Summe netto", b.plain(net)),
            ("10% MwSt. von " + b.plain(food.net), b.plain(food.tax)),
            ("20% MwSt. von " + b.plain(b.net), b.plain(b.tax)),
            ("Gesamt EUR", b.plain(net + tax)),
        ),
    )
    return b, [p], {"net": net, "tax": tax, "total": net + tax}


def rounded(rng: random.Random) -> Drawn:
    """The total rounded to five hundredths, with a line that says so."""
    b = bill(rng, "CH")
    paid = (b.total * 20).quantize(Decimal(1)) / 20
    p = [*letterhead(b), Text(50, 240, f"Rechnung Nr. {b.number}", 14, True), *foot(b, "MWST-Nr.")]
    p += [Text(330, 130, f"Zürich, {b.on(b.issued)}"), Text(330, 143, f"Kunden-Nr. {b.customer}")]
    p += table(b, 270, ("Beschreibung", "Anz.", "Ansatz", "CHF"))
    rows = (
        ("Zwischentotal", b.plain(b.net)),
        ("MWST 8.0%", b.plain(b.tax)),
        ("Rundungsdifferenz", b.plain(paid - b.total)),
        ("Total CHF", b.plain(paid)),
    )
    return b, [[*p, *pairs(380, 545, 400, rows)]], {"total": paid}


def cash_discount(rng: random.Random) -> Drawn:
    """What is left to pay for who pays early, under the total."""
    b = bill(rng, "DE")
    less, until = cents(b.total * 98 / 100), b.on(b.issued + timedelta(days=10))
    p = [*letterhead(b), Text(330, 60, "Rechnung", 18, True), *foot(b, "USt-IdNr.:")]
    p += pairs(
        330, 545, 130, (("Rechnungsnummer", b.number), ("Rechnungsdatum", b.on(b.issued)), ("Bestellnummer", b.order))
    )
    p += table(b, 260, ("Artikel", "Menge", "Einzelpreis", "Gesamtpreis"))
    p += pairs(
        380,
        545,
        390,
        (("Nettosumme", b.money(b.net)), ("MwSt. 19 %", b.money(b.tax)), ("Rechnungssumme", b.money(b.total))),
    )
    p += pairs(
        50,
        545,
        450,
        (
            (f"Zahlbar bis {until} mit 2 % Skonto:", b.money(less)),
            (f"Zahlbar bis {b.on(b.due)} ohne Abzug:", b.money(b.total)),
        ),
    )
    return b, [p], {}


def taken_off(rng: random.Random) -> Drawn:
    """A discount on the sum before tax."""
    b = bill(rng, "IT")
    cut = cents(b.net * 5 / 100)
    net = b.net - cut
    tax = cents(net * 22 / 100)
    p = [*letterhead(b), Text(330, 60, f"FATTURA N. {b.number} DEL {b.on(b.issued)}", 11, True), *foot(b, "P.IVA")]
    p += table(b, 250, ("Descrizione", "Q.tà", "Prezzo", "Importo"))
    p += pairs(
        360,
        545,
        380,
        (
            ("Totale merce", b.plain(b.net)),
            ("Sconto 5%", b.plain(-cut)),
            ("Imponibile", b.plain(net)),
            ("IVA 22%", b.plain(tax)),
            ("Totale fattura EUR", b.plain(net + tax)),
        ),
    )
    return b, [p], {"net": net, "tax": tax, "total": net + tax}


def credit(rng: random.Random) -> Drawn:
    """A credit note, whose total looks as one that is to be paid."""
    b = bill(rng, rng.choice(("GB", "IE")))
    p = [*letterhead(b), right(545, 60, "CREDIT NOTE", 18, True), *foot(b, "VAT Reg No")]
    p += pairs(330, 545, 130, (("Number", b.number), ("Date", b.on(b.issued)), ("Against invoice", b.order)))
    p += table(b, 260, ("Description", "Qty", "Price", "Amount"))
    p += pairs(
        380,
        545,
        400,
        (("Subtotal", b.money(b.net)), (f"VAT {b.rate}%", b.money(b.tax)), ("Total credit", b.money(b.total))),
    )
    return b, [p], {"payable": False}


def proforma(rng: random.Random) -> Drawn:
    """What asks for money before anything was sold."""
    b = bill(rng, "FR")
    p = [*letterhead(b), Text(330, 60, "FACTURE PROFORMA", 15, True), *foot(b, "N° TVA")]
    p += pairs(330, 545, 130, (("Facture n°", b.number), ("Date", b.on(b.issued)), ("Validité", "30 jours")))
    p += table(b, 260, ("Désignation", "Qté", "P.U. HT", "Total HT"))
    p += pairs(
        380, 545, 400, (("Total HT", b.money(b.net)), ("TVA 20 %", b.money(b.tax)), ("Total TTC", b.money(b.total)))
    )
    return b, [p], {"payable": False}


def czech(rng: random.Random) -> Drawn:
    """Supplier and customer side by side in boxes, three dates, symbols of the payment."""
    b = bill(rng, "CZ")
    s, t = b.seller, b.buyer
    p = [Text(50, 50, "FAKTURA - daňový doklad č.", 13, True), right(545, 50, b.number, 13, True)]
    p += [
        Text(50, 80, "Dodavatel:", 8),
        *column(50, 94, (s.name, s.street, s.city, f"IČ: {b.customer}123", f"DIČ: {s.vat}")),
    ]
    p += [Text(310, 80, "Odběratel:", 8), *column(310, 94, (t.name, t.street, t.city, f"DIČ: {t.vat}"))]
    p += pairs(
        310,
        545,
        170,
        (
            ("Datum vystavení:", b.on(b.issued)),
            ("Datum splatnosti:", b.on(b.due)),
            ("Datum zdanit. plnění:", b.on(b.issued)),
        ),
    )
    p += [
        Text(50, 170, "Variabilní symbol:"),
        right(250, 170, b.order[1:]),
        Text(50, 183, f"IBAN: {spaced(s.iban)}", 8),
    ]
    p += table(b, 250, ("Označení dodávky", "Počet", "Cena", "Celkem"))
    p += pairs(
        340,
        545,
        380,
        (("Základ daně 21 %", b.plain(b.net)), ("DPH 21 %", b.plain(b.tax)), ("Celkem k úhradě", b.money(b.total))),
    )
    return b, [p], {}


def danish(rng: random.Random) -> Drawn:
    """The firm on the right, the buyer on the left, a line of payment at the foot."""
    b = bill(rng, "DK")
    s, t = b.seller, b.buyer
    p = [
        *column(400, 60, (s.name, s.street, s.city, f"CVR-nr. {s.vat[2:]}", f"mail@{s.domain}"), 9),
        Text(50, 200, "Faktura", 20, True),
    ]
    p += column(50, 90, (t.name, t.street, t.city), 10)
    p += pairs(400, 545, 160, (("Fakturanr.", b.number), ("Dato", b.on(b.issued)), ("Kundenr.", b.customer)))
    p += table(b, 250, ("Beskrivelse", "Antal", "Stk. pris", "Pris"))
    p += pairs(
        380,
        545,
        370,
        (("Subtotal", b.plain(b.net)), ("Moms (25,00%)", b.plain(b.tax)), ("Total DKK", b.plain(b.total))),
    )
    p += [Text(50, 450, f"Betalingsbetingelser: Netto 14 dage - Forfaldsdato: {b.on(b.due)}", 8)]
    return b, [p], {}


def contractor(rng: random.Random) -> Drawn:
    """An American contractor's form: heads in capitals, no tax, a due date by terms."""
    b = replace(bill(rng, "US"), rate=0)
    s, t = b.seller, b.buyer
    p = [
        Text(50, 60, s.name, 15, True),
        *column(50, 76, (s.street, s.city, "(555) 010-4477", s.domain.removesuffix(".us") + ".com"), 8),
        right(560, 60, "INVOICE", 22),
    ]
    p += [Text(50, 150, "BILL TO", 8, True), *column(50, 163, (t.name, t.street, t.city))]
    p += pairs(
        400,
        560,
        150,
        (("INVOICE #", b.number), ("DATE", b.on(b.issued)), ("DUE DATE", b.on(b.due)), ("TERMS", "Net 30")),
    )
    p += table(b, 250, ("ACTIVITY", "QTY", "RATE", "AMOUNT"))
    return b, [[*p, *pairs(400, 545, 380, (("BALANCE DUE", b.money(b.total)),))]], {"net": None, "tax": None}


def indian(rng: random.Random) -> Drawn:
    """A tax in two halves, and a rounding to whole rupees."""
    b = bill(rng, "IN")
    half = cents(b.net * 9 / 100)
    whole = (b.net + 2 * half).quantize(Decimal(1))
    p = [*letterhead(b), Text(240, 40, "TAX INVOICE", 12, True), Text(50, 88, f"GSTIN: {b.seller.vat}", 8)]
    p += pairs(
        330, 545, 130, (("Invoice No.", b.number), ("Dated", b.on(b.issued)), ("Place of Supply", "Karnataka (29)"))
    )
    p += table(b, 260, ("Description of Goods", "Qty", "Rate", "Amount"))
    rows = (
        ("Taxable Value", b.plain(b.net)),
        ("CGST @ 9%", b.plain(half)),
        ("SGST @ 9%", b.plain(half)),
        ("Round Off", b.plain(whole - b.net - 2 * half)),
        ("Grand Total", f"Rs. {b.plain(whole)}"),
    )
    return (
        b,
        [
            [
                *p,
                *pairs(380, 545, 380, rows),
                right(545, 480, f"for {b.seller.name}", 8),
                right(545, 510, "Authorised Signatory", 8),
            ]
        ],
        {"total": whole, "tax": 2 * half},
    )


def factored(rng: random.Random) -> Drawn:
    """What is owed was sold: another firm is to be paid."""
    b = bill(rng, "DE")
    p = [
        *letterhead(b),
        Text(50, 240, f"Rechnung Nr. {b.number}", 14, True),
        *pairs(330, 545, 130, (("Datum:", b.on(b.issued)), ("Kunde:", b.customer))),
    ]
    p += table(b, 260, ("Text", "Menge", "Preis", "Betrag"))
    p += pairs(380, 545, 400, (("Netto", b.money(b.net)), ("19% USt", b.money(b.tax)), ("Zu zahlen", b.money(b.total))))
    p += [
        Text(50, 480, "Die Forderung ist abgetreten. Zahlung mit befreiender Wirkung nur an:", 8),
        Text(50, 491, f"Rhenus Factoring GmbH, IBAN {spaced(b.buyer.iban)}", 8),
    ]
    return (
        b,
        [[*p, Text(50, 800, f"{b.seller.name} · {b.seller.street} · {b.seller.city} · Amtsgericht Köln HRB 4711", 7)]],
        {"iban": b.buyer.iban},
    )


def two_currencies(rng: random.Random) -> Drawn:
    """Dollars, and what they are in euros for the tax office."""
    b = replace(bill(rng, "IE"), currency="USD", sign="$")
    p = [*letterhead(b), right(545, 60, "Invoice", 18, True), *foot(b, "VAT:")]
    p += pairs(
        330, 545, 130, (("Invoice number", b.number), ("Date of issue", b.on(b.issued)), ("Date due", b.on(b.due)))
    )
    p += table(b, 260, ("Description", "Qty", "Unit price", "Amount"))
    p += pairs(
        330,
        545,
        380,
        (
            ("Subtotal", b.money(b.net)),
            (f"VAT ({b.rate}%)", b.money(b.tax)),
            ("Total", b.money(b.total)),
            ("Amount due", f"{b.money(b.total)} USD"),
        ),
    )
    return b, [[*p, Text(330, 450, f"VAT in EUR at 1 USD = 0.9200 EUR: €{b.plain(cents(b.tax * 92 / 100))}", 8)]], {}


def reversed_tax(rng: random.Random) -> Drawn:
    """No tax within the union, both VAT numbers, and only one amount."""
    b = replace(bill(rng, "NL"), rate=0)
    p = [
        *letterhead(b),
        Text(50, 165, f"Btw-nummer klant: {b.buyer.vat}", 8),
        Text(330, 60, "FACTUUR", 16, True),
        *foot(b, "btw"),
    ]
    p += pairs(
        330, 545, 130, (("Factuurnummer", b.number), ("Factuurdatum", b.on(b.issued)), ("Vervaldatum", b.on(b.due)))
    )
    p += table(b, 260, ("Omschrijving", "Aantal", "Prijs", "Bedrag"))
    p += pairs(
        330,
        545,
        390,
        (
            ("Subtotaal", b.money(b.net)),
            ("Btw verlegd 0%", b.money(Decimal(0))),
            ("Totaal te betalen", b.money(b.total)),
        ),
    )
    return b, [p], {}


def many_dates(rng: random.Random) -> Drawn:
    """Orders and deliveries with days of their own, before the invoice's."""
    b = bill(rng, "SE")
    days = [b.on(b.issued - timedelta(days=n)) for n in (20, 9)]
    p = [
        *letterhead(b),
        right(545, 60, "FAKTURA", 18),
        Text(50, 240, f"Er order {b.order} av {days[0]}, följesedel 88{b.customer} av {days[1]}", 8),
    ]
    p += pairs(
        330,
        545,
        130,
        (
            ("Fakturanummer", b.number),
            ("Fakturadatum", b.on(b.issued)),
            ("Betalningsvillkor", "30 dagar"),
            ("Förfallodatum", b.on(b.due)),
        ),
    )
    p += table(b, 260, ("Benämning", "Antal", "À-pris", "Belopp"))
    p += pairs(
        330, 545, 390, (("Netto", b.plain(b.net)), ("Moms 25%", b.plain(b.tax)), ("Att betala SEK", b.plain(b.total)))
    )
    return (
        b,
        [
            [
                *p,
                Text(
                    50, 800, f"{b.seller.name}  Org.nr 556677-8899  Momsreg.nr {b.seller.vat}  Godkänd för F-skatt", 7
                ),
            ]
        ],
        {},
    )


KINDS: Final[tuple[Kind, ...]] = (
    split_captions,
    merged_caption,
    carried_over,
    tax_within,
    two_rates,
    rounded,
    cash_discount,
    taken_off,
    credit,
    proforma,
    czech,
    danish,
    contractor,
    indian,
    factored,
    two_currencies,
    reversed_tax,
    many_dates,
)
