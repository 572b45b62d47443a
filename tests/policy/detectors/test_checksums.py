import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.policy.detectors import checksums

VALID = [
    (checksums.payment_card, "4111 1111 1111 1111"),
    (checksums.payment_card, "5555555555554444"),
    (checksums.payment_card, "3782 822463 10005"),
    (checksums.payment_card, "6011-1111-1111-1117"),
    (checksums.payment_card, "2223.0031.2200.3222"),
    (checksums.iban, "DE89 3704 0044 0532 0130 00"),
    (checksums.iban, "GB82WEST12345698765432"),
    (checksums.iban, "FR1420041010050500013M02606"),
    (checksums.us_ssn, "123-45-6789"),
    (checksums.de_tax_id, "86095742719"),
    (checksums.nl_bsn, "111222333"),
    (checksums.es_dni, "12345678Z"),
    (checksums.es_dni, "X1234567L"),
    (checksums.fr_nir, "1 84 12 76 451 089 46"),
    (checksums.uk_nino, "AB 12 34 56 C"),
    (checksums.br_cpf, "529.982.247-25"),
    (checksums.in_aadhaar, "2341 2341 2346"),
    (checksums.it_codice_fiscale, "RSSMRA85T10A562S"),
    (checksums.ch_ahv, "756.9217.0769.85"),
    (checksums.be_national_number, "85.07.30-033.28"),
    (checksums.se_personnummer, "811228-9874"),
]
INVALID = [
    (checksums.payment_card, "4111 1111 1111 1112"),
    (checksums.payment_card, "4444444444444444444"),
    (checksums.payment_card, "1234 5678 9012 3456"),
    (checksums.iban, "DE88 3704 0044 0532 0130 00"),
    (checksums.iban, "DE89 3704 0044"),
    (checksums.us_ssn, "666-45-6789"),
    (checksums.us_ssn, "123-00-6789"),
    (checksums.de_tax_id, "12345678901"),
    (checksums.uk_nino, "GB 12 34 56 C"),
    (checksums.br_cpf, "111.111.111-11"),
    (checksums.password, "changeme1"),
    (checksums.password, "${SECRET_1}"),
    (checksums.random_token, "thisisjustsomeplaintext"),
]


@pytest.mark.parametrize(("check", "text"), VALID)
def test_a_valid_number_passes_its_check(check: checksums.Check, text: str) -> None:
    assert check(text) == len(text)


@pytest.mark.parametrize(("check", "text"), INVALID)
def test_a_look_alike_fails_its_check(check: checksums.Check, text: str) -> None:
    assert check(text) == 0


def test_what_follows_a_number_is_left_out() -> None:
    assert checksums.payment_card("4111 1111 1111 1111 123") == 19
    assert checksums.iban("DE89 3704 0044 0532 0130 00 EUR") == 27


@given(st.integers(0, 10**11), st.integers(0, 10), st.integers(1, 9))
def test_verhoeff_finds_every_single_wrong_digit(number: int, place: int, change: int) -> None:
    digits = f"{number:011d}"
    whole = next(digits + str(last) for last in range(10) if checksums.verhoeff_holds(digits + str(last)))
    wrong = whole[:place] + str((int(whole[place]) + change) % 10) + whole[place + 1 :]
    assert not checksums.verhoeff_holds(wrong)
