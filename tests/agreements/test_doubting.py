"""What was read is doubted where something takes a part of it back, and nowhere else."""

import pytest

from fairlead.agreements import Parties, doubted, is_in_another_language, read, split, unheard
from fairlead.agreements.clauses import LONGEST_SENTENCE
from fairlead.agreements.references import above, named, placed

US = Parties(("client", "customer"), ("supplier", "provider"))


def _whys(text: str, measure: str) -> list[str]:
    """Why each reading of a measure is doubted; "" for one that is not."""
    clauses = split(text).clauses
    said = doubted(read(clauses, US, "services"), clauses)
    return [each.why for each in said if each.measure == measure]


@pytest.mark.parametrize(
    ("measure", "words", "why"),
    [
        ("liability_cap", "The Supplier's liability is limited to 300% of the annual Fees, but where data is lost it "
         "shall not exceed one month's Fees.", "it has an exception"),
        ("payment_days", "Invoices are payable within 60 days, save that invoices for expenses are payable at once.",
         "it has an exception"),
        ("convenience_notice", "The Customer may terminate for convenience on 30 days' notice and shall in that event "
         "pay all Fees for the remainder of the Term.", "ending it seems to cost something"),
        ("convenience_notice", "Either party may terminate without cause on 60 days' notice once thirty months have "
         "passed.", "it seems to be possible only after a long time"),
        ("price_increase", "The Supplier may increase the Charges by up to 2% each quarter.",
         "prices may rise more than once a year"),
        ("subprocessors", "The Supplier shall not engage a sub-processor without consent, other than a host.",
         "it has an exception"),
        ("assignment", "Neither party may assign this Agreement without consent. A change of control is not an "
         "assignment.", "another sentence of its clause"),
        ("confidentiality", "The duties of this clause, which is about confidential information, last for five years, "
         "but in respect of prices only until the end of this Agreement.", "it has an exception"),
        ("warranty", "The Goods are warranted for two years. The warranty lapses if they are moved.",
         "another sentence of its clause"),
        ("renewal_notice", "It renews for one year at a time unless it is cancelled in the sixth month before its end.",
         "until when the renewal can be stopped"),
        ("liability_cap", "The Supplier's total liability shall not exceed EUR 500,000, save for loss of data, for "
         "which it has no liability.", "it has an exception"),
        ("liability_cap", "The Supplier's total liability is limited to what its insurance pays, at most EUR 500,000.",
         "it rests on what insurance pays"),
        ("liability_cap", "The Supplier's liability is limited to 250% of the annual Fees over the entire term.",
         "it counts for all years together"),
        ("convenience_notice", "The Customer may cancel for convenience on 30 days' notice, and the advance is "
         "forfeited.", "it says 'forfeited'"),
        ("payment_days", "Invoices are payable within 60 days, without any deduction, except invoices for licences, "
         "which are payable at once.", "it has an exception"),
        ("indemnity", "Subject to clause 14.3 the Supplier shall indemnify the Customer.",
         "it is subject to clause 14.3, which was not found"),
    ],
)  # fmt: skip
def test_a_part_that_is_taken_back_is_doubted(measure: str, words: str, why: str) -> None:
    found = _whys(f"Contract\n\n1. Clause\n{words}\n", measure)
    assert any(each.startswith(why) for each in found), found


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("liability_cap", "Except for fraud, the Supplier's liability shall not exceed 200% of the annual Fees."),
        ("payment_days", "Unless otherwise agreed, the Customer pays within 45 days of the invoice, save where it is "
         "disputed."),
        ("convenience_notice", "The Customer may terminate for convenience on 30 days' notice and pays for work "
         "performed until then. Either party may terminate at once for a material breach."),
        ("price_increase", "The Supplier may increase the Charges by up to 2% a year."),
        ("payment_days", "Invoices are payable within 60 days, except that the Customer may deduct 2% if it pays "
         "within 10 days."),
        ("assignment", "Neither party may assign this Agreement without consent, which shall not be unreasonably "
         "withheld."),
        ("governing_law", "This Agreement is governed by the laws of Ireland, excluding its conflict of law rules."),
        ("non_solicit", "The Client shall not solicit the Supplier's staff for 12 months, except by adverts."),
    ],
)  # fmt: skip
def test_what_every_contract_says_beside_it_is_not_doubted(measure: str, words: str) -> None:
    assert _whys(f"Contract\n\n1. Clause\n{words}\n", measure) == [""]


def test_a_clause_elsewhere_that_changes_one_is_held_against_that_and_no_other() -> None:
    text = (
        "Contract\n\n1. Transfer\n(a) Neither party may assign this Agreement without the consent of the other.\n"
        "(b) The Supplier shall indemnify the Customer.\n\n2. Law\nEnglish law applies to this Agreement.\n\n"
        "3. General\nClause 1(a) does not apply to an assignment to lenders.\n"
    )
    (read_first, changed) = _whys(text, "assignment")
    assert (read_first, changed.partition(" (line")[0]) == ("", "it is changed by 3 General")
    assert _whys(text, "indemnity") == _whys(text, "governing_law") == [""]


def test_a_clause_that_another_is_subject_to_is_looked_up() -> None:
    text = (
        "Contract\n\n1. Liability\n1.1 Subject to clause 1.2, the Supplier's liability is limited to 200% of the "
        "annual Fees.\n1.2 {}\n"
    )
    assert _whys(text.format("Nothing limits liability for fraud."), "liability_cap") == [""]
    assert "it is subject to clause 1.2" in _whys(
        text.format("For lost data it does not exceed GBP 500."), "liability_cap"
    )


def test_one_harmless_sentence_does_not_free_the_clause_that_another_is_subject_to() -> None:
    text = (
        "Contract\n\n1. Payment\nSubject to clause 2, the Customer pays each invoice within 60 days.\n\n"
        "2. Disputes\nA disputed invoice is not due. {}\n"
    )
    assert _whys(text.format("The parties shall meet to settle it."), "payment_days") == [""]
    assert "it is subject to clause 2" in _whys(
        text.format("Invoices for licences are payable at once."), "payment_days"
    )


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("Subject to the provisions of clause 9, it may act as it likes.", ["9"]),
        ("This is subject always to the terms of Section 9.2(b).", ["9.2(b)"]),
        ("This is subject to Article IV.", ["IV"]),
        ("Subject to clauses 3, 8(a) and 9, it pays.", ["3", "8(a)", "9"]),
        ("Subject to clauses 7 to 9, 30 days after delivery.", ["7", "8", "9"]),
        ("Subject to clauses 7-9 it pays.", ["7", "8", "9"]),
        ("Subject to clause 8 and 9 months' notice.", ["8"]),
        ("Subject to clause 9 and the Code of Conduct.", ["9"]),
        ("Subject to sections 2 and 36 of the Sale of Goods Act 1979.", []),
        ("Subject to Article 28 of the General Data Protection Regulation.", []),
    ],
)
def test_what_a_text_is_subject_to_is_heard_however_it_is_worded(words: str, numbers: list[str]) -> None:
    assert above(words) == numbers


def test_a_length_of_time_is_no_clause() -> None:
    assert named("The period of notice ends in 12 months.") == named("The rate rises in 1.5 years.") == []
    assert named("The period stated in clause 3(a)(i) is two months.") == ["3(a)(i)"]


def test_parts_stand_in_the_parts_above_them() -> None:
    text = "Contract\n\n3. Payment\n(a) w\n(i) w\n(ii) w\n(b) w\n(i) w\n4. Law\n(h) w\n(i) w\n(j) w\n"
    paths = [each.path for each in placed(split(text).clauses)]
    assert paths[2:] == ["3(a)", "3(a)(i)", "3(a)(ii)", "3(b)", "3(b)(i)", "4", "4(h)", "4(i)", "4(j)"]


def test_special_conditions_of_a_schedule_doubt_what_they_speak_of() -> None:
    text = (
        "Contract\n\n1. Payment\nThe Customer pays each invoice within 60 days.\n\n2. Law\nEnglish law applies.\n\n"
        "SCHEDULE 2: SPECIAL CONDITIONS\nA. Orders for kitchens are paid for when they are placed.\n"
    )
    assert [each.partition(",")[0] for each in _whys(text, "payment_days")] == ["", "special terms speak of it"]
    assert _whys(text, "governing_law") == [""]
    clauses = split(text).clauses
    assert [each.clause.text[:6] for each in unheard(clauses, read(clauses, US, "services"))] == ["Orders"]


def test_a_sentence_in_another_language_is_found_between_english_ones() -> None:
    both, english = split(
        "Contract\n\n1. Payment\nThe Customer shall pay each invoice within 45 days. Der Kunde zahlt jede Rechnung "
        "innerhalb von 7 Tagen, und zwar ohne Abzug.\n\n2. Law\nThe law of England governs this Agreement.\n"
    ).clauses[1:]
    assert is_in_another_language(both)
    assert not is_in_another_language(english)


@pytest.mark.parametrize(
    "words",
    [
        "E-mail: legal@acme.com; e-mail: cfo@acme.com.",
        "Non-solicitation, non-compete and non-disclosure apply.",
        "If we do not do so, do it yourself.",
    ],
)
def test_english_with_words_of_other_languages_in_it_is_english(words: str) -> None:
    assert not is_in_another_language(split(f"Contract\n\n1. Clause\n{words}\n").clauses[-1])


def test_a_version_in_another_language_that_prevails_goes_to_a_person() -> None:
    clauses = split("Contract\n\n1. General\nThe German version of this Agreement prevails.\n").clauses
    assert [each.why for each in unheard(clauses, [])] == [
        "what counts is a text in another language, and no rule read that"
    ]


def test_a_sentence_without_end_is_read_in_parts_and_put_before_a_person() -> None:
    text = "1. Payment\nthe Customer shall pay the invoice within 30 days except for goods or " + "some " * 2000
    clauses = split(text).clauses
    said = doubted(read(clauses, US, "services"), clauses)
    assert all(each.quote in text and len(each.quote) <= LONGEST_SENTENCE for each in said)
    assert "the sentence is too long for any rule" in [each.why for each in said]
