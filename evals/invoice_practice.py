"""Layouts that choices were made on. The report is made on others (`invoice_unseen.py`)."""

import random
from collections.abc import Callable

from tests.paper import A4, LETTER, Text, pdf, right

from evals.invoice_countries import PRACTICE, WORDS
from evals.invoice_facts import Facts, facts, spaced

Said = Callable[[str], str]


def sample(rng: random.Random) -> tuple[bytes, Facts]:
    """One invented invoice, and what it says."""
    what = facts(rng, rng.choice(PRACTICE))
    words = {key: rng.choice(each) for key, each in WORDS[what.country.code].items()}

    def said(key: str) -> str:
        return words[key].replace("{rate}", str(what.rate))

    layout = rng.choice((classic, letter, modern, compact))
    return pdf([layout(what, said, rng)], LETTER if what.country.code == "US" else A4), what


def classic(f: Facts, said: Said, rng: random.Random) -> list[Text]:
    """Name on top left, title on the right, data in two columns, table, sums on the right, footer."""
    t = [Text(50, 60, f.seller.name, 16, True), Text(50, 76, f"{f.seller.street}, {f.seller.city}", 8)]
    t += [right(545, 62, said("invoice"), 20, True), Text(50, 140, said("to"), 9, True)]
    t += _block(50, 153, (f.buyer.name, f.buyer.street, f.buyer.city))
    t += _pairs(360, 470, 140, _data(f, said), ":")
    y = _table(t, f, said, 240, (50, 330, 400, 470, 545))
    y = _sums(t, f, said, y + 20, 400, 545)
    return t + _footer(f, said, 800)


def letter(f: Facts, said: Said, rng: random.Random) -> list[Text]:
    """As letters in an envelope with a window: a small line of the sender's, the address, data on the right."""
    t = [right(545, 50, f.seller.name, 13, True), right(545, 64, f"www.{f.seller.domain}", 8)]
    t.append(Text(60, 130, f"{f.seller.name} · {f.seller.street} · {f.seller.city}", 6.5))
    t += _block(60, 148, (f.buyer.name, f.buyer.street, f.buyer.city))
    t.append(Text(60, 250, f"{said('invoice')}", 14, True))
    t += _pairs(360, 545, 150, _data(f, said), "", aligned=True)
    y = _table(t, f, said, 285, (60, 320, 395, 470, 545))
    y = _sums(t, f, said, y + 14, 360, 545)
    return t + _footer(f, said, 790)


def modern(f: Facts, said: Said, rng: random.Random) -> list[Text]:
    """Labels above their values in a band."""
    t = [Text(50, 80, said("invoice"), 26, True), right(545, 70, f.seller.name, 11, True)]
    t += [
        right(545, 84, f.seller.street, 8),
        right(545, 95, f.seller.city, 8),
        right(545, 106, f"info@{f.seller.domain}", 8),
    ]
    for number, (label, value) in enumerate(_data(f, said)[:4]):
        t += [Text(50 + 128 * number, 150, label, 8, True), Text(50 + 128 * number, 163, value, 9)]
    t.append(Text(50, 200, said("to"), 8, True))
    t += _block(50, 213, (f.buyer.name, f.buyer.street, f.buyer.city))
    y = _table(t, f, said, 290, (50, 340, 410, 475, 545))
    y = _sums(t, f, said, y + 25, 380, 545)
    return t + _footer(f, said, 770)


def compact(f: Facts, said: Said, rng: random.Random) -> list[Text]:
    """A till's or small trader's bill: everything on the left, label and value in one run."""
    t = [Text(70, 60, f.seller.name, 12, True), Text(70, 73, f.seller.street), Text(70, 85, f.seller.city)]
    t.append(Text(70, 97, f"{said('vat')}: {f.seller.vat}" if f.seller.vat else f"{f.seller.domain}"))
    y = 125
    for label, value in _data(f, said):
        t.append(Text(70, y, f"{label}: {value}"))
        y += 13
    t.append(Text(70, y + 12, f"{said('to')}: {f.buyer.name}"))
    y = _table(t, f, said, y + 45, (70, 300, 380, 450, 520))
    y = _sums(t, f, said, y + 10, 300, 520)
    if f.seller.iban:
        t.append(Text(70, y + 40, f"{said('bank')}: IBAN {spaced(f.seller.iban)}"))
    t.append(Text(70, y + 53, f"{f.seller.name}, {f.seller.domain}"))
    return t


def _data(f: Facts, said: Said) -> list[tuple[str, str]]:
    found = [
        (said("number"), f.number),
        (said("date"), f.on(f.issued)),
        (said("due"), f.on(f.due)),
        (said("customer"), f.customer),
    ]
    if f.order:
        found.append((said("order"), f.order))
    if "delivery_note" in f.traps:
        found.insert(0, (said("note"), f"L{f.customer}"))
    found.append((said("delivered"), f.on(f.delivered)))
    return found


def _block(x: float, y: float, lines: tuple[str, ...]) -> list[Text]:
    return [Text(x, y + 12 * number, line) for number, line in enumerate(lines)]


def _pairs(x: float, to: float, y: float, data: list[tuple[str, str]], mark: str, aligned: bool = False) -> list[Text]:
    found = []
    for number, (label, value) in enumerate(data):
        found.append(Text(x, y + 13 * number, label + mark))
        found.append(right(to, y + 13 * number, value) if aligned else Text(to, y + 13 * number, value))
    return found


def _table(t: list[Text], f: Facts, said: Said, y: float, at: tuple[float, ...]) -> float:
    t += [Text(at[0], y, said("text"), 9, True), right(at[2] - 10, y, said("quantity"), 9, True)]
    t += [right(at[3], y, said("price"), 9, True), right(at[4], y, said("sum"), 9, True)]
    for line in f.lines:
        y += 16
        t += [Text(at[0], y, line.text), right(at[2] - 10, y, str(line.quantity))]
        t += [right(at[3], y, f.money(line.price, False)), right(at[4], y, f.money(line.total, False))]
    return y


def _sums(t: list[Text], f: Facts, said: Said, y: float, x: float, to: float) -> float:
    rows = (
        [(said("net"), f.net), (said("tax"), f.tax), (said("total"), f.total)] if f.rate else [(said("total"), f.total)]
    )
    if "wrong_sum" in f.traps:
        rows = [(label, value + 10 if number == 0 else value) for number, (label, value) in enumerate(rows)]
    if "prepaid" in f.traps:
        rows += [(said("paid"), -f.net / 2), (said("left"), f.total - f.net / 2)]
    for number, (label, value) in enumerate(rows):
        bold = number == len(rows) - 1
        t += [Text(x, y + 15 * number, label, 9, bold), right(to, y + 15 * number, f.money(value), 9, bold)]
    return y + 15 * len(rows)


def _footer(f: Facts, said: Said, y: float) -> list[Text]:
    y = min(y, 770) if f.country.code == "US" else y
    t = [Text(50, y, f"{f.seller.name} · {f.seller.street} · {f.seller.city}", 7)]
    if f.seller.iban:
        t.append(Text(50, y + 10, f"IBAN {spaced(f.seller.iban)} · {said('vat')} {f.seller.vat}", 7))
    t.append(Text(50, y + 20, f"info@{f.seller.domain} · www.{f.seller.domain}", 7))
    if "two_accounts" in f.traps and f.seller.iban:
        t.append(Text(320, y + 10, f"IBAN {spaced(f.buyer.iban)}", 7))
    return t
