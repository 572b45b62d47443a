"""The other half of the kinds of bills in `invoice_kinds.py`: no choice is made on these, and only the figures are
looked at."""

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from tests.paper import Text, right

from evals.invoice_bills import bill, cents, column, pairs, table
from evals.invoice_facts import spaced
from evals.invoice_kinds import Drawn, Kind, foot, letterhead


def boxed_captions(rng: random.Random) -> Drawn:
    """Captions in small letters above their values, in two lines where they are long."""
    b = bill(rng, "FR")
    p = [*letterhead(b), Text(400, 60, "FACTURE", 18, True), *foot(b, "TVA intracom.")]
    heads = (
        ("Numéro de", "facture", b.number),
        ("Date de", "facture", b.on(b.issued)),
        ("Référence", "client", b.customer),
    )
    for number, (one, other, value) in enumerate(heads):
        x = 310 + 85 * number
        p += [Text(x, 190, one, 7), Text(x, 198, other, 7), Text(x, 211, value, 9, True)]
    p += table(b, 260, ("Désignation", "Qté", "PU HT", "Montant HT"))
    p += pairs(
        380,
        545,
        400,
        (("Total HT", b.money(b.net)), ("TVA 20,00 %", b.money(b.tax)), ("Net à payer TTC", b.money(b.total))),
    )
    return b, [p], {}


def one_caption(rng: random.Random) -> Drawn:
    """Number, date and customer under one caption, parted by slashes."""
    b = bill(rng, "DE")
    p = [*letterhead(b), Text(50, 240, "Rechnung", 16, True), *foot(b, "USt-IdNr.")]
    p += [Text(330, 130, "Rechnungs-Nr./Datum:"), right(545, 130, f"{b.number} / {b.on(b.issued)}")]
    p += [Text(330, 143, "Kunden-Nr./Auftrag:"), right(545, 143, f"{b.customer} / {b.order}")]
    p += table(b, 270, ("Bezeichnung", "Menge", "Preis", "Betrag"))
    p += pairs(
        380,
        545,
        400,
        (("Warenwert", b.money(b.net)), ("Umsatzsteuer 19%", b.money(b.tax)), ("Endbetrag", b.money(b.total))),
    )
    return b, [p], {}


def carried_on(rng: random.Random) -> Drawn:
    """Three pages with what was carried over on each."""
    b = bill(rng, "NL")
    b = replace(b, lines=tuple((f"Regel {n}", 1, Decimal(rng.randint(900, 9_000)) / 100) for n in range(1, 13)))
    pages, so_far = [], Decimal(0)
    for number in range(3):
        part = replace(b, lines=b.lines[4 * number : 4 * number + 4])
        page = letterhead(b) if not number else [Text(50, 50, b.seller.name, 9)]
        page += pairs(
            330,
            545,
            130,
            (("Factuurnummer", b.number), ("Factuurdatum", b.on(b.issued)), ("Pagina", f"{number + 1} van 3")),
        )
        if number:
            page += [Text(380, 240, "Transport"), right(545, 240, b.plain(so_far))]
        page += table(part, 260, ("Omschrijving", "Aantal", "Prijs", "Totaal"), 30)
        so_far += part.net
        page += [Text(380, 420, "Transporteren"), right(545, 420, b.plain(so_far))] if number < 2 else []
        pages.append([*page, *foot(b, "BTW")])
    sums = (("Totaal excl. btw", b.money(b.net)), ("21% btw", b.money(b.tax)), ("Totaal incl. btw", b.money(b.total)))
    return b, [*pages[:2], [*pages[2], *pairs(380, 545, 420, sums)]], {}


def with_tax(rng: random.Random) -> Drawn:
    """A shop's receipt in a narrow column, all prices with tax."""
    b = bill(rng, rng.choice(("BE", "NL")))
    gross = replace(b, lines=tuple((text, n, cents(price * (100 + b.rate) / 100)) for text, n, price in b.lines))
    tax = cents(gross.net * b.rate / (100 + b.rate))
    s = b.seller
    p = column(
        200, 50, (s.name, s.street, s.city, f"BTW {s.vat}", "", f"Factuur {b.number}", f"Datum: {b.on(b.issued)}")
    )
    y = 150
    for text, count, price in gross.lines:
        p += [Text(200, y, f"{count} x {text}"), right(400, y, b.plain(count * price))]
        y += 13
    rows = (
        ("TOTAAL EUR", b.plain(gross.net)),
        ("Bancontact", b.plain(gross.net)),
        (f"waarvan btw {b.rate}%", b.plain(tax)),
    )
    return b, [[*p, *pairs(200, 400, y + 10, rows)]], {"net": None, "total": gross.net, "tax": tax}


def rates_in_table(rng: random.Random) -> Drawn:
    """Two rates in a table of taxes at the left, the sums at the right."""
    b = bill(rng, "FR")
    low = replace(b, lines=(("Livre", 6, Decimal("12.50")), ("Revue", 2, Decimal("7.30"))), rate=10)
    net, tax = b.net + low.net, b.tax + low.tax
    p = [
        *letterhead(b),
        Text(330, 60, f"Facture n° {b.number}", 13, True),
        Text(330, 76, f"Date : {b.on(b.issued)}"),
        *foot(b, "TVA"),
    ]
    p += table(replace(b, lines=b.lines + low.lines), 240, ("Désignation", "Qté", "P.U.", "Montant"))
    for x, texts in (
        (90, ("Taux", "10,00", "20,00")),
        (170, ("Base HT", b.plain(low.net), b.plain(b.net))),
        (250, ("Montant TVA", b.plain(low.tax), b.plain(b.tax))),
    ):
        p += [right(x, 400 + 13 * number, text, 8) for number, text in enumerate(texts)]
    p += pairs(
        380,
        545,
        400,
        (
            ("Total HT", b.money(net)),
            ("Total TVA", b.money(tax)),
            ("Total TTC", b.money(net + tax)),
            ("À régler", b.money(net + tax)),
        ),
    )
    return b, [p], {"net": net, "tax": tax, "total": net + tax}


def whole_crowns(rng: random.Random) -> Drawn:
    """The total rounded to whole crowns."""
    b = bill(rng, "SE")
    whole = b.total.quantize(Decimal(1))
    p = [*letterhead(b), right(545, 60, "Faktura", 18), *foot(b, "Momsreg.nr")]
    p += pairs(330, 545, 130, (("Fakturanr", b.number), ("Fakturadatum", b.on(b.issued)), ("Er referens", "Anna Ek")))
    p += table(b, 260, ("Beskrivning", "Antal", "À-pris", "Summa"))
    rows = (
        ("Summa exkl. moms", b.plain(b.net)),
        ("Moms 25%", b.plain(b.tax)),
        ("Öresavrundning", b.plain(whole - b.total)),
        ("ATT BETALA", f"{b.plain(whole)} kr"),
    )
    return b, [[*p, *pairs(360, 545, 390, rows)]], {"total": whole}


def early_payment(rng: random.Random) -> Drawn:
    """A lower amount for who pays early, beside the total."""
    b = bill(rng, "GB")
    less = cents(b.total * 95 / 100)
    p = [*letterhead(b), right(545, 60, "Invoice", 18, True), *foot(b, "VAT No.", 790)]
    p += pairs(330, 545, 130, (("Invoice no.", b.number), ("Tax point", b.on(b.issued)), ("Account", b.customer)))
    p += table(b, 260, ("Details", "Qty", "Unit", "Net"))
    p += pairs(
        330,
        545,
        390,
        (
            ("Goods total", b.money(b.net)),
            ("VAT 20%", b.money(b.tax)),
            ("Invoice total", b.money(b.total)),
            (f"If paid by {b.on(b.issued + timedelta(days=7))}", b.money(less)),
        ),
    )
    return b, [p], {}


def line_discounts(rng: random.Random) -> Drawn:
    """A discount in every line, its total before what is taxed."""
    b = bill(rng, "ES")
    cut = cents(b.net * 10 / 100)
    net = b.net - cut
    tax = cents(net * 21 / 100)
    p = [*letterhead(b), Text(400, 60, "FACTURA", 16, True), *foot(b, "NIF")]
    p += pairs(330, 545, 130, (("Nº factura", b.number), ("Fecha", b.on(b.issued)), ("Forma de pago", "Transferencia")))
    p += table(b, 260, ("Concepto", "Cantidad", "Precio", "Importe"))
    p += pairs(
        360,
        545,
        380,
        (
            ("Total bruto", b.plain(b.net)),
            ("Dto. 10%", b.plain(-cut)),
            ("Base imponible", b.plain(net)),
            ("IVA 21%", b.plain(tax)),
            ("TOTAL FACTURA", b.money(net + tax)),
        ),
    )
    return b, [p], {"net": net, "tax": tax, "total": net + tax}


def rectified(rng: random.Random) -> Drawn:
    """What gives money back, in two languages."""
    b = bill(rng, rng.choice(("ES", "FI")))
    title, number, day, total = (
        ("FACTURA RECTIFICATIVA", "Factura nº", "Fecha", "Total")
        if b.code == "ES"
        else ("HYVITYSLASKU", "Laskun numero", "Päiväys", "Yhteensä")
    )
    p = [
        *letterhead(b),
        right(545, 60, title, 14, True),
        *pairs(330, 545, 130, ((number, b.number), (day, b.on(b.issued)))),
        *foot(b, ""),
    ]
    p += table(
        b, 260, ("Concepto", "Cant.", "Precio", "Importe") if b.code == "ES" else ("Kuvaus", "Määrä", "Hinta", "Summa")
    )
    return b, [[*p, *pairs(380, 545, 390, ((total, b.money(b.total)),))]], {"payable": False}


def before_sale(rng: random.Random) -> Drawn:
    """A pro forma invoice, in two languages."""
    b = bill(rng, rng.choice(("PL", "CZ")))
    polish = b.code == "PL"
    p = [
        *letterhead(b),
        Text(330, 60, "Faktura pro forma nr" if polish else "Zálohová faktura č.", 12, True),
        right(560, 60, b.number, 12, True),
        *foot(b, "NIP" if polish else "DIČ"),
    ]
    p += pairs(330, 545, 130, (("Data wystawienia" if polish else "Datum vystavení", b.on(b.issued)),))
    p += table(b, 260, ("Nazwa", "Ilość", "Cena", "Wartość") if polish else ("Popis", "Počet", "Cena", "Celkem"))
    return (
        b,
        [[*p, *pairs(380, 545, 390, (("Do zapłaty" if polish else "K úhradě", b.money(b.total)),))]],
        {"payable": False},
    )


def hungarian(rng: random.Random) -> Drawn:
    """Forints without decimals, years first."""
    b = bill(rng, "HU")
    b = replace(b, lines=tuple((text, n, price.quantize(Decimal(1)) * 100) for text, n, price in b.lines))
    tax = (b.net * 27 / 100).quantize(Decimal(1))
    s, t = b.seller, b.buyer

    def ft(value: Decimal) -> str:
        return b.plain(value).removesuffix(",00") + " Ft"

    p = [
        right(545, 50, "SZÁMLA", 16, True),
        Text(50, 80, "Szállító:", 8),
        *column(50, 94, (s.name, s.street, s.city, f"Adószám: {s.vat[2:]}-2-41")),
    ]
    p += [
        Text(310, 80, "Vevő:", 8),
        *column(310, 94, (t.name, t.street, t.city)),
        *pairs(
            310,
            545,
            160,
            (("Számla sorszáma:", b.number), ("Kelte:", b.on(b.issued)), ("Fizetési határidő:", b.on(b.due))),
        ),
    ]
    p += [
        each
        for n, (text, count, price) in enumerate(b.lines)
        for each in (
            Text(50, 260 + 13 * n, text),
            right(360, 260 + 13 * n, f"{count} db"),
            right(545, 260 + 13 * n, ft(count * price)),
        )
    ]
    return (
        b,
        [
            [
                *p,
                *pairs(
                    340,
                    545,
                    380,
                    (("Nettó összesen:", ft(b.net)), ("ÁFA 27%:", ft(tax)), ("Fizetendő összesen:", ft(b.net + tax))),
                ),
            ]
        ],
        {"tax": tax, "total": b.net + tax},
    )


def norwegian(rng: random.Random) -> Drawn:
    """A form to pay with, at the foot, that says the total once more."""
    b = bill(rng, "NO")
    p = [
        *letterhead(b),
        right(545, 60, "FAKTURA", 18),
        *pairs(
            330,
            545,
            130,
            (
                ("Fakturanr:", b.number),
                ("Fakturadato:", b.on(b.issued)),
                ("Forfallsdato:", b.on(b.due)),
                ("Kundenr:", b.customer),
            ),
        ),
    ]
    p += table(b, 260, ("Varenavn", "Antall", "Pris", "Beløp"))
    p += pairs(
        380,
        545,
        380,
        (("Sum eks. mva", b.plain(b.net)), ("Mva 25%", b.plain(b.tax)), ("Sum å betale", b.plain(b.total))),
    )
    p += [
        Text(50, 700, f"KID: {b.customer}0071"),
        Text(250, 700, f"Beløp: {b.plain(b.total)}"),
        Text(400, 700, f"Konto: {spaced(b.seller.iban)}", 8),
    ]
    return b, [[*p, Text(50, 800, f"{b.seller.name}, Org.nr. {b.seller.vat}", 7)]], {}


def canadian(rng: random.Random) -> Drawn:
    """Two taxes, in two languages."""
    b = bill(rng, "CA")
    two = cents(b.net * Decimal("9.975") / 100)
    p = [
        *letterhead(b),
        right(545, 60, "INVOICE / FACTURE", 14, True),
        Text(50, 800, f"GST/TPS {b.seller.vat}   QST/TVQ 1234567890 TQ0001   All amounts in CAD", 7),
    ]
    p += pairs(330, 545, 130, (("Invoice No / No de facture", b.number), ("Date", b.on(b.issued))))
    p += table(b, 260, ("Description", "Qty/Qté", "Price/Prix", "Amount/Montant"))
    rows = (
        ("Subtotal / Sous-total", b.money(b.net)),
        ("GST/TPS 5%", b.money(b.tax)),
        ("QST/TVQ 9.975%", b.money(two)),
        ("Total", b.money(b.total + two)),
    )
    return b, [[*p, *pairs(360, 545, 390, rows)]], {"tax": b.tax + two, "total": b.total + two}


def australian(rng: random.Random) -> Drawn:
    """A tax within the total, named in words."""
    b = bill(rng, "AU")
    tax = cents(b.net / 11)
    p = [*letterhead(b), right(545, 60, "Tax Invoice", 18, True), Text(50, 90, f"ABN {b.seller.vat}", 8)]
    p += pairs(
        330, 545, 130, (("Invoice Number", b.number), ("Invoice Date", b.on(b.issued)), ("Due Date", b.on(b.due)))
    )
    p += table(b, 260, ("Description", "Quantity", "Unit Price", "Amount AUD"))
    p += pairs(360, 545, 390, (("Total AUD", b.plain(b.net)), ("Includes GST 10%", b.plain(tax))))
    return b, [p], {"net": None, "tax": tax, "total": b.net}


def on_behalf(rng: random.Random) -> Drawn:
    """A market place prints it, another sells."""
    b = bill(rng, "GB")
    s = b.seller
    p = [
        Text(50, 60, "marketly", 22, True),
        Text(50, 76, "www.marketly.com  help@marketly.com", 8),
        right(545, 60, "Invoice", 16),
    ]
    p += [
        Text(50, 110, "Sold by", 8),
        *column(50, 122, (s.name, s.street, s.city, f"VAT {s.vat}")),
        Text(300, 110, "Billing address", 8),
        *column(300, 122, (b.buyer.name, b.buyer.street, b.buyer.city)),
    ]
    p += pairs(
        50, 280, 190, (("Invoice number", b.number), ("Invoice date", b.on(b.issued)), ("Order number", b.order))
    )
    p += table(b, 280, ("Item", "Qty", "Price", "Total"))
    p += pairs(360, 545, 390, (("Subtotal", b.money(b.net)), ("VAT 20%", b.money(b.tax)), ("Total", b.money(b.total))))
    return (
        b,
        [
            [
                *p,
                Text(
                    50,
                    800,
                    "Marketly Services Ltd issues this invoice on behalf of the seller. Company no. 01234567",
                    7,
                ),
            ]
        ],
        {},
    )


def in_francs(rng: random.Random) -> Drawn:
    """Francs, with what they are in euros beside them."""
    b = bill(rng, "CH")
    p = [*letterhead(b), Text(50, 240, f"Rechnung {b.number}", 14, True), *foot(b, "UID")]
    p += pairs(330, 545, 130, (("Rechnungsdatum", b.on(b.issued)), ("Kundennummer", b.customer)))
    p += table(b, 270, ("Artikel", "Menge", "Preis", "Betrag CHF"))
    rows = (
        ("Total exkl. MWST", b.money(b.net)),
        ("MWST 8%", b.money(b.tax)),
        ("Total inkl. MWST", b.money(b.total)),
        ("entspricht zum Kurs 1.05", f"EUR {b.plain(cents(b.total * 105 / 100))}"),
    )
    return b, [[*p, *pairs(340, 545, 390, rows)]], {}


def exported(rng: random.Random) -> Drawn:
    """Freight and insurance on top, no tax, and terms of delivery."""
    b = replace(bill(rng, "IT"), rate=0)
    freight, insured = Decimal("85.00"), Decimal("12.40")
    p = [*letterhead(b), right(545, 60, "COMMERCIAL INVOICE", 14, True), *foot(b, "VAT")]
    p += pairs(
        330,
        545,
        130,
        (
            ("Invoice no.", b.number),
            ("Invoice date", b.on(b.issued)),
            ("Incoterms", "DAP Oslo"),
            ("Country of origin", "Italy"),
        ),
    )
    p += table(b, 260, ("Description of goods", "Qty", "Unit price", "Amount"))
    p += pairs(
        340,
        545,
        390,
        (
            ("Goods value", b.money(b.net)),
            ("Freight", b.money(freight)),
            ("Insurance", b.money(insured)),
            ("Total invoice value", b.money(b.net + freight + insured)),
        ),
    )
    return b, [p], {"net": None, "tax": None, "total": b.net + freight + insured}


def row_of_dates(rng: random.Random) -> Drawn:
    """A row of boxes: order, delivery, invoice, payment, each with its day."""
    b = bill(rng, "PT")
    days = (b.issued - timedelta(days=12), b.issued - timedelta(days=3), b.issued, b.due)
    p = [*letterhead(b), Text(400, 60, f"Fatura {b.number}", 14, True), *foot(b, "NIF")]
    for number, (head, day) in enumerate(
        zip(("Data encomenda", "Data entrega", "Data fatura", "Vencimento"), days, strict=True)
    ):
        p += [Text(50 + 130 * number, 200, head, 8, True), Text(50 + 130 * number, 213, b.on(day), 9)]
    p += table(b, 260, ("Descrição", "Qtd.", "Preço", "Valor"))
    p += pairs(
        360,
        545,
        390,
        (("Total ilíquido", b.money(b.net)), ("IVA 23%", b.money(b.tax)), ("Total a pagar", b.money(b.total))),
    )
    return b, [p], {}


KINDS: Final[tuple[Kind, ...]] = (
    boxed_captions,
    one_caption,
    carried_on,
    with_tax,
    rates_in_table,
    whole_crowns,
    early_payment,
    line_discounts,
    rectified,
    before_sale,
    hungarian,
    norwegian,
    canadian,
    australian,
    on_behalf,
    in_francs,
    exported,
    row_of_dates,
)
