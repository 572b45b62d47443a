"""What looks like a field of an invoice and is another's: it is not taken, or doubted."""

from typing import Any

import pytest
from tests.paper import Text, pdf, right

from fairlead.documents import Unread
from fairlead.documents.invoice import invoice_of
from fairlead.documents.pdf import pages_of
from fairlead.documents.types import Field

Pair = tuple[str, str]

SUMS = (("Subtotal", "€100.00"), ("VAT 20%", "€20.00"), ("Total", "€120.00"))
BARE = (("Subtotal", "100.00"), ("VAT 20%", "20.00"), ("Total", "120.00"))
HEADS = [Text(50, 210, "Date"), Text(120, 210, "Description"), Text(300, 210, "Quantity"), right(545, 210, "Amount")]
WORK = [Text(50, 225, "01 March 2026"), Text(120, 225, "Paper"), Text(300, 225, "1"), right(545, 225, "60.00")]


def fields(
    *more: Text,
    number: Pair | None = ("Invoice number", "INV-2041"),
    date: Pair | None = ("Invoice date", "14 March 2026"),
    sums: tuple[Pair, ...] = SUMS,
    title: str = "Invoice",
    behind: tuple[tuple[Text, ...], ...] = (),
    scans: tuple[int, ...] = (),
) -> dict[str, Field]:
    """The fields of a plain invoice, with what is different. `behind` are more pages."""
    page = [Text(50, 60, "Northwind Supplies Ltd", 14, True), right(545, 60, title, 16, True)]
    page += [
        Text(50, 84, "www.northwindsupplies.co.uk", 8),
        Text(50, 130, "Bill to", 8),
        Text(50, 142, "Acme Buyers Ltd"),
    ]
    for at, (label, value) in enumerate(pair for pair in (number, date) if pair is not None):
        page += [Text(350, 130 + 13 * at, label), Text(450, 130 + 13 * at, value)]
    for at, (label, value) in enumerate(sums):
        page += [Text(350, 280 + 14 * at, label), right(545, 280 + 14 * at, value)]
    page.append(Text(50, 790, "Northwind Supplies Ltd · Company number 1234567 · VAT GB980780684", 7))
    pages = pages_of(pdf([[*page, *more], *behind], scans=scans))
    assert not isinstance(pages, Unread), pages
    return invoice_of(pages).fields


def sure(found: dict[str, Field], name: str) -> Any:
    """The value of a field that nobody would be asked about, None where somebody would."""
    return found[name].value if name in found and not found[name].doubt else None


def test_a_scan_beside_a_page_of_text_is_told_as_the_total_may_be_there() -> None:
    scan = fields(behind=((),), scans=(2,))
    assert scan["total"].doubt == "page 2 has hardly any text: it is likely a scan, and the total may stand there"
    stamped = fields(behind=((), (Text(50, 820, "Scanned by the post room, page 3 of 3", 7),)), scans=(2, 3))
    assert "pages 2, 3 have" in stamped["total"].doubt
    without = fields(sums=(), behind=((),), scans=(2,))
    assert "page 2 has" in without["number"].doubt, "the total is missing, and this is why"
    aslant = fields(behind=((Text(50, 400, "Total 240.00 EUR", turn=30),),))
    assert "page 2 has" in aslant["total"].doubt


def test_an_empty_page_and_a_picture_under_text_are_no_scans() -> None:
    assert sure(fields(behind=((Text(50, 50, "  "),), ()), scans=(1,)), "total") == 120.0


def test_nothing_is_doubted_where_nothing_is_odd() -> None:
    found = fields()
    assert [sure(found, name) for name in ("number", "date", "currency", "total", "net", "tax", "supplier")] == [
        "INV-2041",
        "2026-03-14",
        "EUR",
        120.0,
        100.0,
        20.0,
        "Northwind Supplies Ltd",
    ]


@pytest.mark.parametrize(
    "label",
    ["Original invoice number:", "Related invoice no.", "Invoice number (original):", "Rechnungsnummer, korrigierte:"],
)
def test_the_number_of_another_invoice_is_not_this_ones(label: str) -> None:
    assert sure(fields(number=(label, "INV-1999")), "number") is None
    both = fields(number=(label, "INV-1999"), title="Invoice INV-2041")
    assert both["number"].value == "INV-2041"


@pytest.mark.parametrize("number", ["2026 / 041", "INV-2026-", "2026 – 041"])
def test_a_number_that_goes_on_is_doubted(number: str) -> None:
    assert "go on" in fields(number=("Invoice number", number))["number"].doubt


def test_the_number_of_what_an_invoice_is_about_is_none_of_its_own() -> None:
    policy = fields(number=None, title="Rechnung zur Versicherung Nr. 00.123.456")
    assert sure(policy, "number") is None
    order = fields(Text(50, 500, "Rechnung gemäß Bestellung Nr. 2018-471331 vom 01.03.2018."))
    assert (sure(order, "number"), sure(order, "date")) == ("INV-2041", "2026-03-14")


@pytest.mark.parametrize("label", ["Previous invoice date", "DATE DE FACTURE ASSOCIÉE :", "Order date", "Delivered on"])
def test_the_date_of_something_else_is_not_the_invoices(label: str) -> None:
    assert sure(fields(date=(label, "01 February 2026")), "date") is None


def test_a_date_at_the_foot_or_in_a_table_is_not_the_invoices() -> None:
    printed = (Text(50, 770, "Date: 20.03.2026"), Text(200, 770, "Time: 10:12"), Text(300, 770, "Page 1 of 1"))
    assert sure(fields(*printed, date=None), "date") is None
    assert fields(*printed, Text(350, 200, "Leeds, 14 March 2026"), date=None)["date"].value == "2026-03-14"
    assert sure(fields(*HEADS, *WORK, date=None), "date") is None


def test_what_was_paid_before_explains_what_is_left() -> None:
    found = fields(sums=(*SUMS, ("Paid", "-€50.00"), ("Balance due", "€70.00")))
    assert sure(found, "total") == 120.0
    off = fields(sums=(*SUMS, ("Paid", "-€50.00"), ("Balance due", "€75.00")))
    assert sure(off, "total") is None, "what does not come to it explains nothing"


@pytest.mark.parametrize(
    "sums",
    [
        (*SUMS, ("Discount", "-€20.00"), ("Amount due", "€100.00")),
        (*SUMS, ("Previous balance", "€30.00"), ("Total due", "€150.00")),
        (
            ("Paper", "€60.00"),
            ("Ink", "€40.00"),
            ("Total", "€100.00"),
            ("Surcharge", "€20.00"),
            ("Grosstotum", "€120.00"),
        ),
    ],
)
def test_a_total_that_something_comes_after_is_doubted(sums: tuple[Pair, ...]) -> None:
    assert sure(fields(sums=sums), "total") is None


@pytest.mark.parametrize(
    ("sums", "sure_total"),
    [
        ((("Total", "€120.00"), ("incl. VAT 20%", "€20.00")), 120.0),
        ((("Total", "€120.00"), ("incl. VAT 20%", "€21.00")), None),
        ((("Total", "€120.00"), ("incl. insurance premium tax and VAT 20%", "€20.00")), None),
        ((("Subtotal", "€110.00"), ("VAT 20%", "€20.00"), ("Total", "€120.00")), None),
        ((("Fees", "€85.00"), ("VAT", "€17.00"), ("Outlays", "€18.00"), ("Total due", "€120.00")), 120.0),
        ((("Fees", "€85.00"), ("VAT", "€17.00"), ("Outlays", "€19.00"), ("Total due", "€120.00")), None),
        ((("To skim a hall", "€120.00"), ("Total due", "€120.00")), 120.0),
        ((("To skim a hall", "€120.00"), ("Total due", "€120.00"), ("plus VAT 20%", "")), None),
        ((("Net", "€100.00"), ("VAT 20%", "€20.00"), ("Total paid", "€120.00")), 120.0),
        ((("Montant H.T.", "€100.00"), ("T.V.A. 20%", "€20.00"), ("Total T.T.C.", "€120.00")), 120.0),
    ],
)
def test_a_tax_that_is_in_a_total_and_all_that_makes_it_bear_it_out(
    sums: tuple[Pair, ...], sure_total: float | None
) -> None:
    assert sure(fields(sums=sums), "total") == sure_total


@pytest.mark.parametrize(("title", "sure_number"), [("Invoice no. INV-2041", "INV-2041"), ("Order", None)])
def test_an_order_in_large_letters_is_only_referred_to_on_what_is_titled_invoice(
    title: str, sure_number: str | None
) -> None:
    found = fields(Text(350, 105, "Purchase order: 4711", 12), title=title)
    assert sure(found, "number") == sure_number


def test_the_last_line_of_a_table_of_rates_is_the_total() -> None:
    heads = [right(x, 400, text) for x, text in ((300, "Nettobetrag"), (400, "MwSt-Betrag"), (500, "Endbetrag"))]
    rows = (("321,40", "61,07", "382,47"), ("127,59", "8,93", "136,52"), ("448,99", "70,00", "518,99"))
    table = [right(300 + 100 * at, 412 + 12 * y, text) for y, row in enumerate(rows) for at, text in enumerate(row)]
    assert sure(fields(*heads, *table, sums=()), "total") in (None, 518.99)


@pytest.mark.parametrize(
    "line",
    ["Exchange rate GBP 0.85", "Account no. 12345678 USD SWIFT NWBKGB2L", "SARL au capital de 50 000 €"],
)
def test_money_that_is_no_amount_of_the_invoice_names_no_currency(line: str) -> None:
    assert sure(fields(Text(50, 500, line), sums=BARE), "currency") is None
    assert sure(fields(Text(50, 500, line)), "currency") == "EUR"


def test_rupees_are_told_by_the_country() -> None:
    sums = tuple((label, value.replace("€", "Rs. ")) for label, value in SUMS)
    assert sure(fields(Text(50, 500, "GSTIN: 29AAACE4879Q1ZO"), sums=sums), "currency") == "INR"
    assert sure(fields(sums=sums), "currency") is None
    assert sure(fields(Text(50, 500, "Open Mo.-Fr. 08.30 to 12.30")), "currency") == "EUR"


def test_a_second_firm_with_a_register_of_its_own_makes_the_sender_doubtful() -> None:
    other = [
        Text(50, 170, "Globex Trading Ltd"),
        Text(50, 182, "www.globextrading.co.uk"),
        Text(50, 194, "Company number 7654321"),
    ]
    assert fields(*other)["supplier"].doubt


def test_a_bank_code_and_a_tax_representative_are_no_senders() -> None:
    for code in ("COBADEFFXXX", "COBADEFXXX"):
        bank = fields(Text(50, 700, "Verkäufer-BIC:"), Text(250, 700, code))
        assert sure(bank, "supplier") == "Northwind Supplies Ltd"
    told = fields(
        Text(50, 200, "Représentant Fiscal"), Text(50, 212, "Globex Trading Ltd"), Text(50, 224, "Reg. no. 7654321")
    )
    assert sure(told, "supplier") == "Northwind Supplies Ltd"


def test_what_is_called_just_a_number_is_the_invoices_under_its_heading() -> None:
    assert sure(fields(Text(350, 120, "Invoice"), number=("Number", "25-0917")), "number") == "25-0917"
    assert sure(fields(Text(350, 120, "Delivery"), number=("Number", "25-0917")), "number") is None


def test_a_date_in_a_line_is_the_invoices_where_its_number_stands_first() -> None:
    assert sure(fields(Text(50, 200, "Invoice no INV-2041 — Date 14 March 2026"), date=None), "date") == "2026-03-14"
    assert sure(fields(Text(50, 200, "Delivery note 77 — Date 14 March 2026"), date=None), "date") is None
