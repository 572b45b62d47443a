"""Claims held against pieces, and pieces against each other: borne out, contradicted, or left open."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.evidence import Conflict, Pieces, conflicts, supported
from fairlead.models.types import Passage


def piece(text: str, name: str = "refunds") -> Passage:
    return Passage(f"{name}@0123456789ab", "", text)


RULES = piece(
    "Refunds are paid within 14 days after a return. Refunds above 500 euros are approved by two managers. "
    "Vouchers may not be refunded. The office opens at noon."
)


@pytest.mark.parametrize(
    ("claim", "verdict", "how"),
    [
        ("Refunds are paid within 14 days.", "supported", ""),
        ("Refunds above 500 euros are approved by two managers.", "supported", ""),
        ("We reimburse within 14 days after the return.", "supported", ""),
        ("Refunds are paid within 30 days after a return.", "contradicted", "number"),
        ("Refunds above 500 euros are approved by three managers.", "contradicted", "number"),
        ("Vouchers may be refunded.", "contradicted", "denial"),
        ("The office closes at noon.", "contradicted", "opposite"),
        ("Refunds are paid in gold.", "unclear", ""),
        ("Parking in Lyon costs nothing.", "unclear", ""),
        ("Refunds are paid within 14 days in 2019.", "unclear", ""),
    ],
)
def test_a_claim_is_borne_out_contradicted_or_left_open(claim: str, verdict: str, how: str) -> None:
    found = supported(claim, [RULES])
    assert (found.verdict, found.how) == (verdict, how)


def test_only_the_pieces_that_are_cited_bear_a_claim_out() -> None:
    pieces = Pieces([RULES, piece("Parking costs two euros an hour.", "parking")])
    assert pieces.check("Parking costs two euros an hour.", [1]).piece == 1
    assert pieces.check("Parking costs two euros an hour.", [0]).verdict == "unclear"
    assert pieces.check("Parking costs two euros an hour.", []).verdict == "unclear"


def test_pieces_that_cannot_both_be_true_are_found_and_conditions_keep_silent() -> None:
    other = piece("Refunds are paid within 30 days after the return. Ask Ann.", "faq")
    expected = Conflict(
        0,
        1,
        "Refunds are paid within 14 days after a return.",
        "Refunds are paid within 30 days after the return.",
        "number",
    )
    assert conflicts([RULES, other]) == [expected]
    assert (
        conflicts([piece("Used gift vouchers may not be refunded."), piece("Used gift vouchers may be refunded.")])[
            0
        ].how
        == "denial"
    )
    assert not conflicts([RULES, piece("Vouchers may be refunded unless they are used.", "gifts")])
    assert not conflicts([RULES, RULES])
    assert not conflicts([piece("It takes 3 days. It takes 4 days.")])


@given(st.lists(st.text(max_size=60) | st.sampled_from(["no 3 days", "two days not", "a b c d 4 days"]), max_size=4))
@settings(max_examples=15, deadline=None)
def test_nothing_contradicts_itself(texts: list[str]) -> None:
    pieces = [piece(text, f"page{number}") for number, text in enumerate(texts)]
    assert not conflicts([each for text in texts[:1] for each in (piece(text), piece(text, "copy"))])
    for claim in texts:
        assert supported(claim, pieces).verdict in ("supported", "contradicted", "unclear")


def test_many_sentences_that_are_all_alike_are_not_all_compared() -> None:
    same = [
        piece("\n\n".join(f"Form {number} is due within {number} days of it." for number in range(300)), f"p{n}")
        for n in (1, 2)
    ]
    assert len(conflicts(same)) <= 50
