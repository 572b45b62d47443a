"""The arithmetic of the numbers by which states know people, as each state or its law publishes it."""

from collections import Counter

from fairlead.policy.detectors.checksums import (
    digits_of,
    is_date,
    luhn_holds,
    mod11_2_holds,
    mod11_10_holds,
    verhoeff_holds,
    weighted,
)

# ---- the Americas -----------------------------------------------------------------------------------------------


def us_ssn(text: str) -> int:
    """no range that the Social Security Administration never issues"""
    digits = digits_of(text)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    issued = area not in ("000", "666") and group != "00" and serial != "0000"
    taxpayer = area < "900" or "50" <= group <= "99"  # from 900 on: taxpayers who have no social security number
    return len(text) if issued and taxpayer and text[3] == text[6] else 0


def us_ssn_named(text: str) -> int:
    """no range that the Social Security Administration never issues, any separators"""
    digits = digits_of(text)
    return len(text) if us_ssn(f"{digits[:3]}-{digits[3:5]}-{digits[5:]}") else 0


def ca_sin(text: str) -> int:
    """Luhn, and no first digit that is not given out"""
    digits = digits_of(text)
    return len(text) if luhn_holds(digits) and digits[0] not in "08" else 0


def br_cpf(text: str) -> int:
    """two check digits, each a weighted sum modulo 11"""
    digits = digits_of(text)
    held = all(weighted(digits[:size], range(size + 1, 1, -1)) * 10 % 11 % 10 == int(digits[size]) for size in (9, 10))
    return len(text) if held and len(set(digits)) > 1 else 0


def cl_rut(text: str) -> int:
    """weights 2 to 7 from the right, modulo 11, K for ten"""
    digits = digits_of(text[:-1])
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(digits)))
    return len(text) if "0K987654321"[total % 11] == text[-1].upper() else 0


def ar_cuit(text: str) -> int:
    """weights 5 4 3 2 7 6 5 4 3 2 1, the sum divisible by 11"""
    return len(text) if weighted(digits_of(text), (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0 else 0


_CURP = "0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"


def mx_curp(text: str) -> int:
    """a date, and weights 18 to 2, modulo 10"""
    total = sum((18 - place) * _CURP.index(c) for place, c in enumerate(text[:17]))
    return len(text) if -total % 10 == int(text[17]) and is_date(int(text[6:8]), int(text[8:10])) else 0


# ---- Europe -----------------------------------------------------------------------------------------------------


def de_tax_id(text: str) -> int:
    """ISO 7064 mod 11,10; of the first ten digits exactly one occurs two or three times"""
    digits = digits_of(text)
    repeated = [count for count in Counter(digits[:10]).values() if count > 1]
    return len(text) if repeated in ([2], [3]) and mod11_10_holds(digits) else 0


def nl_bsn(text: str) -> int:
    """weights 9 to 2 and -1, the sum divisible by 11"""
    digits = digits_of(text)
    return len(text) if weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and len(set(digits)) > 1 else 0


def es_dni(text: str) -> int:
    """the letter is the number modulo 23; X, Y, Z stand for 0, 1, 2"""
    number = str("XYZ".find(text[0])) + text[1:] if text[0] in "XYZ" else text
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits_of(number)) % 23]
    return len(text) if text[-1] == letter else 0


def fr_nir(text: str) -> int:
    """97 minus the number modulo 97; 2A and 2B stand for 19 and 18"""
    code = "".join(c for c in text if c.isalnum()).replace("2A", "19").replace("2B", "18")
    return len(text) if 97 - int(code[:13]) % 97 == int(code[13:]) else 0


def uk_nino(text: str) -> int:
    """no prefix that HMRC does not allocate"""
    return 0 if text[:2] in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ") else len(text)


def uk_nhs(text: str) -> int:
    """weights 10 to 1, the sum divisible by 11"""
    return len(text) if weighted(digits_of(text), range(10, 0, -1)) % 11 == 0 else 0


_CODICE_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def it_codice_fiscale(text: str) -> int:
    """odd and even places weighed differently, modulo 26 gives the last letter"""
    places = [int(c) if c.isdigit() else ord(c) - 65 for c in text[:15].upper()]
    total = sum(_CODICE_ODD[p] for p in places[::2]) + sum(places[1::2])
    return len(text) if total % 26 == ord(text[15].upper()) - 65 else 0


def ch_ahv(text: str) -> int:
    """the check digit of EAN-13"""
    return len(text) if weighted(digits_of(text), (1, 3) * 6 + (1,)) % 10 == 0 else 0


def be_national_number(text: str) -> int:
    """97 minus the number modulo 97, with a 2 before it for those born from 2000 on"""
    digits = digits_of(text)
    expected = int(digits[9:])
    return len(text) if expected in (97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97) else 0


def se_personnummer(text: str) -> int:
    """a date, with 60 added to the day of a coordination number, and Luhn"""
    digits = digits_of(text)
    return len(text) if is_date(int(digits[2:4]), int(digits[4:6]) % 60) and luhn_holds(digits) else 0


def no_fodselsnummer(text: str) -> int:
    """a date, and two check digits, each a weighted sum modulo 11"""
    digits = digits_of(text)
    held = (
        weighted(digits[:10], (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
        and weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    )
    return len(text) if held and is_date(int(digits[2:4]), int(digits[:2]) % 40) else 0


def fi_hetu(text: str) -> int:
    """a date, and the number modulo 31 as the last character"""
    digits = digits_of(text[:10])
    held = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(digits) % 31] == text[10]
    return len(text) if held and is_date(int(digits[2:4]), int(digits[:2])) else 0


def dk_cpr(text: str) -> int:
    """a date; there has been no check digit since 2007"""
    digits = digits_of(text)
    return len(text) if is_date(int(digits[2:4]), int(digits[:2])) else 0


def pl_pesel(text: str) -> int:
    """a date, with the century in its month, and weights 1 3 7 9, the sum divisible by 10"""
    held = weighted(text, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0
    return len(text) if held and is_date(int(text[2:4]) % 20, int(text[4:6])) else 0


def pt_nif(text: str) -> int:
    """weights 9 to 2, modulo 11"""
    digits = digits_of(text)
    rest = weighted(digits[:8], range(9, 1, -1)) % 11
    return len(text) if (0 if rest < 2 else 11 - rest) == int(digits[8]) else 0


def cz_rodne_cislo(text: str) -> int:
    """a date, with 50 added to the month for women, the number divisible by 11"""
    digits = digits_of(text)
    held = int(digits) % 11 == 0 and is_date(int(digits[2:4]) % 50 % 20, int(digits[4:6]))
    return len(text) if held else 0


def ro_cnp(text: str) -> int:
    """a date, and weights 2 7 9 1 4 6 3 5 8 2 7 9, modulo 11"""
    held = weighted(text[:12], (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11 % 10 == int(text[12])
    return len(text) if held and is_date(int(text[3:5]), int(text[5:7])) else 0


def tr_tckn(text: str) -> int:
    """two check digits: over odd and even places, and over all ten before"""
    numbers = [int(c) for c in text]
    tenth = (sum(numbers[0:9:2]) * 7 - sum(numbers[1:8:2])) % 10
    return len(text) if tenth == numbers[9] and sum(numbers[:10]) % 10 == numbers[10] else 0


# ---- Asia, Africa, Australia ------------------------------------------------------------------------------------


def in_aadhaar(text: str) -> int:
    """Verhoeff over twelve digits"""
    return len(text) if verhoeff_holds(digits_of(text)) else 0


def cn_resident_id(text: str) -> int:
    """a date, and ISO 7064 mod 11-2"""
    return len(text) if mod11_2_holds(text) and is_date(int(text[10:12]), int(text[12:14])) else 0


def kr_rrn(text: str) -> int:
    """a date; there has been no check digit since 2020"""
    return len(text) if is_date(int(text[2:4]), int(text[4:6])) else 0


def tw_id(text: str) -> int:
    """the letter as two digits, weights 1 9 8 7 6 5 4 3 2 1 1, the sum divisible by 10"""
    code = str("ABCDEFGHJKLMNPQRSTUVXYWZIO".index(text[0]) + 10) + text[1:]
    return len(text) if weighted(code, (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)) % 10 == 0 else 0


def hk_id(text: str) -> int:
    """letters as 10 to 35, weights 9 to 1, the sum divisible by 11"""
    code = "".join(c for c in text if c.isalnum()).rjust(9)
    values = [36 if c == " " else int(c, 36) for c in code]
    return len(text) if sum((9 - place) * value for place, value in enumerate(values)) % 11 == 0 else 0


def sg_nric(text: str) -> int:
    """weights 2 7 6 5 4 3 2, an offset for those issued from 2000 on, modulo 11 gives the last letter"""
    rest = (weighted(text[1:8], (2, 7, 6, 5, 4, 3, 2)) + (4 if text[0] in "TG" else 0)) % 11
    return len(text) if ("JZIHGFEDCBA" if text[0] in "ST" else "XWUTRQPNMLK")[rest] == text[8] else 0


def za_id(text: str) -> int:
    """a date, and Luhn"""
    return len(text) if luhn_holds(text) and is_date(int(text[2:4]), int(text[4:6])) else 0


def au_tfn(text: str) -> int:
    """weights 1 4 3 7 5 8 6 9 10, the sum divisible by 11"""
    return len(text) if weighted(digits_of(text), (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0 else 0


def au_medicare(text: str) -> int:
    """weights 1 3 7 9, modulo 10 gives the ninth digit"""
    digits = digits_of(text)
    return len(text) if weighted(digits[:8], (1, 3, 7, 9) * 2) % 10 == int(digits[8]) and digits[0] in "23456" else 0


# ---- anywhere ---------------------------------------------------------------------------------------------------


def _machine_digit(field: str) -> str:
    values = (0 if c == "<" else int(c, 36) for c in field)
    return str(sum(value * (7, 3, 1)[place % 3] for place, value in enumerate(values)) % 10)


def passport_line(text: str) -> int:
    """the check digits of ICAO 9303 over number, birth and expiry"""
    return len(text) if all(_machine_digit(text[a:b]) == text[b] for a, b in ((0, 9), (13, 19), (21, 27))) else 0


def passport(text: str) -> int:
    """5 digits or more"""
    return len(text) if len(digits_of(text)) >= 5 else 0


def licence(text: str) -> int:
    """5 to 19 letters and digits, of them 4 digits or more"""
    kept = sum(c.isalnum() for c in text)
    return len(text) if 5 <= kept <= 19 and len(digits_of(text)) >= 4 else 0
