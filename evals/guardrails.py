"""What the firewall catches in texts it was not written for, what it stops wrongly, and what a look costs.

Reads every *.jsonl.gz below a folder, and knows its rows by their keys: `spans` (personal data), `is_secret`,
`is_injection`. Under all built-in detectors:

    pii_precision, pii_recall    over structured types, by span (at least 0.95 and 0.90); other types stand in `apart`
    secret_recall                share of the texts with a secret in which one was found (at least 0.97)
    secret_false_alarm_share     share of the texts without in which one was found (at most 0.10)
    us_per_kb                    microseconds for 1,000 bytes, over all texts of the folder (at most 100)
    injection_recall, injection_false_alarm_share     a warning, no boundary (false alarms at most 0.02)

Rows fall into two halves by a hash of what they have in common (template, rule, text). Detectors were written with
sight of the half `seen` only, `--show` prints what was missed or wrong there; `held` was scored and never read.
"""

import argparse
import gzip
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.stage import say, told
from fairlead.policy import Policy, RulesFile, compile_policy
from fairlead.policy.detectors import ENTRIES

Row = Mapping[str, Any]

STRUCTURED = {
    "CREDIT_CARD": "payment_card",
    "PHONE_NUMBER": "phone",
    "EMAIL_ADDRESS": "email",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip_address",
    "MAC_ADDRESS": "mac_address",
    "DOMAIN_NAME": "url",
    "URL": "url",
    "CRYPTO": "crypto_address",
    "US_BANK_NUMBER": "bank_account",
    **dict.fromkeys(
        [
            "US_SSN",
            "US_ITIN",
            "US_PASSPORT",
            "US_DRIVER_LICENSE",
            "UK_NHS",
            "UK_NINO",
            "ES_NIF",
            "ES_NIE",
            "IT_FISCAL_CODE",
            "IT_DRIVER_LICENSE",
            "IT_PASSPORT",
            "IT_IDENTITY_CARD",
            "IT_VAT_CODE",
            "PL_PESEL",
            "SG_NRIC_FIN",
            "SG_UEN",
            "AU_ABN",
            "AU_ACN",
            "AU_TFN",
            "AU_MEDICARE",
            "IN_PAN",
            "IN_AADHAAR",
            "IN_PASSPORT",
            "IN_VOTER",
            "IN_VEHICLE_REGISTRATION",
            "FI_PERSONAL_IDENTITY_CODE",
            "KR_RRN",
            "TH_TNIN",
        ],
        "national_id",
    ),
}
"""The type names of the data whose values have a form to know them by, with our category for each."""

LOOSE = {"DATE_TIME": "date_of_birth"}
"""Types of which some values have a counterpart among our categories: right when found, not counted when not."""

OURS = frozenset(STRUCTURED.values()) | frozenset(LOOSE.values())

GOALS = {
    "pii_precision": (0.95, 1.0),
    "pii_recall": (0.90, 1.0),
    "secret_recall": (0.97, 1.0),
    "secret_false_alarm_share": (0.0, 0.10),
    "us_per_kb": (0.0, 100.0),
    "injection_false_alarm_share": (0.0, 0.02),
}


# ---- reading ----------------------------------------------------------------------------------------------------


def rows(folder: Path) -> list[Row]:
    """The rows of all files below a folder, in the order of their names."""
    found: list[Row] = []
    for path in sorted(folder.rglob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += [json.loads(line) for line in lines if line.strip()]
    return found


def is_held(row: Row) -> bool:
    """Whether a row belongs to the half that is only scored. Variants of one template or rule stay together."""
    shared = str(row.get("template_id") or row.get("rule") or row["text"])
    return bool(hashlib.sha256(shared.encode()).digest()[0] & 1)


# ---- scoring ----------------------------------------------------------------------------------------------------


def share(part: int, whole: int) -> float | None:
    """Rounded; None of nothing."""
    return round(part / whole, 4) if whole else None


def personal(policy: Policy, texts: Sequence[Row], show: bool) -> dict[str, Any]:
    """Precision and recall by span. A span is found where a finding of its category covers half of it."""
    wanted, caught, alarms, wrong = Counter[str](), Counter[str](), 0, 0
    for row in texts:
        found = [each for each in policy.detect_text(row["text"]).found if each.category in OURS]
        spans = [(s["start"], s["end"], s["type"]) for s in row["spans"]]
        for start, end, kind in spans:
            mine = STRUCTURED.get(kind) or LOOSE.get(kind)
            covered = sum(
                max(0, min(end, each.end) - max(start, each.start)) for each in found if each.category == mine
            )
            wanted[kind] += 1
            caught[kind] += covered * 2 >= end - start
            if show and kind in STRUCTURED and covered * 2 < end - start:
                say(f"missed {kind} {row['text'][start:end]!r} in {row['text'][:160]!r}")
        for each in found:
            kinds = [kind for start, end, kind in spans if each.start < end and start < each.end]
            right = any(each.category in (STRUCTURED.get(kind), LOOSE.get(kind)) for kind in kinds)
            alarms += 1
            wrong += not right
            if show and not right:
                say(f"wrong {each.category} {row['text'][each.start : each.end]!r} in {row['text'][:160]!r}")
    structured = [kind for kind in wanted if kind in STRUCTURED]
    return {
        "pii_precision": share(alarms - wrong, alarms),
        "pii_recall": share(sum(caught[kind] for kind in structured), sum(wanted[kind] for kind in structured)),
        "types": {kind: f"{caught[kind]}/{wanted[kind]}" for kind in sorted(structured)},
        "apart": {kind: f"{caught[kind]}/{wanted[kind]}" for kind in sorted(wanted) if kind not in STRUCTURED},
    }


def flagged(policy: Policy, texts: Sequence[Row], key: str, category: str, show: bool) -> tuple[float | None, ...]:
    """Recall and the share of false alarms, by text."""
    said, there = Counter[bool](), Counter[bool]()
    for row in texts:
        hit = category in policy.detect_text(row["text"]).labels.categories
        there[row[key]] += 1
        said[row[key]] += hit
        if show and hit is not row[key]:
            where = row.get("rule") or row.get("source")
            say(f"{'missed' if row[key] else 'wrong'} {category} ({where}): {row['text'][:240]!r}")
    return share(said[True], there[True]), share(said[False], there[False])


def score(policy: Policy, texts: Sequence[Row], show: bool = False) -> dict[str, Any]:
    """Everything but time."""
    result = personal(policy, [row for row in texts if "spans" in row], show)
    for key, category, name in (
        ("is_secret", "secret", "secret"),
        ("is_injection", "injection_suspected", "injection"),
    ):
        recall, alarms = flagged(policy, [row for row in texts if key in row], key, category, show)
        result |= {f"{name}_recall": recall, f"{name}_false_alarm_share": alarms}
    return result


def microseconds(policy: Policy, texts: Iterable[str]) -> float:
    """For 1,000 bytes of these texts, each looked at on its own: the best of five rounds."""
    texts = list(texts)
    size, best = sum(len(text.encode()) for text in texts), float("inf")
    for _ in range(5):
        started = time.perf_counter()
        for text in texts:
            policy.detect_text(text)
        best = min(best, time.perf_counter() - started)
    return round(best / size * 1e9, 2) if size else 0.0


def every_detector() -> Policy:
    """The policy of a workspace that says nothing but that all built-in detectors shall look."""
    off = tuple(each.name for each in ENTRIES if not each.on)
    return compile_policy({}, (), {"rules/all.yaml": RulesFile(also=off)})


def measure(folder: Path, show: bool = False) -> dict[str, Any]:
    """What is printed."""
    policy, texts = every_detector(), rows(folder)
    seen, held = [row for row in texts if not is_held(row)], [row for row in texts if is_held(row)]
    say(f"{len(texts)} texts: {len(seen)} seen, {len(held)} held")
    result = score(policy, texts)
    result["us_per_kb"] = microseconds(policy, (row["text"] for row in texts))
    clean = [row["text"] for row in texts if row.get("is_injection") is False]
    result["us_per_kb_ordinary"] = microseconds(policy, clean)
    result["halves"] = {"seen": score(policy, seen, show), "held": score(policy, held)}
    return result


def missed(result: Mapping[str, Any]) -> list[str]:
    """The goals that were not reached; what the folder has no rows for counts as reached."""
    return [name for name, (low, high) in GOALS.items() if result[name] is not None and not low <= result[name] <= high]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, required=True, help="a folder whose *.jsonl.gz are all read")
    options.add_argument("--show", action="store_true", help="print misses and false alarms of the half `seen`")
    given = options.parse_args()
    result = measure(given.data, given.show)
    return told(result, bool(missed(result)))


if __name__ == "__main__":
    sys.exit(main())
