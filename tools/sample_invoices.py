"""The invented invoices of the template `invoice-processing`: python tools/sample_invoices.py"""

import random
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from evals import invoice_practice, invoice_unseen
from evals.invoice_countries import DE, FR, GB, IT, NL, WORDS
from evals.invoice_facts import Facts, Line, Party
from tests.paper import pdf

TO = ROOT / "src/fairlead/workspace/solutions/invoice-processing/samples/invoices"

SELLERS = {
    "DE": Party(
        "Nordlicht Papier GmbH",
        "Hafenstraße 12",
        "20457 Hamburg",
        "DE811569869",
        "DE89370400440532013000",
        "nordlicht-papier.example",
    ),
    "GB": Party(
        "Harbour Tools Ltd",
        "7 Mill Lane",
        "Bristol BS1 5TR",
        "GB980780684",
        "GB29NWBK60161331926819",
        "harbourtools.example",
    ),
    "FR": Party(
        "Lumière Fournitures SARL",
        "3 quai du Port",
        "44000 Nantes",
        "FR40303265045",
        "FR1420041010050500013M02606",
        "lumiere-fournitures.example",
    ),
    "NL": Party(
        "Waterland Kantoor B.V.",
        "Havenweg 40",
        "3011 AB Rotterdam",
        "NL859364210B01",
        "NL91ABNA0417164300",
        "waterlandkantoor.example",
    ),
    "IT": Party(
        "Colosseo Grafica S.r.l.",
        "Via Roma 8",
        "40121 Bologna",
        "IT00743110157",
        "IT60X0542811101000000123456",
        "colosseografica.example",
    ),
}
BUYER = Party("Northlight Home Ltd", "1 Harbour Gate", "Leeds LS1 4AP", "", "", "northlight-home.example")
OTHER_ACCOUNT = "NL20INGB0001234567"


def main() -> None:
    """Write all of them."""
    made = {
        "first-one": (DE, "2026-0399", "PO-4717", "100.00", "classic", ()),
        "first-exception": (GB, "HT-2026-040", "PO-4718", "400.00", "letter", ()),
        "nordlicht-4711": (DE, "2026-0417", "PO-4711", "500.00", "classic", ()),
        "harbour-without-order": (GB, "HT-2026-031", "", "1000.00", "letter", ()),
        "lumiere-wrong-sum": (FR, "F-2026-88", "PO-4713", "290.00", "modern", ("wrong_sum",)),
        "waterland-other-account": (NL, "20260332", "PO-4714", "700.00", "classic", ("other_account",)),
        "harbour-posted-before": (GB, "HT-2025-118", "PO-4712", "200.00", "classic", ()),
        "colosseo-4715": (IT, "114/2026", "PO-4715", "1000.00", "parties", ()),
        "nordlicht-more-than-ordered": (DE, "2026-0502", "PO-4716", "300.00", "letter", ()),
    }
    for name, (country, number, order, net, layout, traps) in made.items():
        rng = random.Random(name)
        seller = SELLERS[country.code]
        if "other_account" in traps:
            seller = Party(seller.name, seller.street, seller.city, seller.vat, OTHER_ACCOUNT, seller.domain)
        facts = Facts(
            country=country,
            seller=seller,
            buyer=BUYER,
            number=number,
            order=order,
            customer="10442",
            issued=date(2026, 4, 17),
            due=date(2026, 5, 17),
            delivered=date(2026, 4, 10),
            lines=(Line(country.articles[0], 4, Decimal(net) / 5), Line(country.articles[3], 1, Decimal(net) / 5)),
            rate=country.rates[0],
            sign=country.signs[0],
            day=country.days[0],
            traps=frozenset(traps),
        )
        (TO / f"{name}.pdf").write_bytes(_drawn(facts, layout, rng))
    (TO / "a-scan.pdf").write_bytes(pdf([[]], image=True))


def _drawn(facts: Facts, layout: str, rng: random.Random) -> bytes:
    if layout == "parties":
        words = {key: each[0] for key, each in invoice_unseen.WORDS[facts.country.code].items()}
        return pdf(invoice_unseen.parties(facts, words.__getitem__, rng))
    words = {key: each[0].replace("{rate}", str(facts.rate)) for key, each in WORDS[facts.country.code].items()}
    return pdf([getattr(invoice_practice, layout)(facts, words.__getitem__, rng)])


if __name__ == "__main__":
    main()
