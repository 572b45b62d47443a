"""How a person or a machine is reached: mail, telephone, network addresses; and the date of birth."""

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from fairlead.policy.detectors.checksums import digits_of, is_date
from fairlead.policy.detectors.entry import Entry


def phone(text: str) -> int:
    """8 to 15 digits in all (ITU-T E.164), not all the same"""
    digits = digits_of(text)
    return len(text) if 8 <= len(digits) <= 15 and len(set(digits)) > 2 else 0


def announced_phone(text: str) -> int:
    """7 to 15 digits in all (ITU-T E.164), not all the same, no date, no round number"""
    digits = digits_of(_EXTENDED.sub("", text))
    plausible = 7 <= len(digits) <= 15 and len(set(digits)) > 2 and not digits.endswith("0000")
    return len(text) if plausible and not _DATED.match(text) else 0


_EXTENDED = re.compile(r" ?(?:x|ext\.?) ?\d+$")
_DATED = re.compile(
    r"(?:19|20)\d\d[ ./-]\d\d?[ ./-]\d\d?\b|\d\d?[ ./-]\d\d?[ ./-](?:19|20)\d\d\b|(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d"
)


def ipv4(text: str) -> int:
    """four numbers up to 255, of a public network; small numbers throughout are a version or a section"""
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return 0
    return len(text) if address.is_global and max(address.packed) >= 32 else 0


def ipv6(text: str) -> int:
    """the text form of RFC 4291, of global unicast (2000::/3)"""
    try:
        return len(text) if IPv6Address(text).packed[0] >> 5 == 1 else 0
    except AddressValueError:
        return 0


def url(text: str) -> int:
    """a host of two labels or more; the punctuation of the sentence is left out"""
    kept = text.rstrip(".,;:!?'*)]")
    return len(kept) if _HOST.match(kept) else 0


_HOST = re.compile(r"(?i)(?:[a-z]+://)?(?:[^\s/@]*@)?(?:[^\s/.:@]+\.)+[^\s/.:@]{2,}")


def date_of_birth(text: str) -> int:
    """a day that some year has"""
    numbers = [int(each) for each in re.findall(r"\d+", text)]
    if len(numbers) < 3:
        return len(text) if 1 <= min(numbers) <= 31 else 0
    first, second, third = numbers[:3]
    dated = is_date(second, third) if first > 31 else is_date(first, second) or is_date(second, first)
    return len(text) if dated else 0


_EXTENSION = r"(?: ?(?:x|ext\.?) ?\d{1,6})?"
_NANP = rf"(?:\+?1[ .-])?(?:\([2-9]\d{{2}}\) ?|\b[2-9]\d{{2}}[ .-])\d{{3}}[ .-]\d{{4}}{_EXTENSION}\b"
_GROUPS = r"\d(?:[ .()/-]{0,2}\d){6,14}"
# Only this is looked for first, not the words as well: a scan that keeps in mind that it has seen one of them, over
# all that follows, has far more states than fit into a processor's cache.
_SEVEN = r"\d(?:[ .()/-]{0,2}\d){6}"
_LINE = (
    r"(?:phone|telephone|tel|mobile|cell|cellphone|fax|whatsapp|hotline|landline|pager|handy|telefon|téléphone|teléfono"
    r"|cellulare)"
)
_WHERE = r"(?:desk|office|work|home)"
_REACHED = r"(?:me|us|him|her|them|you|back|at|on|under)"
_CALL = (
    rf"(?i)\b(?:(?:{_LINE}|(?:my|his|her|their|our|your|contact|registered)(?: [a-z]{{1,12}})? number|call|dial|ring"
    rf"|(?:text|reach|contact) {_REACHED}(?: {_REACHED})?)\b|{_WHERE}(?: (?:no|number)\.?)? ?[:#])"
)
_OF_WHOM = r",? is (?:my|his|her|their|our|the) (?:[a-z]{1,12} )?"
_MARK = rf"(?:[ -]{{0,3}}[-(,]\s?|{_OF_WHOM})(?:{_LINE}|{_WHERE}|number)\b"
_DAY = r"\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}[./-]\d{1,2}[./-]\d{1,2}"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_BIRTH = (
    r"born|birth ?(?:date|day)|date of birth|dob|d\.o\.b|geburtsdatum|geboren|née?|fecha de nacimiento|nacid[oa]"
    r"|data di nascita|nat[oa]"
)
_IN_WORDS = rf"\d{{1,2}}(?:st|nd|rd|th|\.)?(?: of)? {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}"

_NAME = r"[A-Z\u00c0-\u00de\u0141\u0160\u017d][A-Za-z\u00c0-\u024f'\u2019-]{1,30}"
_TITLE = r"(?i:mr|mrs|ms|mx|miss|dr|prof|herrn?|frau|madame|monsieur)\.? "
_ADDRESSED = (
    rf"\b{_TITLE}|\b(?:Dear|Hi|Hello|Liebe|Lieber|Hallo) (?:{_TITLE})?"
    r"|\b(?i:name|customer|contact|patient|kunde|kundin|signed|cc) ?: ?"
    r"|\b(?i:regards|sincerely|gr\u00fc\u00dfen|gr\u00fc\u00dfe),?\n{1,2}"
)
_NOBODY = frozenset(("sir", "madam", "team", "all", "customer", "colleague", "colleagues", "everyone", "support"))


def guessed_name(text: str) -> int:
    """Nobody is called `Sir` or `Team`, and no form of address is a part of a name."""
    return 0 if text.partition(" ")[0].lower().rstrip(".") in _NOBODY else len(text)


ENTRIES: Final = (
    Entry("email", "email", "addresses of electronic mail",
          r"\b[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}\b", None,
          r"[A-Za-z0-9._%+-]@[A-Za-z0-9-]"),
    Entry("phone_international", "phone", "telephone numbers with a country code after +",
          rf"\+[1-9]\d{{0,2}}(?:[ .-]?\(0\))?(?:[ .-]?\(?\d{{1,4}}\)?){{2,7}}{_EXTENSION}\b", phone,
          r"\+[1-9][0-9 .(-]"),
    Entry("phone_north_america", "phone", "telephone numbers of the North American plan, grouped 3-3-4",
          _NANP, phone, r"\d{3}\)?[ .-]?\d{3}[ .-]\d{4}"),
    Entry("phone_france", "phone", "telephone numbers in pairs of digits, as in France",
          r"\b0[1-9](?:[ .-]\d{2}){4}\b", phone),
    Entry("phone_trunk", "phone", "telephone numbers that begin with a trunk 0",
          r"(?:\(0[1-9]\d{0,4}\) ?|\b0[1-9]\d{1,4}[ /-])\d{2,4}(?:[ -]\d{2,5}){1,3}\b|\b0[1-9] \d{3,4}[ -]\d{3,4}\b",
          phone, r"\b0[1-9]\d{0,4}\)?[ /-]?\d"),
    Entry("phone_dialled", "phone", "telephone numbers that begin with 00 or 011 and a country code",
          rf"\b0(?:0|11)[ .-]?[1-9]\d{{0,2}}(?:[ .-]\(?\d{{2,4}}\)?){{2,5}}{_EXTENSION}\b", phone,
          r"\b0(?:0|11)[ .-]?[1-9]"),
    Entry("phone_announced", "phone", "any telephone number after words such as `phone`, `fax` or `call me at`",
          rf"{_CALL}[^0-9\n+(]{{0,40}}?(?P<value>(?:\+|\()?{_GROUPS}{_EXTENSION})\b", announced_phone,
          _SEVEN),
    Entry("phone_marked", "phone", "any telephone number before words such as `-fax` or `is my number`",
          rf"(?i)(?P<value>(?:\(|\b){_GROUPS}{_EXTENSION}){_MARK}", announced_phone,
          _SEVEN),
    Entry("ipv4_address", "ip_address", "public IPv4 addresses",
          r"\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b", ipv4),
    Entry("ipv6_address", "ip_address", "global IPv6 addresses",
          r"\b[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}\b", ipv6,
          r"\b[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]"),
    Entry("mac_address", "mac_address", "hardware addresses of network cards",
          r"\b[0-9A-Fa-f]{2}(?:(?:-[0-9A-Fa-f]{2}){5}|(?::[0-9A-Fa-f]{2}){5})\b"),
    Entry("date_of_birth", "date_of_birth", "dates after words such as `born` or `date of birth`",
          rf"(?i)\b(?:{_BIRTH})\b[^0-9\n]{{0,30}}?\b(?P<value>{_DAY}|{_IN_WORDS})\b", date_of_birth,
          rf"(?i)\b(?:{_BIRTH})\b"),
    # Off, because it guesses: what stands behind a form of address is mostly a name.
    Entry("guessed_name", "guessed_name", "names behind a form of address, a greeting or `Name:`, guessed by these",
          rf"(?:{_ADDRESSED})(?P<value>{_NAME}(?: {_NAME}){{0,2}})", guessed_name, rf"(?:{_ADDRESSED})", on=False),
    # Off, because most texts with sources have some, and an address of a page is seldom about a person.
    Entry("url", "url", "addresses of web pages",
          r"(?i)\b(?:(?:https?|ftp)://|www\.)[^\s<>\"`{}|\\^]{4,}", url, r"(?i)\b(?:https?://|ftp://|www\.)", on=False),
)  # fmt: skip
