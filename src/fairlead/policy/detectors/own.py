"""The detectors of a workspace's own, and the checks that it may name for them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from fairlead.errors import BadInput
from fairlead.policy.detectors import contact, money, randomness
from fairlead.policy.detectors.checksums import (
    digits_of,
    luhn_holds,
    mod11_2_holds,
    mod11_10_holds,
    mod97_holds,
    verhoeff_holds,
)
from fairlead.policy.detectors.detector import Detector
from fairlead.policy.detectors.entry import Check
from fairlead.policy.patterns import bounded
from fairlead.policy.settings import DetectorSetting


def _over_digits(holds: Callable[[str], bool]) -> Check:
    def check(text: str) -> int:
        digits = digits_of(text)
        return len(text) if digits and holds(digits) else 0

    check.__doc__ = holds.__doc__
    return check


def _mod97(text: str) -> int:
    """ISO 7064 mod 97-10, over a code whose first four characters are moved to the end (ISO 13616)."""
    code = "".join(c for c in text.upper() if c.isascii() and c.isalnum())
    return len(text) if len(code) > 4 and mod97_holds(code) else 0


def _mod11_2(text: str) -> int:
    """ISO 7064 mod 11-2; the last character, X for ten, checks the digits before it."""
    code = digits_of(text[:-1]) + text[-1].upper()
    return len(text) if len(code) > 1 and code[-1] in "0123456789X" and mod11_2_holds(code) else 0


CHECKS: Final[dict[str, Check]] = {
    "luhn": _over_digits(luhn_holds),
    "mod97": _mod97,
    "mod11_10": _over_digits(mod11_10_holds),
    "mod11_2": _mod11_2,
    "verhoeff": _over_digits(verhoeff_holds),
    "payment_card": money.payment_card,
    "iban": money.iban,
    "phone": contact.phone,
    "random": randomness.random_token,
    "password": randomness.password,
}
"""What may stand under `checksum:`."""


def own(settings: Iterable[DetectorSetting]) -> Iterator[Detector]:
    """A workspace's detectors. Raises BadInput naming the detector."""
    for each in settings:
        if each.checksum and each.checksum not in CHECKS:
            raise BadInput(
                f"detector {each.name!r}: there is no checksum {each.checksum!r}",
                mend="use one of " + ", ".join(sorted(CHECKS)),
            )
        pattern = bounded(each.pattern, f"detector {each.name!r}")
        yield Detector(each.name, each.category, pattern, CHECKS.get(each.checksum))
