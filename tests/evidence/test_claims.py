"""Claims held against pieces: borne out, contradicted, or left open."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.evidence import Pieces, supported
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


@given(st.lists(st.text(max_size=60) | st.sampled_from(["no 3 days", "two days not", "a b c d 4 days"]), max_size=4))
@settings(max_examples=15, deadline=None)
def test_every_claim_has_a_verdict(texts: list[str]) -> None:
    pieces = [piece(text, f"page{number}") for number, text in enumerate(texts)]
    for claim in texts:
        assert supported(claim, pieces).verdict in ("supported", "contradicted", "unclear")
