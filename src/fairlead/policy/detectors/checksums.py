"""Check digits: whether a number or code holds by the arithmetic of a published standard."""

from collections.abc import Iterable
from typing import Final

_ZERO = ord("0")
_DOUBLED: Final = bytes.maketrans(b"0123456789", b"0246813579")  # twice each digit, the digits of that summed


def luhn_holds(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: every second digit from the right doubled, its digits summed; the sum ends in 0."""
    data = digits.encode("ascii")
    return (sum(data[-1::-2]) + sum(data[-2::-2].translate(_DOUBLED)) - _ZERO * len(data)) % 10 == 0


def mod97_holds(code: str) -> bool:
    """ISO 7064 mod 97-10, over a code whose first four characters are moved to the end (ISO 13616)."""
    return int("".join(str(int(c, 36)) for c in code[4:] + code[:4])) % 97 == 1


def mod11_10_holds(digits: str) -> bool:
    """ISO 7064, hybrid system mod 11,10; the last digit checks the others."""
    product = 10
    for digit in digits[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def mod11_2_holds(code: str) -> bool:
    """ISO 7064 mod 11-2; the last character, X for ten, checks the digits before it."""
    total = 0
    for digit in code[:-1]:
        total = (total + int(digit)) * 2
    return (12 - total % 11) % 11 == (10 if code[-1] in "Xx" else int(code[-1]))


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


_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def bech32_holds(text: str) -> bool:
    """Bech32 (BIP 173) or Bech32m (BIP 350): a BCH code over the human-readable part and the data after the last 1."""
    readable, _, data = text.rpartition("1")
    values = [ord(c) >> 5 for c in readable] + [0] + [ord(c) & 31 for c in readable]
    state = 1
    for value in values + [_BECH32.index(c) for c in data]:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            state ^= generator * (top >> bit & 1)
    return state in (1, 0x2BC830A3)


def weighted(digits: Iterable[str], weights: Iterable[int]) -> int:
    """The sum of the digits, each times its weight. Raises ValueError where there are not as many of both."""
    return sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=True))


def digits_of(text: str) -> str:
    """The decimal digits of a text, nothing else."""
    return "".join(c for c in text if c in "0123456789")


def is_date(month: int, day: int) -> bool:
    """Whether some year has that day: most identity numbers begin with a date of birth."""
    return 1 <= month <= 12 and 1 <= day <= (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
