"""Layouts and words that no choice was made on: written once, and only ever reported on."""

import random
from collections.abc import Callable
from typing import Final

from tests.paper import A4, LETTER, Text, pdf, right

from evals.invoice_countries import DE, FR, GB, IT, NL, PL, PT, SE, US
from evals.invoice_facts import Facts, facts, spaced

UNSEEN: Final = (IT, PT, PL, SE, DE, GB, US, FR, NL)
Said = Callable[[str], str]

WORDS: Final = {
    "IT": {
        "invoice": ("Fattura", "FATTURA"),
        "number": ("Fattura n.", "Numero documento", "Nr. fattura"),
        "date": ("Data", "Data documento", "Data fattura"),
        "due": ("Scadenza",),
        "order": ("Vs. ordine", "Rif. ordine"),
        "customer": ("Codice cliente",),
        "to": ("Spett.le", "Destinatario"),
        "from": ("Fornitore",),
        "net": ("Imponibile", "Totale imponibile"),
        "tax": ("IVA", "Imposta"),
        "total": ("Totale fattura", "Totale documento"),
        "vat": ("P. IVA", "Partita IVA"),
        "text": ("Descrizione",),
        "sum": ("Importo",),
        "before": ("Saldo precedente",),
        "page": ("Pagina",),
        "of": ("del",),
    },
    "PT": {
        "invoice": ("Fatura",),
        "number": ("Fatura n.º", "Número da fatura"),
        "date": ("Data de emissão", "Data"),
        "due": ("Data de vencimento",),
        "order": ("Encomenda",),
        "customer": ("N.º cliente",),
        "to": ("Exmo.(s) Sr.(s)", "Cliente"),
        "from": ("Emitente",),
        "net": ("Total ilíquido", "Incidência"),
        "tax": ("IVA", "Total IVA"),
        "total": ("Total a pagar", "Total"),
        "vat": ("NIF",),
        "text": ("Descrição",),
        "sum": ("Valor",),
        "before": ("Saldo anterior",),
        "page": ("Página",),
        "of": ("de",),
    },
    "PL": {
        "invoice": ("Faktura VAT", "Faktura"),
        "number": ("Faktura nr", "Numer faktury"),
        "date": ("Data wystawienia",),
        "due": ("Termin płatności",),
        "order": ("Nr zamówienia",),
        "customer": ("Nr klienta",),
        "to": ("Nabywca",),
        "from": ("Sprzedawca",),
        "net": ("Wartość netto", "Razem netto"),
        "tax": ("Kwota VAT", "Podatek VAT"),
        "total": ("Do zapłaty", "Wartość brutto", "Razem do zapłaty"),
        "vat": ("NIP UE",),
        "text": ("Nazwa",),
        "sum": ("Wartość",),
        "before": ("Poprzednie saldo",),
        "page": ("Strona",),
        "of": ("z dnia",),
    },
    "SE": {
        "invoice": ("Faktura", "FAKTURA"),
        "number": ("Fakturanummer", "Fakturanr"),
        "date": ("Fakturadatum", "Datum"),
        "due": ("Förfallodatum", "Att betala senast"),
        "order": ("Ert ordernr", "Er order"),
        "customer": ("Kundnr",),
        "to": ("Faktureringsadress", "Kund"),
        "from": ("Säljare",),
        "net": ("Summa exkl. moms", "Netto"),
        "tax": ("Moms",),
        "total": ("Att betala", "Summa att betala"),
        "vat": ("VAT-nr", "Momsreg.nr"),
        "text": ("Benämning",),
        "sum": ("Belopp",),
        "before": ("Tidigare saldo",),
        "page": ("Sida",),
        "of": ("den",),
    },
    "DE": {
        "invoice": ("Rechnung",),
        "number": ("Belegnummer", "Rechnungsnr.", "Re.-Nr."),
        "date": ("Belegdatum", "Rechnung vom", "Datum"),
        "due": ("Zahlbar bis zum", "Fälligkeit"),
        "order": ("Bestell-Nr.", "Ihr Auftrag"),
        "customer": ("Debitor",),
        "to": ("Empfänger", "Kunde"),
        "from": ("Rechnungssteller",),
        "net": ("Nettosumme", "Warenwert netto"),
        "tax": ("Mehrwertsteuer", "USt."),
        "total": ("Endbetrag", "Bruttobetrag"),
        "vat": ("UID", "USt-IdNr"),
        "text": ("Leistung",),
        "sum": ("EUR",),
        "before": ("Saldovortrag",),
        "page": ("Seite",),
        "of": ("vom",),
    },
    "GB": {
        "invoice": ("Tax Invoice", "Invoice"),
        "number": ("Document no.", "Invoice ref", "Invoice No"),
        "date": ("Tax point", "Dated", "Issue date"),
        "due": ("Please pay by", "Due"),
        "order": ("Purchase order", "Order ref"),
        "customer": ("Client ref",),
        "to": ("Customer", "To"),
        "from": ("Supplier",),
        "net": ("Total excluding VAT", "Goods total"),
        "tax": ("Total VAT", "Value added tax"),
        "total": ("Amount payable", "Total including VAT"),
        "vat": ("VAT registration no.",),
        "text": ("Details",),
        "sum": ("Net",),
        "before": ("Balance brought forward",),
        "page": ("Page",),
        "of": ("of",),
    },
    "US": {
        "invoice": ("Invoice",),
        "number": ("Invoice ID", "Number", "Invoice number"),
        "date": ("Issued", "Invoice date"),
        "due": ("Payment due", "Due"),
        "order": ("Purchase order",),
        "customer": ("Account",),
        "to": ("Billed to", "Client"),
        "from": ("From",),
        "net": ("Net amount", "Subtotal"),
        "tax": ("Tax",),
        "total": ("Total due", "Grand total"),
        "vat": ("EIN",),
        "text": ("Service",),
        "sum": ("Total",),
        "before": ("Previous balance",),
        "page": ("Page",),
        "of": ("of",),
    },
    "FR": {
        "invoice": ("Facture",),
        "number": ("Réf. facture", "Facture N°", "N° facture"),
        "date": ("Émise le", "Date facture", "Le"),
        "due": ("À régler avant le", "Date limite de paiement"),
        "order": ("Bon de commande", "Réf. commande"),
        "customer": ("Réf. client",),
        "to": ("Client", "Destinataire"),
        "from": ("Émetteur",),
        "net": ("Sous-total HT", "Total hors taxes"),
        "tax": ("Montant TVA", "Total TVA"),
        "total": ("Montant TTC", "Total à payer"),
        "vat": ("TVA intracommunautaire",),
        "text": ("Libellé",),
        "sum": ("Total",),
        "before": ("Solde précédent",),
        "page": ("Page",),
        "of": ("du",),
    },
    "NL": {
        "invoice": ("Factuur",),
        "number": ("Factuur nr.", "Nummer", "Factuurnummer"),
        "date": ("Datum factuur", "Factuurdatum"),
        "due": ("Te betalen voor", "Uiterste betaaldatum"),
        "order": ("Inkooporder", "Uw referentie"),
        "customer": ("Klant nr.",),
        "to": ("Aan", "Afnemer"),
        "from": ("Leverancier",),
        "net": ("Totaal exclusief btw", "Netto"),
        "tax": ("Btw-bedrag", "Totaal btw"),
        "total": ("Totaal inclusief btw", "Te voldoen"),
        "vat": ("Btw-id",),
        "text": ("Product",),
        "sum": ("Bedrag",),
        "before": ("Vorig saldo",),
        "page": ("Pagina",),
        "of": ("van",),
    },
}


def sample(rng: random.Random) -> tuple[bytes, Facts]:
    """One invented invoice, and what it says."""
    what = facts(rng, rng.choice(UNSEEN))
    words = {key: rng.choice(each) for key, each in WORDS[what.country.code].items()}
    layout = rng.choice((boxed, parties, tabled, written_out, utility, bilingual))
    pages = layout(what, words.__getitem__, rng)
    return pdf(pages, LETTER if what.country.code == "US" else A4), what


def boxed(f: Facts, said: Said, rng: random.Random) -> list[list[Text]]:
    """The name is a picture; a box on top says what is to be paid, and the sender stands at the foot."""
    t = [
        Text(310, 90, said("invoice"), 18, True),
        Text(310, 120, said("total"), 10, True),
        right(550, 120, f.money(f.total), 12, True),
    ]
    t += [Text(310, 136, said("due"), 9), right(550, 136, f.on(f.due), 9)]
    t += [
        Text(310, 150, said("number"), 9),
        right(550, 150, f.number, 9),
        Text(310, 164, said("date"), 9),
        right(550, 164, f.on(f.issued), 9),
    ]
    t += [Text(45, 120, f.buyer.name), Text(45, 132, f.buyer.street), Text(45, 144, f.buyer.city)]
    y = _rows(t, f, said, 230, 45, 550)
    _sums(t, f, said, y + 18, 330, 550, ":")
    foot = f"{f.seller.name} | {f.seller.street} | {f.seller.city} | {said('vat')} {f.seller.vat}"
    t += [
        Text(45, 745, foot, 6.5),
        Text(
            45,
            755,
            f"IBAN {spaced(f.seller.iban)} | accounts@{f.seller.domain}"
            if f.seller.iban
            else f"accounts@{f.seller.domain}",
            6.5,
        ),
    ]
    return [t]


def parties(f: Facts, said: Said, rng: random.Random) -> list[list[Text]]:
    """Both parties side by side under their names, as in Poland and Italy."""
    t = [Text(220, 50, f"{said('invoice')}", 15, True)]
    t += [
        Text(40, 75, f"{said('number')}: {f.number}"),
        Text(40, 88, f"{said('date')}: {f.on(f.issued)}"),
        Text(300, 75, f"{said('due')}: {f.on(f.due)}"),
    ]
    if f.order:
        t.append(Text(300, 88, f"{said('order')}: {f.order}"))
    for x, key, who in ((40, "from", f.seller), (300, "to", f.buyer)):
        t += [
            Text(x, 120, said(key), 8, True),
            Text(x, 133, who.name, 10),
            Text(x, 145, who.street),
            Text(x, 157, who.city),
        ]
        if who.vat and (key == "from" or "buyer_vat" in f.traps):
            t.append(Text(x, 169, f"{said('vat')}: {who.vat}"))
    y = _rows(t, f, said, 215, 40, 555)
    y = _sums(t, f, said, y + 24, 350, 555, "")
    if f.seller.iban:
        t.append(Text(40, y + 20, f"IBAN: {spaced(f.seller.iban)}"))
    t.append(Text(40, y + 34, f"www.{f.seller.domain}", 8))
    return [t]


def tabled(f: Facts, said: Said, rng: random.Random) -> list[list[Text]]:
    """Data in the columns of a table, the sums as well."""
    t = [
        Text(40, 60, f.seller.name, 14, True),
        Text(40, 73, f"{f.seller.street} - {f.seller.city}", 8),
        Text(40, 84, f"{said('vat')} {f.seller.vat}  {f.seller.domain}", 8),
    ]
    t += [
        Text(340, 110, said("to"), 8),
        Text(340, 122, f.buyer.name, 10),
        Text(340, 134, f.buyer.street, 10),
        Text(340, 146, f.buyer.city, 10),
    ]
    columns = [
        (said("number"), f.number),
        (said("date"), f.on(f.issued)),
        (said("customer"), f.customer),
        (said("due"), f.on(f.due)),
        (said("page"), "1"),
    ]
    for number, (label, value) in enumerate(columns):
        t += [Text(40 + 105 * number, 190, label, 7.5, True), Text(40 + 105 * number, 203, value, 9)]
    _rows(t, f, said, 240, 40, 555)
    if f.rate:
        columns = [
            (said("net"), f.money(f.net)),
            ("%", f"{f.rate}%"),
            (said("tax"), f.money(f.tax)),
            (said("total"), f.money(f.total)),
        ]
    else:
        columns = [(said("total"), f.money(f.total))]
    for number, (label, value) in enumerate(columns):
        t += [right(200 + 115 * number, 640, label, 8, True), right(200 + 115 * number, 654, value, 9)]
    if f.seller.iban:
        t.append(Text(40, 690, f"{f.seller.name}  IBAN {spaced(f.seller.iban)}", 8))
    return [t]


def written_out(f: Facts, said: Said, rng: random.Random) -> list[list[Text]]:
    """A letter: number and date in one line, the town before a date, no columns."""
    t = [
        right(545, 60, f.seller.name, 12),
        right(545, 73, f.seller.street),
        right(545, 85, f.seller.city),
        right(545, 97, f"mail@{f.seller.domain}"),
    ]
    t += [Text(70, 140, f.buyer.name), Text(70, 152, f.buyer.street), Text(70, 164, f.buyer.city)]
    town = f.seller.city.split(" ", 1)[-1].split(",")[0]
    t.append(right(545, 200, f"{town}, {f.on(f.issued)}"))
    head = (
        f"{said('number')} {f.number}"
        if rng.random() < 0.5
        else f"{said('number')} {f.number} {said('of')} {f.on(f.issued)}"
    )
    t.append(Text(70, 235, head, 12, True))
    y = _rows(t, f, said, 270, 70, 545)
    y = _sums(t, f, said, y + 16, 250, 545, ":")
    t.append(Text(70, y + 30, f.seller.name))
    if f.seller.iban:
        t.append(Text(70, 780, f"{said('vat')} {f.seller.vat} - IBAN {spaced(f.seller.iban)}", 7))
    return [t]


def utility(f: Facts, said: Said, rng: random.Random) -> list[list[Text]]:
    """A supplier of energy: two pages, a balance from before, what was used on the second page."""
    t = [
        Text(40, 50, f.seller.name, 17, True),
        Text(40, 66, f"{f.seller.domain}", 8),
        Text(330, 110, f.buyer.name),
        Text(330, 122, f.buyer.street),
        Text(330, 134, f.buyer.city),
    ]
    for number, (label, value) in enumerate(
        [
            (said("customer"), f.customer),
            (said("number"), f.number),
            (said("date"), f.on(f.issued)),
            (said("due"), f.on(f.due)),
        ]
    ):
        t += [Text(40, 110 + 14 * number, label), Text(170, 110 + 14 * number, value)]
    y = 220.0
    if "prepaid" in f.traps:
        t += [Text(40, y, said("before")), right(400, y, f.money(f.net / 4))]
        y += 16
    _sums(t, f, said, y, 40, 400, "")
    proofs = f". {said('vat')}: {f.seller.vat}. IBAN: {spaced(f.seller.iban)}" if f.seller.iban else ""
    t.append(Text(40, 760, f"{f.seller.name}, {f.seller.street}, {f.seller.city}{proofs}", 6.5))
    second = [Text(40, 50, f"{said('invoice')} {f.number}", 10, True), right(550, 50, f"{said('page')} 2", 8)]
    _rows(second, f, said, 90, 40, 550)
    return [t, second]


def bilingual(f: Facts, said: Said, rng: random.Random) -> list[list[Text]]:
    """Labels in two languages at once."""
    t = [
        Text(50, 60, f.seller.name.upper(), 15, True),
        Text(50, 74, f"{f.seller.street}, {f.seller.city}, {f.seller.domain}", 8),
        right(545, 60, f"{said('invoice')} / Invoice", 13, True),
    ]
    data = [
        (f"{said('number')} / Invoice no.", f.number),
        (f"{said('date')} / Invoice date", f.on(f.issued)),
        (f"{said('due')} / Due date", f.on(f.due)),
    ]
    if f.order:
        data.append((f"{said('order')} / Your order", f.order))
    for number, (label, value) in enumerate(data):
        t += [Text(300, 120 + 14 * number, label, 8), right(545, 120 + 14 * number, value)]
    t += [
        Text(50, 120, f"{said('to')} / Bill to", 8),
        Text(50, 133, f.buyer.name),
        Text(50, 145, f.buyer.street),
        Text(50, 157, f.buyer.city),
    ]
    y = _rows(t, f, said, 220, 50, 545)
    rows = [(f"{said('net')} / Net", f.net), (f"{said('tax')} / VAT {f.rate}%", f.tax)] if f.rate else []
    for number, (label, value) in enumerate([*rows, (f"{said('total')} / Total", f.total)]):
        t += [Text(300, y + 20 + 14 * number, label), right(545, y + 20 + 14 * number, f.money(value))]
    if f.seller.iban:
        t.append(Text(50, 770, f"{f.seller.name} - IBAN {spaced(f.seller.iban)} - {said('vat')} {f.seller.vat}", 7))
    return [t]


def _rows(t: list[Text], f: Facts, said: Said, y: float, x: float, to: float) -> float:
    t += [Text(x, y, said("text"), 8, True), right(to, y, said("sum"), 8, True)]
    for line in f.lines:
        y += 15
        t += [Text(x, y, f"{line.quantity} x {line.text}"), right(to, y, f.money(line.total, False))]
    return y


def _sums(t: list[Text], f: Facts, said: Said, y: float, x: float, to: float, mark: str) -> float:
    rows = [(said("net"), f.net), (f"{said('tax')} {f.rate}%", f.tax)] if f.rate else []
    rows.append((said("total"), f.total))
    if "discount" in f.traps:
        rows.insert(0, ({"US": "Discount", "GB": "Discount"}.get(f.country.code, "Rabatt"), -f.net / 10))
    for number, (label, value) in enumerate(rows):
        t += [Text(x, y + 15 * number, label + mark), right(to, y + 15 * number, f.money(value))]
    return y + 15 * len(rows)
