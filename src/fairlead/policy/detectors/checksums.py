"""Checks that tell a real number or key from a chance look-alike.

Each check takes the text that a pattern matched and returns how many of its characters, from the start, are valid:
0 for none, fewer than all where the pattern swallowed some of what follows.
"""

import math
import re
from collections import Counter
from collections.abc import Callable

Check = Callable[[str], int]


def luhn_holds(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: every second digit from the right doubled, its digits summed; the sum ends in 0."""
    data = digits.encode("ascii")
    return (sum(data[-1::-2]) + sum(data[-2::-2].translate(_DOUBLED)) - _ZERO * len(data)) % 10 == 0


_ZERO = ord("0")
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")  # twice each digit, the digits of that summed


# Issuer ranges and lengths, ISO/IEC 7812 as the schemes publish them: first digits from, to, lengths.
_ISSUERS: tuple[tuple[int, int, frozenset[int]], ...] = tuple(
    (low, high, frozenset(lengths))
    for low, high, lengths in (
        (4, 4, (13, 16, 19)),
        (51, 55, (16,)),
        (2221, 2720, (16,)),
        (2200, 2204, range(16, 20)),
        (1800, 1800, (15,)),
        (2131, 2131, (15,)),
        (34, 34, (15,)),
        (37, 37, (15,)),
        (300, 305, range(14, 20)),
        (36, 36, range(14, 20)),
        (38, 39, range(16, 20)),
        (3528, 3589, range(16, 20)),
        (6011, 6011, range(16, 20)),
        (644, 659, range(16, 20)),
        (60, 60, (16,)),
        (81, 82, (16,)),
        (62, 62, range(16, 20)),
        (50, 50, range(12, 20)),
        (56, 58, range(12, 20)),
        (63, 63, range(12, 20)),
        (67, 67, range(12, 20)),
    )
)


def payment_card(text: str) -> int:
    """A card number: an issuer's range and length, Luhn, and separators as people set them."""
    spans = [each.span() for each in _DIGITS.finditer(text)]
    digits = "".join([text[start:end] for start, end in spans])
    sizes = [end - start for start, end in spans]
    for count in range(len(spans), 0, -1):
        if len(digits) < 12:
            break
        if (min(sizes[: count - 1], default=4) >= 3 or max(sizes[:count]) == 1) and _is_card(digits):
            return spans[count - 1][1]
        digits = digits[: -sizes[count - 1]]
    return 0


_DIGITS = re.compile("[0-9]+")


def _is_card(digits: str) -> bool:
    if not luhn_holds(digits) or len(set(digits)) == 1:
        return False
    return any(
        low <= int(digits[: len(str(low))]) <= high and len(digits) in lengths for low, high, lengths in _ISSUERS
    )


# Lengths of IBANs by country, from the SWIFT registry (ISO 13616).
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV", 29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip


def mod97_holds(code: str) -> bool:
    """ISO 7064 mod 97-10, over a code whose first four characters are moved to the end (ISO 13616)."""
    return int("".join(str(int(c, 36)) for c in code[4:] + code[:4])) % 97 == 1


def iban(text: str) -> int:
    """A bank account number: the country's length, and mod 97."""
    length = _IBAN_LENGTHS.get(text[:2].upper(), 0)
    end = kept = 0
    while kept < length:
        if end >= len(text):
            return 0
        kept += text[end].isascii() and text[end].isalnum()
        end += 1
    if end < len(text) and text[end].isascii() and text[end].isalnum():
        return 0
    code = "".join(c for c in text[:end] if c.isascii() and c.isalnum())
    return end if length and mod97_holds(code) else 0


def phone(text: str) -> int:
    """8 to 15 digits in all (ITU-T E.164), not all the same."""
    digits = _digits(text)
    return len(text) if 8 <= len(digits) <= 15 and len(set(digits)) > 2 else 0


def us_ssn(text: str) -> int:
    """The ranges that the Social Security Administration never issues are not numbers."""
    digits = _digits(text)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    issued = area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
    return len(text) if issued and text[3] == text[6] else 0


def de_tax_id(text: str) -> int:
    """Steuer-Identifikationsnummer: mod 11,10; of the first ten digits exactly one occurs two or three times."""
    digits = _digits(text)
    repeated = [count for count in Counter(digits[:10]).values() if count > 1]
    return len(text) if repeated in ([2], [3]) and mod11_10_holds(digits) else 0


def mod11_10_holds(digits: str) -> bool:
    """ISO 7064, hybrid system mod 11,10; the last digit checks the others."""
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def nl_bsn(text: str) -> int:
    """Burgerservicenummer: weights 9 to 2 and -1, the sum divisible by 11."""
    digits = _digits(text)
    total = sum(w * int(d) for w, d in zip((9, 8, 7, 6, 5, 4, 3, 2, -1), digits, strict=True))
    return len(text) if total % 11 == 0 and len(set(digits)) > 1 else 0


def es_dni(text: str) -> int:
    """DNI and NIE: the letter is the number modulo 23; X, Y, Z stand for 0, 1, 2."""
    number = str("XYZ".find(text[0])) + text[1:] if text[0] in "XYZ" else text
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[int(_digits(number)) % 23]
    return len(text) if text[-1] == letter else 0


def fr_nir(text: str) -> int:
    """Numéro d'inscription au répertoire: the key is 97 minus the number modulo 97; 2A and 2B stand for 19 and 18."""
    code = "".join(c for c in text if c.isalnum()).replace("2A", "19").replace("2B", "18")
    return len(text) if 97 - int(code[:13]) % 97 == int(code[13:]) else 0


def uk_nino(text: str) -> int:
    """National insurance number: prefixes that HMRC does not allocate are not numbers."""
    return 0 if text[:2] in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ") else len(text)


def br_cpf(text: str) -> int:
    """Cadastro de pessoas físicas: two check digits, each a weighted sum modulo 11."""
    digits = [int(d) for d in _digits(text)]
    if len(set(digits)) == 1:
        return 0
    for size in (9, 10):
        total = sum((size + 1 - i) * d for i, d in enumerate(digits[:size]))
        if total * 10 % 11 % 10 != digits[size]:
            return 0
    return len(text)


def verhoeff_holds(digits: str) -> bool:
    """Verhoeff's check over the dihedral group of order ten."""
    state = 0
    for place, digit in enumerate(reversed(digits)):
        state = _dihedral(state, _permuted(place, int(digit)))
    return state == 0


def _dihedral(a: int, b: int) -> int:
    if a < 5:
        return (a + b) % 5 if b < 5 else (a + b - 5) % 5 + 5
    return (a - 5 - b) % 5 + 5 if b < 5 else (a - b) % 5


def _permuted(place: int, digit: int) -> int:
    for _ in range(place % 8):
        digit = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[digit]
    return digit


def in_aadhaar(text: str) -> int:
    """Aadhaar: Verhoeff over twelve digits."""
    return len(text) if verhoeff_holds(_digits(text)) else 0


_CODICE_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


def it_codice_fiscale(text: str) -> int:
    """Codice fiscale: characters at odd and even places are weighed differently, modulo 26 gives the last letter."""
    places = [int(c) if c.isdigit() else ord(c) - 65 for c in text[:15].upper()]
    total = sum(_CODICE_ODD[p] for p in places[::2]) + sum(places[1::2])
    return len(text) if total % 26 == ord(text[15].upper()) - 65 else 0


def ch_ahv(text: str) -> int:
    """AHV number: the check digit of EAN-13."""
    digits = [int(d) for d in _digits(text)]
    return len(text) if (sum(digits[::2]) + 3 * sum(digits[1::2])) % 10 == 0 else 0


def be_national_number(text: str) -> int:
    """Rijksregisternummer: 97 minus the number modulo 97, with a 2 before it for those born from 2000 on."""
    digits = _digits(text)
    expected = int(digits[9:])
    return len(text) if expected in (97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97) else 0


def se_personnummer(text: str) -> int:
    """Personnummer: a date and Luhn; the day of a coordination number is raised by 60."""
    digits = _digits(text)
    dated = 1 <= int(digits[2:4]) <= 12 and 1 <= int(digits[4:6]) % 60 <= 31
    return len(text) if dated and luhn_holds(digits) else 0


def entropy(text: str) -> float:
    """Shannon's entropy of the characters, in bits each."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def random_token(text: str) -> int:
    """A value that a machine drew: letters and digits mixed, little repeated."""
    mixed = re.search("[0-9]", text) and re.search("[A-Za-z]", text)
    return len(text) if mixed and entropy(text) >= 3.2 and not _STAND_IN.search(text) else 0


def issued(text: str) -> int:
    """A key whose prefix already tells what it is: anything but the samples of handbooks."""
    return len(text) if entropy(text) >= 2.0 and not _STAND_IN.search(text) else 0


def password(text: str) -> int:
    """A value that someone chose as a password: two kinds of characters, no stand-in such as `changeme`."""
    kinds = sum(bool(re.search(kind, text)) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[^A-Za-z0-9]"))
    return len(text) if kinds >= 2 and entropy(text) >= 2.0 and not _STAND_IN.search(text) else 0


_STAND_IN = re.compile(
    r"(?i)example|placeholder|change_?me|redacted|dummy|your[_-]|x{4}|\*\*\*|\.\.\.|^\$|^%|^\{|^<|^\[|environ|getenv|process\.env"
    r"|^(?:none|null|true|false|string|undefined)\b|\($"
)


def _digits(text: str) -> str:
    return "".join(c for c in text if c in "0123456789")


def _all_or_nothing(holds: Callable[[str], bool], alphabet: str) -> Check:
    def check(text: str) -> int:
        kept = "".join(c for c in text.upper() if c in alphabet)
        return len(text) if kept and holds(kept) else 0

    return check


_DECIMAL = "0123456789"

BY_NAME: dict[str, Check] = {
    "luhn": _all_or_nothing(luhn_holds, _DECIMAL),
    "mod97": _all_or_nothing(mod97_holds, _DECIMAL + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "mod11_10": _all_or_nothing(mod11_10_holds, _DECIMAL),
    "verhoeff": _all_or_nothing(verhoeff_holds, _DECIMAL),
    "payment_card": payment_card,
    "iban": iban,
    "phone": phone,
    "random": random_token,
}
"""Checks that a workspace's own detector may name under `checksum:`."""
