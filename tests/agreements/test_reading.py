"""Clauses are found however they are numbered; what they say is read, or left to a person."""

from textwrap import wrap

import pytest

from fairlead.agreements import (
    Parties,
    amounts,
    bears_out,
    digits,
    language_of,
    parties_of,
    position,
    read,
    split,
    standing_of,
    unheard,
)
from fairlead.agreements.quantities import durations

US = Parties(("customer", "buyer"), ("supplier", "seller", "provider"))


@pytest.mark.parametrize(
    "text",
    [
        "# Contract\n\n## 1. Payment\nWords of one.\n\n## 2. Law\nWords of two.\n",
        "CONTRACT\n\n1. PAYMENT\n1.1 Words of one.\n2. LAW\n2.1 Words of two.\n",
        "Contract\n\n1) Payment. Words of one.\n\n2) Law. Words of two.\n",
        "Contract\n\nArticle 1 - Payment\nWords of one.\nArticle 2 - Law\nWords of two.\n",
        "Contract\n\n\u00a7 1 Payment\nWords of one.\n\u00a7 2 Law\nWords of two.\n",
        "Contract\n\nI. Payment\nWords of one.\nII. Law\nWords of two.\n",
        "Contract\n\n**1. Payment.** Words of one.\n\n**2. Law.** Words of two.\n",
        "Contract\n\nSECTION 1. PAYMENT. Words of one.\n\nSECTION 2. LAW. Words of two.\n",
        "Contract\n\nClause 1: Payment\nWords of one.\nClause 2: Law\nWords of two.\n",
    ],
)
def test_clauses_are_found_in_every_style_and_are_slices(text: str) -> None:
    said = {each.text: each for each in split(text).clauses}
    one, two = said["Words of one."], said["Words of two."]
    assert (one.heading.lower(), two.heading.lower()) == ("payment", "law")
    assert all(text[each.start : each.end] == each.text for each in said.values())
    assert text.splitlines()[one.line - 1].endswith("Words of one.") or one.line < two.line


def test_lines_that_begin_with_a_number_are_no_clauses() -> None:
    text = "Contract\n\n1. Payment\nWithin\n30 days of receipt, and\n2026 is the year.\n"
    assert [each.number for each in split(text).clauses] == ["", "1"]
    refers = "Contract\n\n1. Payment\nWithin 30 days.\nClause 2 does not apply to orders.\n\n2. Law\nEnglish law.\n"
    assert [each.number for each in split(refers).clauses] == ["", "1", "2"]


@pytest.mark.parametrize(
    ("words", "measure", "number"),
    [
        ("Each invoice is paid within thirty (30) days.", "payment_days", 30),
        ("The Supplier's liability is limited to one hundred and fifty percent (150%) of the annual fees.",
         "liability_cap", 150),
        ("The Supplier's total liability shall not exceed the fees paid in the six (6) months before.",
         "liability_cap", 50),
        ("The agreement renews automatically for terms of one year unless notice is given 90 days before its end.",
         "renewal_term", 12),
        ("The agreement renews automatically for terms of one year unless notice is given 90 days before its end.",
         "renewal_notice", 90),
        ("The Customer may terminate this agreement without cause on two months' notice.", "convenience_notice", 60),
        ("The Provider notifies the Customer of a personal data breach within two days.", "breach_notice", 48),
        ("Late payments bear interest at 8,5 % per annum.", "late_interest", 8.5),
        ("Late payments bear interest at 0.05% per day.", "late_interest", 18.25),
        ("The Supplier's liability shall not exceed fifty per cent of the fees of the preceding six months.",
         "liability_cap", 25),
        ("The Supplier's liability shall not exceed 1,000% of the annual fees.", "liability_cap", 1000),
        ("The Supplier maintains insurance of EUR 2,5 million per claim.", "insurance", 2_500_000),
        ("The Supplier maintains insurance of EUR 1.250.000,50 per claim.", "insurance", 1_250_000.5),
        ("The Supplier maintains insurance of half a million pounds.", "insurance", 500_000),
        ("Invoices are payable within one and a half months of receipt.", "payment_days", 45),
        ("Invoices are payable within 1 1/2 months of receipt.", "payment_days", 45),
        ("Invoices are due within a fortnight of receipt.", "payment_days", 14),
        ("All invoices are net 45.", "payment_days", 45),
        ("Invoices are payable within 20 business days.", "payment_days", 28),
        ("Where the Buyer pays within 8 days it may deduct 3%; otherwise the invoice is due within thirty (30) days.",
         "payment_days", 30),
        ("The Supplier's liability is limited to 1.5x the annual fees.", "liability_cap", 150),
        ("The Supplier's total liability shall not exceed twelve months' fees.", "liability_cap", 100),
        ("The Supplier's liability shall not exceed twice the monthly fee.", "liability_cap", 16.67),
        ("Late payments bear interest at one and a half percent per month.", "late_interest", 18),
        ("Interest on late payments is 4% a year, reckoned daily.", "late_interest", 4),
        ("This agreement continues for a year and a half.", "initial_term", 18),
        ("The initial term is 18 months, of which the first 3 months are a trial.", "initial_term", 18),
        ("The Supplier reports a personal data breach within 72 hours and answers questions within 24 hours.",
         "breach_notice", 72),
        ("The Supplier reports a personal data breach within two business days.", "breach_notice", 96),
        ("Visible defects are told within 14 days; the goods are warranted free of defects for two years.",
         "warranty", 24),
    ],
)  # fmt: skip
def test_numbers_are_read(words: str, measure: str, number: float) -> None:
    found = read(split(f"Contract\n\n1. Clause\n{words}\n").clauses, US, "services")
    assert [(each.measure, each.number) for each in found if each.measure == measure] == [(measure, number)]
    assert all(each.quote in words for each in found)


@pytest.mark.parametrize(
    ("words", "measure", "word"),
    [
        ("The Customer shall indemnify the Supplier against all claims.", "indemnity", "customer"),
        ("Each party shall indemnify the other.", "indemnity", "mutual"),
        ("This agreement is governed by the laws of the State of New York.", "governing_law", "State of New York"),
        ("English law applies.", "governing_law", "England and Wales"),
        ("The Supplier may assign this agreement to any third party.", "assignment", "free"),
        ("All deliverables vest in the Supplier.", "ip_owner", "supplier"),
        (
            "The Supplier reserves all rights in the results, and no title passes to the Customer.",
            "ip_owner",
            "supplier",
        ),
        ("As between the parties, the Supplier shall own the deliverables.", "ip_owner", "supplier"),
        ("Neither party may assign any of its rights under this agreement.", "assignment", "consent"),
        (
            "The Supplier shall be entitled to assign this agreement without the Customer's consent.",
            "assignment",
            "free",
        ),
        ("The Supplier may use the Customer's logo without its prior consent.", "publicity", "free"),
        (
            "The Supplier may use subprocessors without further notice to, or approval from, the Customer.",
            "subprocessors",
            "free",
        ),
        ("Nothing shall oblige the Customer to buy exclusively from the Supplier.", "exclusivity", "none"),
        ("The Customer shall not procure similar goods from third parties.", "exclusivity", "exclusive"),
        ("The Supplier may use subprocessors without informing the Customer.", "subprocessors", "free"),
        ("The Supplier engages another processor only with prior written authorisation.", "subprocessors", "consent"),
    ],
)
def test_words_are_read(words: str, measure: str, word: str) -> None:
    found = read(split(f"Contract\n\n1. Clause\n{words}\n").clauses, US, "services")
    assert [(each.measure, each.word) for each in found if each.measure == measure] == [(measure, word)]


@pytest.mark.parametrize(
    ("heading", "words", "measure", "number"),
    [
        ("Prices", "The fees are fixed for the whole term.", "price_increase", 0.0),
        ("Prices", "The Supplier may amend its price list at any time.", "price_increase", 1_000_000.0),
        ("Liability", "The Supplier is liable up to twice the fees of a year.", "liability_cap", 200.0),
        ("Term", "This agreement is concluded for an indefinite period.", "initial_term", 0.0),
        ("Term", "It begins on January 1, 2026 and expires on 31 December 2032.", "initial_term", 84.0),
        ("Term", "It continues until the fourth anniversary of the effective date.", "initial_term", 48.0),
        (
            "Term",
            "It renews automatically for successive twelve-month periods unless the Customer does not wish to renew.",
            "renewal_term",
            12.0,
        ),
        ("Renewal", "It runs from year to year until ended by three months' notice.", "renewal_term", 12.0),
        ("Renewal", "The Customer may at its option extend it by two periods of 12 months.", "renewal_term", 0.0),
        (
            "Termination",
            "The Customer shall not be entitled to terminate for convenience.",
            "convenience_notice",
            1_000_000.0,
        ),
        (
            "Renewal",
            "It continues for a further 12 months unless a party opts out 45 days ahead.",
            "initial_term",
            None,
        ),
        ("Term and renewal", "The initial term is 12 months.", "initial_term", 12.0),
    ],
)
def test_numbers_are_read_by_the_heading_above_them(
    heading: str, words: str, measure: str, number: float | None
) -> None:
    found = read(split(f"Contract\n\n1. {heading}\n{words}\n").clauses, US, "services")
    assert [each.number for each in found if each.measure == measure] == ([] if number is None else [number])


def test_a_clause_of_which_nothing_is_read_goes_to_a_person_where_its_heading_or_words_name_a_measure() -> None:
    text = (
        "Services\n\n1. Late payment\nMoney owed after its date costs more each week.\n\n"
        "2. Miscellaneous\nThe Supplier may show the logo of the Customer to whom it likes.\n\n"
        "3. Meetings\nThe parties meet every three months.\n\n4. Law\nEnglish law applies.\n"
    )
    clauses = split(text).clauses
    said = [each for each in read(clauses, US, "services") if each.measure == "governing_law"]
    found = unheard(clauses, said)
    assert [each.clause.heading for each in found] == ["Late payment", "Miscellaneous"]
    assert "late interest" in found[0].why
    assert "publicity" in found[1].why


def test_what_changes_or_adds_to_another_clause_goes_to_a_person_as_well() -> None:
    text = (
        "Services\n\n1. Liability\n1.1 The Supplier's liability is limited to 200% of the annual fees.\n"
        "1.2 Our liability for late delivery does not go beyond 5 % of the price of the order, whatever exceeds it.\n\n"
        "AMENDMENT\n\nIn Clause 1 the words of paragraph 1.1 are replaced by others.\n"
    )
    clauses = split(text).clauses
    said = [each for each in read(clauses, US, "services") if "200%" in each.quote]
    assert [each.why.split(" beside")[0] for each in unheard(clauses, said)] == [
        "it names a figure", "it changes what another clause says",
    ]  # fmt: skip


_PLAIN = (
    "SERVICES AGREEMENT\n\nbetween Northlight Home Ltd, a company registered in England (hereinafter referred "
    "to as the "
    '"Purchaser") and Quay Ltd ("Provider").\n\n'
    "Term. This Agreement shall, subject to Section 9, remain in full force and effect for a period of five years.\n\n"
    "4. Payment\n4.1 Invoiced fees are due net thirty (30) days from the invoice date.\n"
    "4.2 Overdue fees bear interest at the lesser of 1.5% per month or the maximum rate permitted by law.\n\n"
    "5. Liability\n5.1 Subject to Section 5.2, the aggregate liability of Provider shall not exceed the total amount "
    "paid by Purchaser in the twelve months preceding the claim.\n\n"
    "6. Ending\n6.1 The Purchaser may terminate this Agreement at any time subject to 30 days' notice in writing.\n"
)


@pytest.mark.parametrize("width", [0, 40, 72])
def test_ordinary_english_is_read_the_same_wherever_its_lines_are_broken(width: int) -> None:
    text = "\n".join("\n".join(wrap(line, width)) for line in _PLAIN.splitlines()) if width else _PLAIN
    said = read(split(text).clauses, parties_of(text, "Northlight Home"), "services")
    assert {each.measure: each.number for each in said} == {
        "initial_term": 60, "payment_days": 30, "late_interest": 18, "liability_cap": 100, "convenience_notice": 30,
    }  # fmt: skip
    assert all(each.quote in text for each in said)


def test_what_cannot_be_told_is_left_to_a_person() -> None:
    words = "Late payments bear interest at 3% above the base rate of the bank."
    (found,) = [each for each in read(split(f"1. Clause\n{words}\n").clauses, US, "other") if "late" in each.measure]
    assert (found.number, found.word, found.why) == (None, "", "it rests on a rate that changes")


def test_who_is_who_is_said_at_the_top() -> None:
    found = parties_of('between Harbour Ltd ("the Company") and Quay Ltd ("the Agency")', "Harbour Ltd")
    assert found.who("The Company pays the Agency") == "ours"
    assert found.who("The Agency pays the Company") == "theirs"
    folder = parties_of('between Quay Ltd, a New York company ("Provider"), and Harbour Ltd ("Customer")', "new")
    assert folder.who("Provider names each new processor") == "theirs"
    assert found.who("Neither party pays") == "both"


def test_quantities_in_words_and_digits() -> None:
    assert digits("forty-five days, two hundred and ten") == "45 days, 210"
    assert [each.days for each in durations("30 days and 2 weeks")] == [30, 14]
    assert [amount for amount, _ in amounts("GBP 2 million, EUR 1.250.000, 500 USD")] == [2e6, 1.25e6, 500]


def test_how_far_a_value_is_from_what_is_preferred() -> None:
    preferred, fallback, limit = map(position, ("at least 45 days", "at least 30 days", "at least 14 days"))
    assert preferred is not None
    standings = [standing_of(days, "", preferred, fallback, limit) for days in (45, 30, 14, 13)]
    assert standings == ["preferred", "fallback", "limit", "beyond"]
    law = position("Scotland; Ireland")
    assert law is not None
    assert law.takes(None, "ireland")
    assert not law.takes(None, "France")
    with pytest.raises(ValueError, match="no number"):
        position("at least some")


@pytest.mark.parametrize(
    ("words", "measure"),
    [
        ("Invoices are paid within thirty (90) days of receipt.", "payment_days"),
        ("Invoices are paid no earlier than 30 days and no later than ninety days after receipt.", "payment_days"),
        ("The Supplier's liability is limited to one half of the annual fees.", "liability_cap"),
        ("The Supplier may raise prices by 3% or the change in the CPI, whichever is greater.", "price_increase"),
        ("Invoices for goods are due within 60 days, invoices for services within 20 days.", "payment_days"),
        (
            "The Supplier's liability is limited to the lower of 200% of the annual fees and GBP 80,000.",
            "liability_cap",
        ),
        ("Availability is 99.5% by day and 97% at all other times.", "availability"),
        (
            "The Supplier may not assign this agreement without consent, except to the purchaser of its business.",
            "assignment",
        ),
        (
            "Except for data breaches, for which liability is limited to EUR 10,000, the Supplier's liability "
            "shall not "
            "exceed the fees of the six months before.",
            "liability_cap",
        ),
        ("30% of the price is payable on order, and the balance within 60 days of the invoice.", "payment_days"),
        ("The fees are fixed for the first 12 months.", "price_increase"),
        (
            "The Supplier may name the Customer as a client on its website, but a press release needs prior approval.",
            "publicity",
        ),
        (
            "Confidential information is kept secret for one year, and technical information for five years.",
            "confidentiality",
        ),
        (
            "The Customer may terminate without cause with 30 days' notice in the first year and with 120 days' notice "
            "later.",
            "convenience_notice",
        ),
    ],
)
def test_a_number_that_is_not_all_that_is_said_is_none(words: str, measure: str) -> None:
    found = read(split(f"Contract\n\n1. Clause\n{words}\n").clauses, US, "services")
    assert [(each.number, bool(each.why)) for each in found if each.measure == measure] == [(None, True)]


@pytest.mark.parametrize(
    "words",
    ["After a second reminder a reminder fee of EUR 30 falls due within 7 days.",
     "The Buyer may leave on six months' notice, or on 30 days' notice where prices rise.",
     "Records are kept for six years."],
)  # fmt: skip
def test_other_numbers_are_neither_read_nor_doubted(words: str) -> None:
    assert read(split(f"Contract\n\n1. Reminder fee\n{words}\n").clauses, US, "services") == []


def test_a_short_sentence_with_a_number_is_no_heading() -> None:
    (clause,) = split("1. PAYMENT\n1.1 Invoices are payable within 10 days. All else is said below.\n").clauses[1:]
    assert clause.text.startswith("Invoices")


def test_what_a_model_says_is_borne_out_in_the_unit_of_the_measure() -> None:
    quote = "The goods are guaranteed for two years; the law of Denmark applies."
    assert bears_out("warranty", 24, "", quote)
    assert not bears_out("warranty", 2, "", quote)  # two months would be another thing
    assert not bears_out("warranty", 36, "", quote)
    assert bears_out("governing_law", None, "Denmark", quote)
    assert not bears_out("governing_law", None, "England and Wales", quote)
    assert not bears_out("assignment", None, "as we like", quote)
    assert not bears_out("assignment", None, "consent", "The Supplier may assign this agreement to whom it likes.")


def test_the_language_of_a_clause_can_be_told() -> None:
    german = "Der Lieferant haftet f\u00fcr die Sch\u00e4den, die von ihm und von den Gehilfen verursacht werden."
    assert language_of(german) == "de"
    assert language_of("Rechnung, 30 Tage") == ""
