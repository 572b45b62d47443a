"""Invoices are read with the place of each field, and what is not sure is said: nothing wrong goes by unseen."""

import random
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from evals.invoice_countries import DE, GB, US, WORDS
from evals.invoice_facts import Facts, facts
from evals.invoice_practice import classic, compact, letter, modern, sample
from pypdf import PdfWriter
from tests.paper import LETTER, Text, pdf, right

from fairlead.documents import Invoice, Unread, agreement, read_invoice
from fairlead.documents.amounts import amounts_in
from fairlead.documents.bounded import Bounded, Ended
from fairlead.documents.dates import days_in
from fairlead.documents.identifiers import accounts, vat_numbers
from fairlead.documents.invoice import invoice_of
from fairlead.documents.layout import Sheet
from fairlead.documents.names import core_of
from fairlead.documents.papers import CALLED
from fairlead.documents.pdf import pages_of
from fairlead.documents.types import MOST_PAGES


def read(document: bytes) -> Invoice:
    pages = pages_of(document)
    assert not isinstance(pages, Unread), pages
    return invoice_of(pages)


def drawn(layout: Any, country: Any = DE, seed: int = 3, **changes: Any) -> tuple[Facts, Invoice]:
    made = facts(random.Random(seed), country, traps=0)
    made = Facts(**{**{name: getattr(made, name) for name in made.__dataclass_fields__}, **changes})
    words = {key: each[0].replace("{rate}", str(made.rate)) for key, each in WORDS[country.code].items()}
    return made, read(pdf([layout(made, words.__getitem__, random.Random(seed))]))


@pytest.mark.parametrize("layout", [classic, letter, modern, compact])
def test_each_field_has_its_value_and_the_place_that_it_came_from(layout: Any) -> None:
    made, found = drawn(layout)
    truth = made.truth()
    assert {name: found.fields[name].value for name in truth} == truth
    assert not any(found.fields[name].doubt for name in truth)
    total = found.fields["total"]
    assert total.page == 1
    assert f"{made.total:.2f}"[-2:] in total.text
    assert 0 < total.box[0] < total.box[2] < 596
    assert total.confidence > 0.9


def test_nothing_that_is_read_wrong_goes_by_unseen() -> None:
    for number in range(40):
        document, made = sample(random.Random(f"unseen-{number}"))
        found = read(document)
        for name, value in made.truth().items():
            one = found.fields.get(name)
            if value is not None and one is not None and not one.doubt:
                same = core_of(str(one.value)) == core_of(str(value)) if name == "supplier" else one.value == value
                assert same or (name == "net" and "wrong_sum" in made.traps), (number, name, value, one)


@pytest.mark.parametrize(
    ("trap", "field", "said"),
    [
        ("wrong_sum", "total", "do not add up"),
        ("two_accounts", "iban", "several bank accounts"),
    ],
)
def test_what_does_not_fit_is_said(trap: str, field: str, said: str) -> None:
    _, found = drawn(classic, traps=frozenset((trap,)))
    assert said in found.fields[field].doubt
    assert found.fields[field].confidence < 0.9


def test_a_dollar_and_a_date_of_numbers_alone_are_told_by_the_country_or_not_at_all() -> None:
    _, found = drawn(classic, US, day="%m/%d/%Y")
    assert found.fields["currency"].value == "USD"
    plain = [Text(50, 50, "Invoice No: A-1001"), Text(50, 70, "Date: 03/04/2026"), Text(50, 90, "Total: $ 12.00")]
    unclear = read(pdf([plain], LETTER)).fields
    assert "other way round" in unclear["date"].doubt
    assert "USD or CAD" in unclear["currency"].doubt
    assert "bears the total out" in unclear["total"].doubt


def test_several_numbers_are_told_and_parts_of_numbers_are_no_labels() -> None:
    two = read(pdf([[Text(50, 50, "Invoice No: A-1001"), Text(50, 70, "Invoice Number: B-2002")]])).fields["number"]
    assert "A-1001, B-2002" in two.doubt
    page = [Text(50, 50, "Invoice No: invoice_number_7"), Text(50, 70, "Purchase order:"), Text(200, 70, "PO-4711")]
    found = read(pdf([page])).fields
    assert (found["number"].value, found["order"].value) == ("invoice_number_7", "PO-4711")


def test_the_lines_bear_out_a_total_without_tax() -> None:
    page = [
        Text(50, 50, "Invoice No: A-1001"),
        right(545, 100, "$40.00"),
        right(545, 115, "$2.50"),
        Text(400, 140, "Total"),
    ]
    assert read(pdf([[*page, right(545, 140, "$42.50")]])).fields["total"].doubt == ""
    assert "bears" in read(pdf([[*page, right(545, 140, "$43.50")]])).fields["total"].doubt


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("€ 1.234,56", ["1234.56"]),
        ("1,234.56 USD", ["1234.56"]),
        ("1 234,50 zł", ["1234.50"]),
        ("1'234.50", ["1234.50"]),
        ("12,-", ["12"]),
        ("-5,00", ["-5.00"]),
        ("(3.00)", ["-3.00"]),
        ("180.00 CR", ["-180.00"]),
        ("₹ 1,09,999.00", ["109999.00"]),
        ("12,34,567", ["1234567"]),
        ("10.04.2026", []),
        ("AB-1234", []),
        ("1.234", ["1234"]),
        ("0.125", ["0.125"]),
    ],
)
def test_amounts_in_the_usual_spellings(text: str, values: list[str]) -> None:
    assert [each.value for each in amounts_in(text)] == [Decimal(each) for each in values]


@pytest.mark.parametrize(
    ("text", "day", "other"),
    [
        ("12.03.2026", "2026-03-12", "2026-12-03"),
        ("25/12/26", "2026-12-25", None),
        ("2026-04-05", "2026-04-05", None),
        ("12. März 2026", "2026-03-12", None),
        ("March 4, 2026", "2026-03-04", None),
        ("1er août 2026", "2026-08-01", None),
        ("4 de marzo de 2026", "2026-03-04", None),
        ("17 kwietnia 2026", "2026-04-17", None),
    ],
)
def test_dates_in_many_languages(text: str, day: str, other: str | None) -> None:
    (found,) = days_in(text)
    assert (found.day.isoformat(), found.other and found.other.isoformat()) == (day, other)


def test_accounts_count_with_check_digits_that_hold_alone() -> None:
    text = [
        Text(50, 50, "IBAN DE89 3704 0044 0532 0130 00"),
        Text(50, 70, "DE89 3704 0044 0532 0130 01"),
        Text(50, 90, "NL 859364210 B01"),
    ]
    pages = pages_of(pdf([text]))
    assert not isinstance(pages, Unread)
    sheet = Sheet(pages)
    assert [each.value for each in accounts(sheet)] == ["DE89370400440532013000"]
    beside = pages_of(pdf([[Text(50, 50, "PL8544728116 IBAN PL95 1573 6950 7072 1162 0465 7586")]]))
    assert not isinstance(beside, Unread)
    assert [each.value for each in accounts(Sheet(beside))] == ["PL95157369507072116204657586"], (
        "not across two numbers"
    )
    assert [each.value for each in vat_numbers(sheet)] == ["NL859364210B01"]


def test_what_cannot_be_read_says_why() -> None:
    scan = read_invoice(pdf([[]], image=True))
    assert isinstance(scan, Unread)
    assert (scan.kind, "OCR" in scan.mend) == ("no_text", True)
    locked = PdfWriter(clone_from=BytesIO(pdf([[Text(50, 50, "Invoice number INV-2041")]])))
    locked.encrypt("secret", algorithm="RC4-128")
    locked.write(written := BytesIO())
    secret = read_invoice(written.getvalue())
    assert isinstance(secret, Unread)
    assert (secret.kind, secret.why) == ("encrypted", "it is encrypted with a password")
    for document, kind in (
        (b"junk", "damaged"),
        (pdf([[Text(9, 9, "a")]])[:400], "damaged"),
        (pdf([[Text(9, 9, "a")]] * (MOST_PAGES + 1)), "too_large"),
    ):
        found = pages_of(document)
        assert isinstance(found, Unread), kind
        assert (found.kind, bool(found.mend)) == (kind, True)


def test_a_program_that_reads_is_ended_by_what_is_too_much_for_it() -> None:
    with Bounded("tests.documents.endless", patience=60.0) as program:
        assert program.asked(b"say") == b"said"
        with pytest.raises(Ended):
            program.asked(b"memory")
        assert program.asked(b"say") == b"said", "another process"


def test_a_program_that_stops_in_the_middle_of_an_answer_is_ended() -> None:
    with Bounded("tests.documents.endless", patience=1.0) as program:
        with pytest.raises(Ended) as ended:
            program.asked(b"stall")
        assert ended.value.late


def test_a_model_lifts_doubts_that_it_shares_nothing_with_and_raises_its_own() -> None:
    text = "Invoice A-1 of Nord GmbH, PO-7\nTotal 12,00 EUR\nIBAN DE89 3704 0044 0532 0130 00"
    ours: dict[str, dict[str, Any]] = {
        name: {"value": value, "text": "", "page": 1, "box": [], "confidence": 0.4, "doubt": doubt}
        for name, value, doubt in (
            ("supplier", "Nord GmbH", "too little"),
            ("total", 12.0, "net and tax do not add up to the total"),
            ("number", "A-1", ""),
            ("iban", "DE89370400440532013000", "several"),
            ("order", "PO-7", f"{CALLED} 'Credit note', which is no invoice to pay"),
        )
    }
    said = {
        "supplier": ("NORD GmbH", "Nord GmbH"),
        "total": ("12.00", "12,00 EUR"),
        "number": ("A-2", "A-2"),
        "iban": ("DE89370400440532013000",) * 2,
        "order": ("PO-7", "PO-7"),
    }
    asked = [{"name": name, "value": value, "quote": quote} for name, (value, quote) in said.items()]
    found = agreement.agreed(ours, text, asked)
    assert found["supplier"]["doubt"] == ""
    assert found["total"]["doubt"], "what does not add up goes to a person whoever reads it"
    assert found["iban"]["doubt"]
    assert found["order"]["doubt"], "that it is no invoice does not become less true by a second reader"
    assert found["number"]["doubt"] == "", "a quote that stands nowhere counts for nothing"
    found = agreement.agreed(ours, text, [{"name": "number", "value": "A", "quote": "Invoice A-1"}])
    assert found["number"]["doubt"] == "the model reads A"


def test_british_numbers_that_begin_like_a_french_label() -> None:
    _, found = drawn(classic, GB, number="HT-2025-118")
    assert found.fields["number"].value == "HT-2025-118"


@pytest.mark.parametrize(
    "title",
    [
        "Credit note",
        "Gutschrift Nr. 12",
        "Avoir",
        "Pro forma invoice",
        "2. Mahnung",
        "Factura de abono",
        "Faktura pro forma",
        "Invoice (Pro-forma)",
        "Document type: Credit Memo",
        "Storno zu Rechnung 4470",
        "Sztornó számla",
        "İade Faturası",
        "Final Notice",
        "Betalingsherinnering",
        "Wezwanie do zapłaty",
        "Relance : facture impayée",
        "STATEMENT OF ACCOUNT",
        "This is a pro forma invoice, do not pay it until the goods are there",
    ],
)
def test_what_is_no_invoice_to_pay_is_told(title: str) -> None:
    made, words = facts(random.Random(3), DE, traps=0), {key: each[0] for key, each in WORDS["DE"].items()}
    drawing = classic(made, words.__getitem__, random.Random(3))
    doubts = [read(pdf([[*drawing, *more]])).fields["number"].doubt for more in ([], [Text(300, 20, title)])]
    assert doubts[0] == ""
    assert title in doubts[1]
