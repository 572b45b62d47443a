"""What invented bills of many kinds say: who, to whom, how much, as written in some twenty countries. No layout is here
(`invoice_kinds.py` and `invoice_kinds_aside.py` have them)."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from tests.paper import Text, right

from evals.invoice_facts import CENT, Party, digits, iban, spaced, written

Page = list[Text]

_PLACES: Final = {
    "DE": "EUR;€;1.234,50;%d.%m.%Y;19;GmbH|AG|GmbH & Co. KG;Talbrück|Nordkamm|Wiesenthal;Metallbau|Druck|Gartenbau;"
    "Birkenallee 7|Am Hang 12;50667 Köln|90402 Nürnberg;Regal verzinkt|Montage|Anfahrt|Kleinmaterial;DE#########;22",
    "AT": "EUR;€;1.234,50;%d.%m.%Y;20;GmbH|KG;Alpgau|Donauhof;Holzbau|Kaffee;Ringstraße 4|Mühlgasse 9;"
    "1010 Wien|5020 Salzburg;Bretter|Zustellung|Espresso 1 kg|Beratung;ATU########;20",
    "CH": "CHF;CHF;1'234.50;%d.%m.%Y;8;AG|GmbH;Seefeld|Jurablick;Optik|Velo;Bahnhofstrasse 3|Seeweg 21;"
    "8001 Zürich|3011 Bern;Linse|Service|Ersatzteil|Arbeit;CHE#########;21",
    "FR": "EUR;€;1 234,50;%d/%m/%Y;20;SARL|SAS;Clairmont|Valserine;Peinture|Imprimerie;12 rue des Tilleuls|4 quai Est;"
    "69003 Lyon|44000 Nantes;Affiche A2|Pose|Livraison atelier|Papier couché;FR###########;27",
    "NL": "EUR;€;1.234,50;%d-%m-%Y;21;B.V.;Duinrand|Waterland;Techniek|Drukkerij;Kade 8|Molenweg 31;"
    "3011 AB Rotterdam|9711 LM Groningen;Onderhoud|Kabel|Arbeidsuren|Monteur;NL#########B01;18",
    "BE": "EUR;€;1.234,50;%d/%m/%Y;21;BV|NV;Scheldehof|Ardenna;Bouw|Tuinen;Kerkstraat 5|Markt 18;"
    "2000 Antwerpen|9000 Gent;Haag snoeien|Tegels|Vervoer|Plaatsing;BE0#########;16",
    "IT": "EUR;€;1.234,50;%d/%m/%Y;22;S.r.l.|S.p.A.;Montechiaro|Lagonero;Ceramiche|Impianti;Via Roma 14|Corso Italia 3;"
    "20121 Milano|40121 Bologna;Piastrelle|Posa in opera|Collanti|Trasferta;IT###########;27",
    "ES": "EUR;€;1.234,50;%d/%m/%Y;21;S.L.|S.A.;Costaverde|Riosol;Reformas|Conservas;Calle Mayor 9|Avenida Sur 40;"
    "28013 Madrid|46002 Valencia;Pintura|Mano de obra|Material|Transporte de obra;ESB########;24",
    "PT": "EUR;€;1 234,50;%d/%m/%Y;23;Lda|S.A.;Serralva|Marfino;Mobiliário|Azulejos;Rua Direita 6|Travessa Nova 2;"
    "1100-148 Lisboa|4000-322 Porto;Cadeira|Mesa|Montagem|Verniz;PT#########;25",
    "PL": "PLN;zł;1 234,50;%d.%m.%Y;23;Sp. z o.o.|S.A.;Wislanka|Borowik;Meble|Instal;ul. Lipowa 7|ul. Polna 15;"
    "00-950 Warszawa|30-001 Kraków;Krzeslo|Montaz|Blat|Dojazd;PL##########;28",
    "CZ": "CZK;Kč;1 234,50;%d.%m.%Y;21;s.r.o.|a.s.;Vltavín|Horník;Dřevo|Servis;Dlouhá 8|Na Příkopě 3;"
    "110 00 Praha|602 00 Brno;Deska|Práce|Doprava zboží|Lak;CZ########;24",
    "HU": "HUF;Ft;1 234,50;%Y.%m.%d.;27;Kft.|Zrt.;Balatonfa|Tiszahíd;Bútor|Nyomda;Fő utca 12|Kossuth tér 4;"
    "1052 Budapest|6720 Szeged;Asztal|Szerelés|Polc|Csavar;HU########;28",
    "HR": "EUR;€;1.234,50;%d.%m.%Y.;25;d.o.o.;Jadranka|Velebit;Gradnja|Servis;Ilica 20|Riva 2;"
    "10000 Zagreb|21000 Split;Popravak|Materijal|Rad|Prijevoz robe;HR###########;21",
    "RO": "RON;lei;1.234,50;%d.%m.%Y;19;SRL;Carpatin|Dunarea;Mobila|Tipografie;Str. Lunga 11|Bd. Unirii 5;"
    "030167 Bucuresti|400001 Cluj-Napoca;Scaun|Montaj|Hartie|Servicii;RO########;24",
    "DK": "DKK;kr;1.234,50;%d-%m-%Y;25;A/S|ApS;Havnegård|Lyngby;Teknik|Møbler;Nygade 3|Havnevej 14;"
    "8000 Aarhus C|2100 København Ø;Stol|Montering|Kørsel|Reservedel;DK########;18",
    "SE": "SEK;kr;1 234,50;%Y-%m-%d;25;AB;Björkvik|Norrsken;Teknik|Snickeri;Storgatan 4|Hamngatan 22;"
    "111 47 Stockholm|411 06 Göteborg;Arbete|Material|Resa|Skruv;SE############;24",
    "NO": "NOK;kr;1 234,50;%d.%m.%Y;25;AS;Fjordlys|Granheim;Elektro|Bygg;Strandgata 5|Kirkeveien 9;"
    "0150 Oslo|5003 Bergen;Arbeid|Kabel|Oppmøte|Materiell;NO#########MVA;15",
    "FI": "EUR;€;1 234,50;%d.%m.%Y;24;Oy|Oyj;Koivula|Saimaan;Huolto|Paino;Rantatie 6|Kauppakatu 10;"
    "00100 Helsinki|33100 Tampere;Huoltotyö|Varaosa|Matka|Öljy;FI########;18",
    "GB": "GBP;£;1,234.50;%d/%m/%Y;20;Ltd|LLP|Limited;Ashdown|Kingsmere;Plumbing|Print;4 Church Lane|19 Quay Street;"
    "York YO1 7HH|Cardiff CF10 1EP;Boiler part|Labour|Call out|Fittings;GB#########;22",
    "IE": "EUR;€;1,234.50;%d %B %Y;23;Ltd|DAC;Liffeyside|Burren;Software|Foods;8 Dock Road|2 Abbey Street;"
    "Dublin D02 X285|Cork T12 W8KP;Licence|Support|Training|Setup;IE#######WA;22",
    "US": "USD;$;1,234.50;%m/%d/%Y;8;LLC|Inc.;Cedar Ridge|Bluewater;Design|Roofing;210 Main St|77 Harbor Ave;"
    "Portland, OR 97201|Austin, TX 78701;Site visit|Shingles|Labor|Permit;##-#######;0",
    "CA": "CAD;$;1,234.50;%Y-%m-%d;5;Inc.|Ltd.;Maple Fork|Laurentide;Signs|Software;55 King St W|12 rue Sherbrooke;"
    "Toronto ON M5H 1A1|Montréal QC H2X 1Y4;Sign panel|Install|Licence|Support;######### RT0001;0",
    "AU": "AUD;$;1,234.50;%d/%m/%Y;10;Pty Ltd;Gumtree|Coralbay;Electrical|Coffee;9 Station St|3 Wattle Rd;"
    "Fremantle WA 6160|Carlton VIC 3053;Switchboard|Labour|Cable|Travel;## ### ### ###;0",
    "IN": "INR;Rs. ;12,34,567.50;%d-%m-%Y;18;Pvt Ltd|Private Limited;Sagarika|Deccan;Textiles|Systems;"
    "14 MG Road|2 Park Lane;"
    "Bengaluru 560001|Pune 411001;Cotton roll|Dyeing|Packing|Hosting;29AABC###4X1Z5;0",
}  # currency; sign; number; date; rate; legal forms; names; trades; streets; towns; articles; VAT number; IBAN's length


@dataclass(frozen=True)
class Bill:
    """What one bill says; `lines` are text, quantity and price each."""

    code: str
    currency: str
    sign: str
    style: str
    day: str
    rate: int
    seller: Party
    buyer: Party
    number: str
    order: str
    customer: str
    issued: date
    due: date
    lines: tuple[tuple[str, int, Decimal], ...]

    @property
    def net(self) -> Decimal:
        return sum((count * price for _, count, price in self.lines), Decimal(0))

    @property
    def tax(self) -> Decimal:
        return cents(self.net * self.rate / 100)

    @property
    def total(self) -> Decimal:
        return self.net + self.tax

    def plain(self, value: Decimal) -> str:
        return written(value, self.style)

    def money(self, value: Decimal) -> str:
        ahead = self.sign in ("$", "£", "Rs. ", "CHF") or self.code in ("NL", "IE")
        return (
            f"{self.sign}{'' if len(self.sign) != 3 else ' '}{self.plain(value)}"
            if ahead
            else f"{self.plain(value)} {self.sign}"
        )

    def on(self, value: date) -> str:
        return value.strftime(self.day)


def cents(value: Decimal) -> Decimal:
    """To the cent."""
    return value.quantize(CENT, ROUND_HALF_UP)


def bill(rng: random.Random, code: str) -> Bill:
    """One bill of a country."""
    said = _PLACES[code].split(";")
    currency, sign, style, day, rate = said[:5]
    seller, buyer = _firm(rng, code, said[5:]), _firm(rng, code, said[5:])
    while buyer.name.split()[0] == seller.name.split()[0]:
        buyer = _firm(rng, code, said[5:])
    issued = date(2025, 1, 1) + timedelta(days=rng.randint(0, 640))
    shape = rng.choice(("{4}", "{6}", "RE-{5}", "{y}-{4}", "{y}/{4}", "A{6}", "INV{5}"))
    number = shape.replace("{y}", str(issued.year))
    for count in (4, 5, 6):
        number = number.replace(f"{{{count}}}", digits(rng, count))
    articles = rng.sample(said[10].split("|"), rng.randint(2, 4))
    lines = tuple((text, rng.randint(1, 9), Decimal(rng.randint(350, 29_900)) / 100) for text in articles)
    due = issued + timedelta(days=rng.choice((10, 14, 30)))
    order, customer = f"B{digits(rng, 5)}", digits(rng, 5)
    return Bill(code, currency, sign, style, day, int(rate), seller, buyer, number, order, customer, issued, due, lines)


def _firm(rng: random.Random, code: str, said: Sequence[str]) -> Party:
    forms, names, trades, streets, cities = (each.split("|") for each in said[:5])
    first, trade = rng.choice(names), rng.choice(trades)
    vat = "".join(digits(rng, 1) if each == "#" else each for each in said[6])
    letters = {"GB": "NWBK", "IE": "AIBK", "NL": "INGB", "RO": "BTRL"}.get(code, "")
    account = iban(code, int(said[7]), letters)(rng) if int(said[7]) else ""
    plain = "".join(each for each in f"{first}{trade}".lower() if each.isascii() and each.isalpha())
    name = f"{first} {trade} {rng.choice(forms)}"
    return Party(name, rng.choice(streets), rng.choice(cities), vat, account, f"{plain}.{code.lower()}")


def truth(said: Bill, pages: Sequence[Page], other: dict[str, Any]) -> dict[str, Any]:
    """What should be read: accounts and VAT numbers only where they stand there, and `other` as the layout has it
    (None for what it does not print)."""
    text = " ".join(each.text for page in pages for each in page)
    found: dict[str, Any] = {
        "supplier": said.seller.name,
        "number": said.number,
        "date": said.issued.isoformat(),
        "currency": said.currency,
        "total": float(said.total),
        "net": float(said.net),
        "tax": float(said.tax),
        "iban": said.seller.iban if said.seller.iban and spaced(said.seller.iban) in text else None,
    } | other
    return {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in found.items()
        if value is not None
    }


def column(x: float, y: float, texts: Sequence[str], size: float = 9.0, step: float = 12.0) -> Page:
    """Texts under one another."""
    return [Text(x, y + step * number, text, size) for number, text in enumerate(texts) if text]


def pairs(x: float, to: float, y: float, rows: Sequence[tuple[str, str]], step: float = 13.0) -> Page:
    """Captions at `x`, and what belongs to each ending at `to`."""
    found: Page = []
    for number, (caption, value) in enumerate(rows):
        found += [Text(x, y + step * number, caption), right(to, y + step * number, value)]
    return found


def table(b: Bill, y: float, heads: Sequence[str], step: float = 13.0) -> Page:
    """What was bought: text, quantity, price and sum, under four heads."""
    found = [Text(50, y, heads[0], 8, True)]
    found += [right(x, y, head, 8, True) for x, head in zip((360, 450, 545), heads[1:], strict=True)]
    for number, (text, count, price) in enumerate(b.lines, 1):
        at = y + step * number + 3
        found += [Text(50, at, text), right(360, at, str(count)), right(450, at, b.plain(price))]
        found.append(right(545, at, b.plain(count * price)))
    return found
