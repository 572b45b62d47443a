import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.policy.detectors import checksums, money, national_ids, randomness
from fairlead.policy.detectors.entry import Check

VALID = [
    (money.payment_card, "4111 1111 1111 1111"),
    (money.payment_card, "5555555555554444"),
    (money.payment_card, "3782 822463 10005"),
    (money.payment_card, "6011-1111-1111-1117"),
    (money.payment_card, "2223.0031.2200.3222"),
    (money.iban, "DE89 3704 0044 0532 0130 00"),
    (money.iban, "GB82WEST12345698765432"),
    (money.iban, "FR1420041010050500013M02606"),
    (national_ids.us_ssn, "123-45-6789"),
    (national_ids.de_tax_id, "86095742719"),
    (national_ids.nl_bsn, "111222333"),
    (national_ids.es_dni, "12345678Z"),
    (national_ids.es_dni, "X1234567L"),
    (national_ids.fr_nir, "1 84 12 76 451 089 46"),
    (national_ids.uk_nino, "AB 12 34 56 C"),
    (national_ids.br_cpf, "529.982.247-25"),
    (national_ids.in_aadhaar, "2341 2341 2346"),
    (national_ids.it_codice_fiscale, "RSSMRA85T10A562S"),
    (national_ids.ch_ahv, "756.9217.0769.85"),
    (national_ids.be_national_number, "85.07.30-033.28"),
    (national_ids.se_personnummer, "811228-9874"),
]
INVALID = [
    (money.payment_card, "4111 1111 1111 1112"),
    (money.payment_card, "4444444444444444444"),
    (money.payment_card, "1234 5678 9012 3456"),
    (money.iban, "DE88 3704 0044 0532 0130 00"),
    (money.iban, "DE89 3704 0044"),
    (national_ids.us_ssn, "666-45-6789"),
    (national_ids.us_ssn, "123-00-6789"),
    (national_ids.de_tax_id, "12345678901"),
    (national_ids.uk_nino, "GB 12 34 56 C"),
    (national_ids.br_cpf, "111.111.111-11"),
    (randomness.password, "changeme1"),
    (randomness.password, "${SECRET_1}"),
    (randomness.random_token, "thisisjustsomeplaintext"),
]


@pytest.mark.parametrize(("check", "text"), VALID)
def test_a_valid_number_passes_its_check(check: Check, text: str) -> None:
    assert check(text) == len(text)


@pytest.mark.parametrize(("check", "text"), INVALID)
def test_a_look_alike_fails_its_check(check: Check, text: str) -> None:
    assert check(text) == 0


def test_what_follows_a_number_is_left_out() -> None:
    assert money.payment_card("4111 1111 1111 1111 123") == 19
    assert money.iban("DE89 3704 0044 0532 0130 00 EUR") == 27


@given(st.integers(0, 10**11), st.integers(0, 10), st.integers(1, 9))
def test_verhoeff_finds_every_single_wrong_digit(number: int, place: int, change: int) -> None:
    digits = f"{number:011d}"
    whole = next(digits + str(last) for last in range(10) if checksums.verhoeff_holds(digits + str(last)))
    wrong = whole[:place] + str((int(whole[place]) + change) % 10) + whole[place + 1 :]
    assert not checksums.verhoeff_holds(wrong)
