"""What makes a field of an invoice sure, and what keeps it from being so."""

import random

import pytest
from evals.invoice_wild import COUNTRIES, HELD_OUT, SEEN, sample, words_of
from tests.paper import Text, pdf, right

from fairlead.documents import Invoice, Unread
from fairlead.documents.captions import kinds_of
from fairlead.documents.invoice import invoice_of
from fairlead.documents.names import core_of, is_of_domain, with_form
from fairlead.documents.pdf import pages_of
from fairlead.documents.placeholders import is_placeholder
from fairlead.documents.sums import tokens_of


def read(*page: Text) -> Invoice:
    pages = pages_of(pdf([page]))
    assert not isinstance(pages, Unread), pages
    return invoice_of(pages)


@pytest.mark.parametrize(
    ("caption", "kinds"),
    [
        ("Rechnungssumme Netto (excl. USt.)", {"net"}),
        ("Exclusief BTW", {"net"}),
        ("Total général hors taxes", {"net"}),
        ("Gesamtbetrag inkl. 19% MwSt.", {"total"}),
        ("TOTAL AMOUNT DUE ON August 3 , 2014", {"total"}),
        ("Netto da pagare", {"total"}),
        ("BTW 21%", {"tax"}),
        ("Umsatzsteuer (S)", {"tax"}),
        ("incl. 21% btw", {"total", "tax"}),
        ("Totaal", {"weak_total"}),
        ("Erhaltene Anzahlungen", {"other"}),
        ("VAT number", {"other"}),
        ("Trennblätter A4", set()),
        ("Les montants unitaires étant arrondis, leur somme peut différer du total à payer", set()),
    ],
)
def test_a_caption_is_told_by_its_words(caption: str, kinds: set[str]) -> None:
    assert kinds_of(tokens_of(caption)) == kinds


def test_net_and_tax_come_from_a_table_of_taxes_with_rates() -> None:
    table = [Text(50, 200, "7 %"), right(200, 200, "275,00"), right(300, 200, "19,25")]
    table += [Text(50, 215, "19 %"), right(200, 215, "198,00"), right(300, 215, "37,62")]
    total = [Text(50, 300, "Gesamtbetrag"), right(300, 300, "529,87 €")]
    found = read(*table, *total).fields
    assert (found["total"].value, found["total"].doubt) == (529.87, "")
    assert (found["net"].value, found["tax"].value) == (473.0, 56.87)
    off = read(*table, total[0], right(300, 300, "530,87 €")).fields
    assert off["total"].doubt, "what does not come to the total bears nothing out"


def test_a_rate_alone_bears_a_total_out() -> None:
    sums = [Text(50, 200, "Subtotal"), right(300, 200, "$10,375"), Text(50, 215, "Sales Tax"), right(300, 215, "3%")]
    assert read(*sums, Text(50, 230, "Total"), right(300, 230, "$10,686.25")).fields["total"].doubt == ""
    assert read(*sums, Text(50, 230, "Total"), right(300, 230, "$10,686.75")).fields["total"].doubt != ""


def test_number_and_date_stand_in_a_title() -> None:
    found = read(Text(50, 50, "Sammelrechnung (380) Nr. 471102 vom 05.03.2018", 12)).fields
    assert (found["number"].value, found["number"].doubt) == ("471102", "")
    assert (found["date"].value, found["date"].doubt) == ("2018-03-05", "")
    due = read(Text(50, 50, "Facture n° 4711"), Text(300, 50, "À régler avant le: 02/03/26")).fields
    assert due["due"].value == "2026-03-02"
    assert "date" not in due, "what is due is no date of issue, in whatever line it stands"
    below = read(Text(400, 50, "INVOICE", 20), Text(400, 75, "# 2026-81")).fields
    assert (below["number"].value, below["number"].doubt) == ("2026-81", "")


def test_a_number_stands_under_its_head_in_a_row_of_heads() -> None:
    heads = ("Klant", "Order", "Factuur datum", "Factuur", "Vervaldatum")
    values = ("C81", "O77", "8-9-2022", "VF1005", "22-9-2022")
    page = [Text(40 + 100 * at, 100, text, 8) for at, text in enumerate(heads)]
    found = read(*page, *(Text(40 + 100 * at, 113, text, 8) for at, text in enumerate(values))).fields
    assert (found["number"].value, found["number"].doubt) == ("VF1005", "")
    assert (found["date"].value, found["due"].value) == ("2022-09-08", "2022-09-22")


def test_the_name_in_an_envelopes_window_is_not_the_senders() -> None:
    window = [Text(57, 165, "Hinkelinvest SE"), Text(57, 177, "Lager 3"), Text(57, 189, "12345 Laudanum")]
    sender = Text(374, 54, "Obelix GmbH & Co. KG", 15)
    found = read(*window, sender, Text(300, 320, "Hinkelinvest SE"), Text(300, 760, "www.hinkelinvest.de")).fields
    assert found["supplier"].doubt
    foot = Text(57, 780, "Obelix GmbH & Co. KG · info@obelix.de · HRB 1234", 7)
    sure = read(*window, sender, foot).fields["supplier"]
    assert (sure.value, sure.doubt) == ("Obelix GmbH & Co. KG", "")


def test_a_letterhead_names_the_sender() -> None:
    def seen(*head: str, size: float = 9, buyer: str = "Wouter Peeters NV", more: str = "") -> tuple[object, bool]:
        page = [Text(50, 50 + 12 * at, text, 9 if at else size) for at, text in enumerate(head)]
        page += [
            Text(50, 170 + 12 * at, text) for at, text in enumerate((buyer, "Leuvensesteenweg 9", "3080 Tervuren"))
        ]
        page += [Text(300, 250 + 12 * at, text) for at, text in enumerate(("Description", "Works", "Material", more))]
        field = read(*page).fields["supplier"]
        return field.value, not field.doubt

    assert seen("Rossi Utensili S.p.A.", "Via Garibaldi 4 - P.IVA 00811223344") == ("Rossi Utensili S.p.A.", True)
    assert seen("Lakeview Gas Company", "P.O. Box 5512", size=15) == ("Lakeview Gas Company", True)
    assert seen("Lucía Ferrer Domènech", "NIF 47112233K") == ("Lucía Ferrer Domènech", True)
    assert seen("ETS. DUMOULIN SPRL/BVBA", "TVA/BTW BE 0433.112.265") == ("ETS. DUMOULIN SPRL/BVBA", True)
    brand = [Text(50, 50, "Voltia", 16), Text(300, 50, "Voltia Telecom, S.A."), Text(300, 62, "NIF A-81122334")]
    assert read(*brand).fields["supplier"].doubt == ""
    other = read(Text(50, 50, "Lumera", 16), *brand[1:]).fields["supplier"]
    assert other.doubt, "a brand in large letters, and a firm of another name"
    for head, more in (
        (("Rossi Utensili S.p.A.", "Via Garibaldi 4"), ""),  # nothing that only a sender tells
        (("Sea View", "(a unit of Rossi Utensili S.p.A.)", "Tel. 0117 496 0211"), ""),  # two names
        (("Rossi Utensili S.p.A.", "P.IVA 00811223344"), "www.brambilla.it"),  # another's domain
    ):
        assert not seen(*head, more=more)[1], head


def test_an_address_does_not_go_on_into_a_table() -> None:
    window = [Text(57, 165, "Garage Peeters NV"), Text(57, 177, "Leuvensesteenweg 9"), Text(57, 189, "3080 Tervuren")]
    rows = [each for y in (201, 213) for each in (Text(57, y, "Oil"), right(500, y, "20,00"))]
    account = Text(57, 225, "IBAN DE89 3704 0044 0532 0130 00")
    found = read(*window, *rows, account).fields["supplier"]
    assert found.doubt, "the account under the table is not that of the address above it"


def test_lines_about_a_buyer_name_no_supplier() -> None:
    page = [Text(50, 100, "Verkäufer"), Text(50, 115, "Name:"), Text(200, 115, "Lieferant GmbH")]
    page += [Text(50, 130, "USt.-Id.-Nr.:"), Text(200, 130, "DE811569869"), Text(50, 170, "Käufer/Leistungsempfänger")]
    page += [Text(50, 185, "Name:"), Text(200, 185, "Kunden AG Mitte"), Text(50, 400, "Kontoname: Kunden AG")]
    found = read(*page).fields["supplier"]
    assert (found.value, found.doubt) == ("Lieferant GmbH", "")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Au bon moulin SARL", "Au bon moulin SARL"),
        ("Genius Tech Limited (formerly Genius Consultants Limited)", "Genius Tech Limited"),
        ("Beispiel GmbH & Co. KG", "Beispiel GmbH & Co. KG"),
        ("es ist gut so", None),
    ],
)
def test_a_legal_form_ends_a_name(text: str, name: str | None) -> None:
    assert with_form(text) == name


def test_a_domain_is_made_of_whole_words_of_a_name() -> None:
    assert is_of_domain(core_of("Müller Werkzeuge GmbH"), "mueller-werkzeuge")
    assert is_of_domain(core_of("Amazon Web Services, Inc."), "amazon")
    assert not is_of_domain(core_of("Hinkelsteininvest SE"), "hinkelstein")


def test_a_dollar_is_told_by_how_dates_are_spelt_unless_another_country_speaks() -> None:
    page = [Text(50, 50, "Date: Jan 1, 2022"), Text(50, 70, "Total: $ 12.00")]
    assert read(*page).fields["currency"].doubt == ""
    assert read(*page, Text(50, 90, "GST/HST 123456789")).fields["currency"].doubt != ""


@pytest.mark.parametrize(
    ("said", "value", "doubted"),
    [
        ("All charges and prices are in US Dollars", "USD", False),
        ("Prices in USD", "USD", False),
        ("Payable in Canadian dollars", "CAD", False),
        ("Converted from US dollars at 1.36", "USD", True),  # the amounts are in something else
        ("US Dollars or Canadian dollars are taken", "USD", True),
        ("US dollars at the day's rate of ARS", "USD", True),
        ("Charges may include GST", "USD", True),
    ],
)
def test_a_currency_that_is_called_by_its_name_wins_over_what_the_country_lets_guess(
    said: str, value: str, doubted: bool
) -> None:
    page = [Text(50, 70, "Total: $ 12.00"), Text(50, 90, "GST 0.00"), Text(50, 110, said)]
    found = read(*page).fields["currency"]
    assert (found.value, bool(found.doubt)) == (value, doubted)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Street Address", True),
        ("[Your Company Name]", True),
        ("Your Company, LLC", True),
        ("City, State ZIP", True),
        ("Lorem Ipsum Dolor", True),
        ("Ihr Firmenname", True),
        ("Insert Logo Here", True),
        ("State Street Corporation", False),
        ("Address Labels Ltd", False),
        ("Insert Coin Games Ltd", False),
    ],
)
def test_what_a_template_has_in_the_place_of_a_name_is_none(text: str, holds: bool) -> None:
    assert is_placeholder(text) == holds


def test_a_template_has_no_supplier_and_what_is_left_of_it_is_doubted() -> None:
    blank = [Text(50, 40, "Street Address", 24), Text(50, 70, "City, State ZIP"), Text(50, 84, "info@street.com")]
    assert read(*blank, Text(50, 130, "Invoice No: 7")).fields["supplier"].doubt
    left = read(*blank, Text(300, 300, "Acme Tools Inc."), Text(300, 312, "www.acme.com"), Text(50, 130, "x"))
    assert left.fields["supplier"].value != "Street Address"
    assert left.fields["supplier"].doubt


@pytest.mark.parametrize("held_out", [False, True])
def test_nothing_wrong_goes_by_unseen_in_layouts_of_everyday_bills(held_out: bool) -> None:
    for number in range(8):
        document, made = sample(random.Random(f"test-{number}"), held_out)
        pages = pages_of(document)
        assert not isinstance(pages, Unread)
        fields = invoice_of(pages).fields
        for name, value in made.truth().items():
            one = fields.get(name)
            if value is not None and one is not None and not one.doubt:
                same = core_of(str(one.value)) == core_of(str(value)) if name == "supplier" else one.value == value
                short = name == "supplier" and set(core_of(str(one.value))) <= set(core_of(str(value)))
                assert same or short, (number, name, value, one)


def test_every_country_has_a_word_for_every_key() -> None:
    assert all(len(words_of(country.code)) == len(words_of("DE")) for country in COUNTRIES)
    assert not set(SEEN) & set(HELD_OUT)
