"""Cards, accounts and wallets."""

import hashlib
import re
from typing import Final

from fairlead.policy.detectors.checksums import bech32_holds, digits_of, luhn_holds, mod97_holds, weighted
from fairlead.policy.detectors.entry import SEPARATOR, Entry, named

# Issuer ranges and lengths, ISO/IEC 7812 as the schemes publish them: first digits from, to, lengths.
_ISSUERS: Final[tuple[tuple[int, int, frozenset[int]], ...]] = tuple(
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
    """an issuer's range and length, Luhn, and separators as people set them"""
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
_IBAN_LENGTHS: Final = {
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


def iban(text: str) -> int:
    """the country's length, and ISO 7064 mod 97-10"""
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


def account_number(text: str) -> int:
    """6 to 17 digits, not all the same"""
    digits = digits_of(text)
    return len(text) if 6 <= len(digits) <= 17 and len(set(digits)) > 1 else 0


def routing_number(text: str) -> int:
    """the weights 3, 7, 1 of the ABA, the sum divisible by 10"""
    return len(text) if weighted(text, (3, 7, 1) * 3) % 10 == 0 and text.strip("0") else 0


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def base58_address(text: str) -> int:
    """Base58Check: 25 bytes, of which the last four begin the double SHA-256 of the others"""
    number = 0
    for character in text:
        number = number * 58 + _BASE58.index(character)
    if number >= 1 << 200:
        return 0
    data = number.to_bytes(25, "big")
    return len(text) if hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()[:4] == data[21:] else 0


def segwit_address(text: str) -> int:
    """the checksum of Bech32 or Bech32m (BIP 173, BIP 350)"""
    return len(text) if bech32_holds(text) else 0


def hex_address(text: str) -> int:
    """more than six kinds of digits"""
    return len(text) if len(set(text[2:].lower())) > 6 else 0


_ACCOUNT, _ACCOUNT_HINT = named(
    r"(?:bank )?(?:account|acct) ?(?:number|no|nr|num)|bank account|kontonummer|numéro de compte|número de cuenta",
    r"\d(?:[ -]?\d){5,16}",
)
_ROUTING, _ROUTING_HINT = named(r"routing ?(?:transit )?(?:number|no)?|aba(?: number)?", r"\d{9}")

ENTRIES: Final = (
    Entry("payment_card", "payment_card", "numbers of payment cards",
          rf"\b[1-68]\d{{2}}(?:{SEPARATOR}?\d){{9,16}}\b", payment_card, rf"\b[1-68](?:{SEPARATOR}?\d){{11}}"),
    Entry("iban", "iban", "international bank account numbers",
          rf"(?i)\b[A-Z]{{2}}\d{{2}}(?:{SEPARATOR}?[A-Z0-9]){{11,30}}\b", iban,
          rf"(?i)\b[A-Z]{{2}}\d{{2}}{SEPARATOR}?[A-Z0-9]{SEPARATOR}?[A-Z0-9]{SEPARATOR}?[A-Z0-9]"),
    Entry("bank_account", "bank_account", "account numbers after words such as `account number`",
          _ACCOUNT, account_number, _ACCOUNT_HINT),
    Entry("us_routing", "bank_account", "routing numbers of banks in the United States, after such words",
          _ROUTING, routing_number, _ROUTING_HINT),
    Entry("bitcoin_address", "crypto_address", "Bitcoin addresses in Base58",
          r"\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b", base58_address, r"\b[13][1-9A-HJ-NP-Za-km-z]{25}"),
    Entry("segwit_address", "crypto_address", "Bitcoin and Litecoin addresses in Bech32",
          r"\b(?:bc1|tb1|ltc1)[02-9ac-hj-np-z]{11,71}\b", segwit_address, r"\b(?:bc1|tb1|ltc1)[02-9ac-hj-np-z]{11}"),
    Entry("ethereum_address", "crypto_address", "Ethereum addresses",
          r"\b0x[0-9a-fA-F]{40}\b", hex_address, r"\b0x[0-9a-fA-F]{8}"),
)  # fmt: skip
