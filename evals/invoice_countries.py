"""Countries whose invoices are invented, and the words that stand on them: `PRACTICE` for choices, `UNSEEN` for the report."""

import random
from typing import Final

from evals.invoice_facts import Country, digits, iban

_DMY = ("%d.%m.%Y", "%d.%m.%y", "%d. MMM %Y")
_SLASH = ("%d/%m/%Y", "%d/%m/%y", "%d MMM %Y")


def _vat(prefix: str, count: int, suffix: str = ""):  # type: ignore[no-untyped-def]
    return lambda rng: f"{prefix}{digits(rng, count)}{suffix}"


def _none(rng: random.Random) -> str:
    return ""


DE = Country(
    "DE", "EUR", ("€", "EUR", "€"), "1.234,50", _DMY,
    ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"),
    (19, 19, 7), ("GmbH", "AG", "GmbH & Co. KG", "e.K."),
    ("Nordlicht", "Bergmann", "Elbtal", "Krüger", "Sonnenberg", "Hartmann"), ("Papier", "Werkzeuge", "Logistik", "Elektrotechnik", "Möbel"),
    ("Hafenstraße", "Lindenweg", "Am Markt"), ("20457 Hamburg", "80331 München", "04109 Leipzig"),
    ("Kopierpapier A4", "Ordner breit", "Bürostuhl", "Schreibtischlampe", "Montage vor Ort", "Versandkarton"),
    _vat("DE", 9), iban("DE", 22),
)  # fmt: skip
GB = Country(
    "GB", "GBP", ("£", "£", "GBP"), "1,234.50", _SLASH,
    ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"),
    (20,), ("Ltd", "Limited", "LLP"), ("Harbour", "Oakfield", "Brightwater", "Stonebridge", "Larkspur"),
    ("Tools", "Catering", "Interiors", "Engineering", "Stationery"), ("High Street", "Mill Lane", "Station Road"),
    ("Leeds LS1 4AP", "Bristol BS1 5TR", "London EC1A 1BB"),
    ("Torque wrench", "Site visit", "Safety gloves", "Steel bracket", "Annual service", "Delivery pallet"),
    _vat("GB", 9), iban("GB", 22, "NWBK"),
)  # fmt: skip
US = Country(
    "US", "USD", ("$", "$", "USD"), "1,234.50", ("%m/%d/%Y", "MMM %d, %Y", "%Y-%m-%d"), GB.months,
    (0, 8, 6), ("Inc.", "LLC", "Corp."), ("Redwood", "Blue Mesa", "Lakeshore", "Pioneer", "Summit"),
    ("Supply", "Software", "Consulting", "Packaging", "Landscaping"), ("Main Street", "Elm Avenue", "Pine Road"),
    ("Austin, TX 78701", "Portland, OR 97201", "Denver, CO 80202"),
    ("Cardboard boxes", "Consulting hours", "License renewal", "Filter cartridge", "Shipping labels", "Install kit"),
    _none, _none,
)  # fmt: skip
FR = Country(
    "FR", "EUR", ("€", "€", "EUR"), "1 234,50", _SLASH,
    ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    (20, 20, 10), ("SARL", "SAS", "SA"), ("Lumière", "Dubois", "Rivière", "Moreau", "Châtelain"),
    ("Fournitures", "Menuiserie", "Traiteur", "Imprimerie", "Électricité"), ("rue de la Gare", "avenue Foch", "quai du Port"),
    ("69002 Lyon", "33000 Bordeaux", "44000 Nantes"),
    ("Papier à lettres", "Main d'oeuvre", "Carton d'emballage", "Lampe de bureau", "Chaise pliante", "Livraison express"),
    _vat("FR", 11), iban("FR", 27),
)  # fmt: skip
NL = Country(
    "NL", "EUR", ("€", "EUR"), "1.234,50", ("%d-%m-%Y", "%d MMM %Y", "%d/%m/%Y"),
    ("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"),
    (21, 9), ("B.V.", "BV", "N.V."), ("Waterland", "De Boer", "Polder", "Van Dijk", "Zonnehoek"),
    ("Kantoor", "Techniek", "Verhuur", "Drukkerij", "Groothandel"), ("Kerkstraat", "Havenweg", "Molenlaan"),
    ("3011 AB Rotterdam", "9711 LM Groningen", "5611 EM Eindhoven"),
    ("Printpapier", "Bureaustoel", "Montage-uren", "Verzenddoos", "Onderhoudsbeurt", "Toner zwart"),
    lambda rng: f"NL{digits(rng, 9)}B0{rng.randint(1, 9)}", iban("NL", 18, "RABO"),
)  # fmt: skip
ES = Country(
    "ES", "EUR", ("€", "EUR"), "1.234,50", ("%d/%m/%Y", "%d-%m-%Y", "%d de MMM de %Y"),
    ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    (21, 10), ("S.L.", "S.A.", "SLU"), ("Montaña", "García", "Levante", "Olivar", "Puerto Azul"),
    ("Suministros", "Carpintería", "Logística", "Imprenta", "Alimentos"), ("Calle Mayor", "Avenida del Mar", "Plaza Nueva"),
    ("28013 Madrid", "46002 Valencia", "41001 Sevilla"),
    ("Papel A4", "Silla de oficina", "Horas de montaje", "Caja de cartón", "Lámpara LED", "Transporte"),
    lambda rng: f"ESB{digits(rng, 8)}", iban("ES", 24),
)  # fmt: skip
IT = Country(
    "IT", "EUR", ("€", "EUR"), "1.234,50", ("%d/%m/%Y", "%d.%m.%Y", "%d MMM %Y"),
    ("gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"),
    (22, 10), ("S.r.l.", "S.p.A.", "SNC"), ("Bianchi", "Riviera", "Colosseo", "Vesuvio", "Fontana"),
    ("Forniture", "Arredamenti", "Trasporti", "Grafica", "Impianti"), ("Via Roma", "Corso Italia", "Piazza Garibaldi"),
    ("20121 Milano", "40121 Bologna", "80133 Napoli"),
    ("Carta A4", "Sedia ufficio", "Ore di lavoro", "Scatola cartone", "Lampada da tavolo", "Manutenzione"),
    _vat("IT", 11), iban("IT", 27, "X"),
)  # fmt: skip
PT = Country(
    "PT", "EUR", ("€", "EUR"), "1 234,50", ("%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d"),
    ("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"),
    (23, 13), ("Lda.", "S.A."), ("Atlântico", "Ferreira", "Douro", "Alvorada"), ("Papelaria", "Serviços", "Transportes", "Mobiliário"),
    ("Rua Direita", "Avenida da República", "Largo do Carmo"), ("1100-148 Lisboa", "4000-123 Porto"),
    ("Papel A4", "Cadeira", "Horas de serviço", "Caixa de cartão", "Candeeiro"), _vat("PT", 9), iban("PT", 25),
)  # fmt: skip
PL = Country(
    "PL", "PLN", ("zł", "PLN"), "1 234,50", ("%d.%m.%Y", "%Y-%m-%d", "%d-%m-%Y"),
    ("stycznia", "lutego", "marca", "kwietnia", "maja", "czerwca", "lipca", "sierpnia", "września", "października", "listopada", "grudnia"),
    (23, 8), ("Sp. z o.o.", "S.A.", "Sp. j."), ("Wiśniewski", "Bałtyk", "Zielony Dom", "Kowalski"),
    ("Meble", "Usługi", "Handel", "Drukarnia"), ("ul. Długa", "ul. Polna", "al. Jana Pawła II"), ("00-001 Warszawa", "80-831 Gdańsk"),
    ("Papier ksero", "Krzesło biurowe", "Usługa montażu", "Karton", "Lampa"), _vat("PL", 10), iban("PL", 28),
)  # fmt: skip
SE = Country(
    "SE", "SEK", ("kr", "SEK", "kr"), "1 234,50", ("%Y-%m-%d", "%d MMM %Y"),
    ("januari", "februari", "mars", "april", "maj", "juni", "juli", "augusti", "september", "oktober", "november", "december"),
    (25, 12), ("AB",), ("Norrsken", "Lindqvist", "Skärgård", "Björkman"), ("Kontor", "Bygg", "Verktyg", "Trädgård"),
    ("Storgatan", "Hamnvägen"), ("111 22 Stockholm", "411 05 Göteborg"),
    ("Kopieringspapper", "Skrivbordsstol", "Montering", "Kartong", "Lampa"), lambda rng: f"SE{digits(rng, 10)}01", iban("SE", 24),
)  # fmt: skip

PRACTICE: Final = (DE, GB, US, FR, NL, ES)

WORDS: Final = {
    "DE": {
        "invoice": ("Rechnung", "RECHNUNG"), "number": ("Rechnungsnummer", "Rechnungs-Nr.", "Rechnung Nr."), "date": ("Rechnungsdatum", "Datum"),
        "due": ("Fällig am", "Zahlbar bis"), "order": ("Ihre Bestellung", "Bestellnummer"), "customer": ("Kundennummer", "Kunden-Nr."),
        "to": ("Rechnung an", "Rechnungsadresse"), "delivered": ("Lieferdatum",), "net": ("Nettobetrag", "Zwischensumme", "Summe netto"),
        "tax": ("MwSt.", "zzgl. {rate} % USt.", "Umsatzsteuer {rate}%"), "total": ("Gesamtbetrag", "Rechnungsbetrag", "Gesamtsumme"),
        "vat": ("USt-IdNr.", "Ust-ID"), "text": ("Bezeichnung",), "quantity": ("Menge",), "price": ("Einzelpreis",), "sum": ("Betrag", "Summe"),
        "paid": ("Anzahlung",), "left": ("Zu zahlen",), "bank": ("Bankverbindung",), "note": ("Lieferschein",),
    },
    "GB": {
        "invoice": ("Invoice", "INVOICE", "VAT Invoice"), "number": ("Invoice Number", "Invoice No.", "Invoice no"), "date": ("Invoice Date", "Date"),
        "due": ("Due Date", "Payment due"), "order": ("Your Order", "PO Number"), "customer": ("Customer No.", "Account No"),
        "to": ("Invoice To", "Bill To"), "delivered": ("Delivery Date",), "net": ("Subtotal", "Net Total"), "tax": ("VAT", "VAT @ {rate}%"),
        "total": ("Total Due", "Total", "Invoice Total"), "vat": ("VAT Reg No", "VAT No"), "text": ("Description",), "quantity": ("Qty",),
        "price": ("Unit Price",), "sum": ("Amount", "Total"), "paid": ("Amount Paid",), "left": ("Balance Due",), "bank": ("Bank details",), "note": ("Delivery Note",),
    },
    "US": {
        "invoice": ("INVOICE", "Invoice"), "number": ("Invoice #", "Invoice Number", "Invoice No."), "date": ("Date", "Invoice Date"),
        "due": ("Due Date",), "order": ("P.O. #", "PO Number"), "customer": ("Customer ID",), "to": ("Bill To", "Sold To"), "delivered": ("Ship Date",),
        "net": ("Subtotal",), "tax": ("Sales Tax", "Tax ({rate}%)"), "total": ("Total", "Amount Due", "Total Due"), "vat": ("Tax ID",), "text": ("Item", "Description"),
        "quantity": ("Qty",), "price": ("Rate", "Unit Price"), "sum": ("Amount",), "paid": ("Payments",), "left": ("Balance Due",), "bank": ("Remit to",), "note": ("Packing slip",),
    },
    "FR": {
        "invoice": ("Facture", "FACTURE"), "number": ("Facture n°", "Numéro de facture", "N° de facture"), "date": ("Date de facture", "Date"),
        "due": ("Échéance", "Date d'échéance"), "order": ("Votre commande", "N° de commande"), "customer": ("N° client", "Code client"),
        "to": ("Facturé à", "Adresse de facturation"), "delivered": ("Date de livraison",), "net": ("Total HT", "Montant HT"), "tax": ("TVA {rate}%", "TVA"),
        "total": ("Total TTC", "Net à payer"), "vat": ("TVA intracom.", "N° TVA"), "text": ("Désignation",), "quantity": ("Qté",), "price": ("P.U. HT",), "sum": ("Montant",),
        "paid": ("Acompte",), "left": ("Reste à payer",), "bank": ("Coordonnées bancaires",), "note": ("Bon de livraison",),
    },
    "NL": {
        "invoice": ("Factuur", "FACTUUR"), "number": ("Factuurnummer", "Factuurnr."), "date": ("Factuurdatum", "Datum"), "due": ("Vervaldatum",),
        "order": ("Uw bestelnummer", "Ordernummer"), "customer": ("Klantnummer", "Debiteurnummer"), "to": ("Factuuradres", "Klant"), "delivered": ("Leverdatum",),
        "net": ("Subtotaal", "Totaal excl. btw"), "tax": ("BTW {rate}%", "Btw"), "total": ("Totaal incl. btw", "Totaal", "Te betalen"), "vat": ("Btw-nummer", "BTW nr."),
        "text": ("Omschrijving",), "quantity": ("Aantal",), "price": ("Prijs",), "sum": ("Bedrag", "Totaal"), "paid": ("Reeds betaald",), "left": ("Nog te betalen",),
        "bank": ("Bankgegevens",), "note": ("Pakbon",),
    },
    "ES": {
        "invoice": ("Factura", "FACTURA"), "number": ("Número de factura", "Factura n.º", "N.º factura"), "date": ("Fecha de factura", "Fecha"), "due": ("Vencimiento",),
        "order": ("Su pedido", "N.º de pedido"), "customer": ("N.º cliente",), "to": ("Facturar a", "Cliente"), "delivered": ("Fecha de entrega",), "net": ("Base imponible", "Subtotal"),
        "tax": ("IVA {rate}%", "IVA"), "total": ("Total factura", "Total", "Total a pagar"), "vat": ("NIF-IVA",), "text": ("Concepto",), "quantity": ("Cantidad",), "price": ("Precio",),
        "sum": ("Importe",), "paid": ("Anticipo",), "left": ("Pendiente",), "bank": ("Datos bancarios",), "note": ("Albarán",),
    },
}  # fmt: skip
