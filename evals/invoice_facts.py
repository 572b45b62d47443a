"""Invented invoices: who, to whom, what, when, how much, in the ways of several countries. No layout is here."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Country:
    """How invoices are written somewhere."""

    code: str
    currency: str
    signs: tuple[str, ...]
    number: str
    days: tuple[str, ...]
    months: tuple[str, ...]
    rates: tuple[int, ...]
    forms: tuple[str, ...]
    firsts: tuple[str, ...]
    trades: tuple[str, ...]
    streets: tuple[str, ...]
    cities: tuple[str, ...]
    articles: tuple[str, ...]
    vat: Callable[[random.Random], str]
    account: Callable[[random.Random], str]


@dataclass(frozen=True)
class Party:
    name: str
    street: str
    city: str
    vat: str
    iban: str
    domain: str


@dataclass(frozen=True)
class Line:
    text: str
    quantity: int
    price: Decimal

    @property
    def total(self) -> Decimal:
        return self.quantity * self.price


@dataclass(frozen=True)
class Facts:
    """What one invoice says."""

    country: Country
    seller: Party
    buyer: Party
    number: str
    order: str
    customer: str
    issued: date
    due: date
    delivered: date
    lines: tuple[Line, ...]
    rate: int
    sign: str
    day: str
    traps: frozenset[str] = field(default_factory=frozenset)

    @property
    def net(self) -> Decimal:
        return sum((line.total for line in self.lines), Decimal(0))

    @property
    def tax(self) -> Decimal:
        return (self.net * self.rate / 100).quantize(CENT, ROUND_HALF_UP)

    @property
    def total(self) -> Decimal:
        return self.net + self.tax

    def money(self, value: Decimal, signed: bool = True) -> str:
        text = written(value, self.country.number)
        if not signed or not self.sign:
            return text
        return f"{self.sign}{text}" if self.sign in ("$", "£", "US$") else f"{text} {self.sign}"

    def on(self, value: date) -> str:
        months = self.country.months
        said = self.day.replace("MMM", months[value.month - 1]) if "MMM" in self.day else self.day
        return value.strftime(said).replace(" 0", " ").removeprefix("0") if "MMM" in self.day else value.strftime(said)

    def truth(self) -> dict[str, object]:
        """The fields that should be read."""
        return {
            "supplier": self.seller.name,
            "vat": self.seller.vat or None,
            "iban": self.seller.iban or None,
            "number": self.number,
            "date": self.issued.isoformat(),
            "currency": self.country.currency,
            "total": float(self.total),
            "net": float(self.net),
            "tax": float(self.tax),
        }


def written(value: Decimal, number: str) -> str:
    """An amount: `number` is how 1234.5 would be written, as in `1.234,50`."""
    whole, _, cents = f"{value:.2f}".partition(".")
    thousands, mark = (number[1] if len(number) == 8 else ""), number[-3]
    minus, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    groups = []
    while len(digits) > 3 and thousands:
        digits, group = digits[:-3], digits[-3:]
        groups.append(group)
    return minus + thousands.join([digits, *reversed(groups)]) + mark + cents


def digits(rng: random.Random, count: int) -> str:
    return str(rng.randint(1, 9)) + "".join(str(rng.randint(0, 9)) for _ in range(count - 1))


def iban(country: str, length: int, letters: str = "") -> Callable[[random.Random], str]:
    """A maker of IBANs whose check digits hold."""

    def made(rng: random.Random) -> str:
        bban = letters + digits(rng, length - 4 - len(letters))
        number = int("".join(str(int(each, 36)) for each in f"{bban}{country}00"))
        return f"{country}{98 - number % 97:02d}{bban}"

    return made


def spaced(text: str) -> str:
    """In groups of four, as accounts are printed."""
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def party(rng: random.Random, country: Country) -> Party:
    first, trade, form = rng.choice(country.firsts), rng.choice(country.trades), rng.choice(country.forms)
    name = f"{first} {trade} {form}".replace("  ", " ").strip()
    plain = "".join(
        each for each in _ascii(f"{first}{'-' if rng.random() < 0.5 else ''}{trade}") if each.isalnum() or each == "-"
    )
    domain = f"{plain.lower()}.{'com' if rng.random() < 0.4 else _tld(country.code)}"
    street = (
        f"{rng.choice(country.streets)} {rng.randint(1, 180)}"
        if country.code not in ("US", "GB", "FR")
        else f"{rng.randint(1, 180)} {rng.choice(country.streets)}"
    )
    return Party(name, street, rng.choice(country.cities), country.vat(rng), country.account(rng), domain)


def facts(rng: random.Random, country: Country, traps: float = 0.15) -> Facts:
    """One invoice."""
    seller, buyer = party(rng, country), party(rng, country)
    while buyer.name == seller.name:
        buyer = party(rng, country)
    issued = date(2024, 1, 1) + timedelta(days=rng.randint(0, 900))
    lines = tuple(
        Line(text, rng.randint(1, 12), Decimal(rng.randint(199, 39_900)) / 100)
        for text in rng.sample(country.articles, rng.randint(1, min(6, len(country.articles))))
    )
    forms = (
        "{y}-{n4}",
        "INV-{n5}",
        "{n6}",
        "{n8}",
        "R{y2}{n5}",
        "{y}/{n4}",
        "F-{n4}-{y2}",
        "{n4}",
        "SI{n6}",
        "{a}{n7}",
    )
    shape = rng.choice(forms)
    number = (
        shape.replace("{y}", str(issued.year)).replace("{y2}", str(issued.year)[2:]).replace("{a}", rng.choice("ABCKX"))
    )
    for count in (4, 5, 6, 7, 8):
        number = number.replace(f"{{n{count}}}", digits(rng, count))
    names = ("prepaid", "wrong_sum", "buyer_vat", "two_accounts", "discount", "delivery_note")
    return Facts(
        country=country,
        seller=seller,
        buyer=buyer,
        number=number,
        order=rng.choice(("PO-", "45", "B", "")) + digits(rng, 6) if rng.random() < 0.7 else "",
        customer=digits(rng, 5),
        issued=issued,
        due=issued + timedelta(days=rng.choice((7, 14, 30, 45))),
        delivered=issued - timedelta(days=rng.randint(0, 20)),
        lines=lines,
        rate=rng.choice(country.rates),
        sign=rng.choice(country.signs),
        day=rng.choice(country.days),
        traps=frozenset(each for each in names if rng.random() < traps),
    )


def _tld(code: str) -> str:
    return {"GB": "co.uk", "US": "com"}.get(code, code.lower())


def _ascii(text: str) -> str:
    import unicodedata

    spelt = text.replace("ß", "ss").replace("ł", "l").replace("ø", "o").replace("æ", "ae").replace("å", "a")
    return "".join(each for each in unicodedata.normalize("NFKD", spelt) if each.isascii())
