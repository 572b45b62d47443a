"""Bills of many kinds: text that does not stand upright, captions in two lines, rounded sums, many languages."""

import random

import pytest
from evals.invoice_bills import bill, truth
from evals.invoice_kinds import KINDS, letterhead
from evals.invoices import same
from tests.documents.test_doubts import fields, sure
from tests.paper import Text, pdf, right

from fairlead.documents import Unread
from fairlead.documents.invoice import REQUIRED, invoice_of
from fairlead.documents.pdf import pages_of
from fairlead.documents.types import Page


def pages(*texts: Text) -> tuple[Page, ...]:
    found = pages_of(pdf([texts]))
    assert not isinstance(found, Unread), found
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_read_wrong_in_bills_of_any_kind(kind: object) -> None:
    said, drawn, other = kind(random.Random("a"))  # type: ignore[operator]
    found = invoice_of(pages(*drawn[0]) if len(drawn) == 1 else pages_of(pdf(drawn))).fields  # type: ignore[arg-type]
    through = all(name in found and not found[name].doubt for name in REQUIRED)
    assert through is ("payable" not in other)
    for name, value in () if "payable" in other else truth(said, drawn, other).items():
        assert name not in found or found[name].doubt or same(name, value, found[name].value), name


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_whose_text_lies_on_its_side_is_read_as_it_would_be_turned(turn: int) -> None:
    at = {90: ((100, 700), (112, 700)), 180: ((500, 700), (500, 688)), 270: ((400, 100), (388, 100))}[turn]
    (page,) = pages(
        Text(*at[0], "Invoice number INV-2041", turn=turn), Text(*at[1], "Invoice date 14 March 2026", turn=turn)
    )
    assert (page.width, page.height) == ((595, 842) if turn == 180 else (842, 595))
    found = invoice_of([page]).fields
    assert (sure(found, "number"), sure(found, "date")) == ("INV-2041", "2026-03-14")


def test_what_is_written_along_a_margin_tears_no_line_apart() -> None:
    margin = Text(440, 330, "Registered office: 1 High Street, Leeds, all prices in EUR as of 2025", 8, turn=90)
    plain, beside = fields(), fields(margin)
    assert {name: each.value for name, each in beside.items()} == {name: each.value for name, each in plain.items()}
    assert not any(each.doubt for each in beside.values())


@pytest.mark.parametrize("stamp", ["VOID", "STORNIERT", "Annulée", "DRAFT", "CREDIT NOTE"])
def test_a_stamp_across_the_page_sends_the_invoice_to_a_person(stamp: str) -> None:
    found = fields(Text(150, 600, stamp, 60, True, turn=45))
    assert stamp in found["number"].doubt
    assert sure(fields(Text(150, 600, "ORIGINAL", 60, True, turn=45)), "number") == "INV-2041"


@pytest.mark.parametrize(
    "said",
    [
        "Toute facture est payable sans avoir à être rappelée.",
        "Cancelled orders are charged at 50 %.",
        "Eine Gutschrift erfolgt nur nach Rückgabe",
        "Toute facture est payable à trente jours sans\navoir à être rappelée.",
    ],
)
def test_small_print_along_a_margin_only_speaks_of_other_papers(said: str) -> None:
    lines = [Text(20 + 9 * at, 600, line, 7, turn=90) for at, line in enumerate(said.split("\n"))]
    assert sure(fields(*lines), "number") == "INV-2041"
    both = fields(*lines, Text(30, 600, "Storniert am 14.03.2026", 9, turn=90))
    assert "Storniert" in both["number"].doubt, "a stamp beside it is one, however small"


@pytest.mark.parametrize(
    "stamp",
    [
        (Text(150, 600, "This is cancelled, and nothing of it is to be paid", 24, turn=30),),
        tuple(Text(150 + 60 * at, 600 - 60 * at, letter, 40, turn=45) for at, letter in enumerate("VOID")),
        tuple(Text(20, 700 - 60 * at, "DRAFT", 9, turn=90) for at in range(8)),
        (Text(80, 600, "CREDIT", 30, turn=90), Text(115, 600, "NOTE", 30, turn=90)),
    ],
)
def test_a_stamp_may_be_long_or_wide_or_often_or_in_two_lines(stamp: tuple[Text, ...]) -> None:
    assert "calls itself" in fields(*stamp)["number"].doubt


def test_text_that_stands_aslant_altogether_is_said_to() -> None:
    found = pages_of(pdf([[Text(100, 700, "Invoice number INV-2041", turn=30)]]))
    assert isinstance(found, Unread)
    assert found.why == "its text stands aslant"


def test_a_word_of_a_whole_page_takes_no_time() -> None:
    (page,) = pages(Text(50, 100, "1" * 20_000, 4))
    assert max(len(word.text) for word in page.words) == 200


@pytest.mark.parametrize(("one", "other"), [("Invoice", "number"), ("Number of", "invoice")])
def test_a_caption_in_two_lines_is_one_where_no_value_stands_beside_its_first(one: str, other: str) -> None:
    above = [Text(300, 150, "Customer", 8), Text(300, 172, "10442", 8)]
    split = [Text(400, 150, one, 8), Text(400, 159, other, 8), Text(400, 172, "INV-2041", 8)]
    found = fields(*above, *split, number=None)
    assert sure(found, "number") == ("INV-2041" if one == "Invoice" else None)


def test_captions_under_one_another_that_have_values_stay_two() -> None:
    rows = (("Invoice", "INV-2041"), ("Number", "12"))
    column = [
        each
        for at, (name, value) in enumerate(rows)
        for each in (Text(350, 160 + 10 * at, name), Text(450, 160 + 10 * at, value))
    ]
    assert sure(fields(*column, number=None), "number") in ("INV-2041", None)


@pytest.mark.parametrize("caption", ["Invoice No. / Date", "Invoice number/Date:", "Rechnungs-Nr./Datum:"])
def test_the_second_value_beside_a_caption_for_two_is_the_second_s(caption: str) -> None:
    found = fields(number=(caption, "INV-2041 / 14 March 2026"), date=None)
    assert (sure(found, "number"), sure(found, "date")) == ("INV-2041", "2026-03-14")


@pytest.mark.parametrize(("said", "day"), [("Date fin : 02/03/2026", None), ("Date: 02/03/2026", "2026-03-02")])
def test_a_date_of_something_is_not_the_invoice_s(said: str, day: str | None) -> None:
    other = Text(350, 200, "Delivered 1 March 2026")
    assert sure(fields(Text(350, 186, said), other, date=None), "date") == day


def test_a_date_under_a_title_is_the_invoice_s_though_others_stand_there() -> None:
    head = [
        Text(50, 30, "Invoice INV-2041", 14),
        Text(50, 44, "14 March 2026"),
        Text(350, 200, "Delivery date 2 March 2026"),
    ]
    assert sure(fields(*head, number=None, date=None), "date") == "2026-03-14"


def test_a_total_that_was_rounded_is_borne_out_by_what_it_was_rounded_by() -> None:
    sums = (("Subtotal", "€100.00"), ("VAT 20%", "€20.00"), ("Rounding", "-€0.04"), ("Total", "€119.96"))
    found = fields(sums=sums)
    assert [sure(found, name) for name in ("total", "net", "tax")] == [119.96, 100.0, 20.0]
    wrong = (*sums[:3], ("Total", "€119.56"))
    assert sure(fields(sums=wrong), "total") is None


def test_a_share_of_the_net_bears_out_the_total_whatever_it_is_called_and_is_no_tax_for_sure() -> None:
    found = fields(sums=(("Subtotal", "€100.00"), ("Skattur 24%", "€24.00"), ("Total", "€124.00")))
    assert (sure(found, "total"), sure(found, "tax")) == (124.0, None)
    assert "no word" in found["tax"].doubt


@pytest.mark.parametrize(
    "said",
    [
        "Račun|Broj računa|Datum računa|Osnovica|PDV|Ukupno za platiti",
        "FAKTÚRA|Číslo faktúry|Dátum vystavenia|Základ dane|DPH|Celkom na úhradu",
        "ARVE|Arve nr|Kuupäev|Summa käibemaksuta|Käibemaks|Tasumisele kuulub",
        "SĄSKAITA|Sąskaitos numeris|Išrašymo data|Suma be PVM|PVM|Mokėtina suma",
    ],
)
def test_more_languages_are_read(said: str) -> None:
    title, number, day, net, tax, total = said.split("|")
    b = bill(random.Random(1), "HR")
    page = [
        *letterhead(b),
        right(545, 60, title, 16),
        Text(50, 800, f"{b.seller.name} | HR12345678901 | {b.seller.iban}", 7),
    ]
    for at, (name, value) in enumerate(((number, b.number), (day, b.on(b.issued)))):
        page += [Text(350, 130 + 13 * at, name), right(545, 130 + 13 * at, value)]
    for at, (name, amount) in enumerate(((net, b.net), (f"{tax} 25%", b.tax), (total, b.total))):
        page += [Text(350, 400 + 13 * at, name), right(545, 400 + 13 * at, b.money(amount))]
    found = invoice_of(pages(*page)).fields
    assert (sure(found, "number"), sure(found, "date")) == (b.number, b.issued.isoformat())
    assert [sure(found, name) for name in ("total", "net", "tax")] == [float(b.total), float(b.net), float(b.tax)]
