"""Whether answers are called stale exactly when what they cited has changed, over the dated snapshots of a handbook.

Each snapshot_DATE.jsonl.gz is published into a real store in the order of the dates. Of every date all sections are
cited; at every later date each citation is asked about, as `fairlead context impact` asks. What is true is said by
`evals.drift_truth`, which reads the raw pages and shares no code with what is measured; its docstring has the rule.

    stale_recall, stale_precision   of citations called stale: of those whose meaning changed, and how many of those
                                    called so had changed
    untold                          sections without a sentence, of which the truth says nothing (left out)
    moved_reported                  passages called stale after every page was renamed, wrapped, marked, headed, linked
                                    and spaced anew, with tables drawn otherwise and other ends of lines
                                    (`evals.drift_anew`), and after every page was cut in two and each part made a page
                                    elsewhere, sections that this cuts left out: must be 0
    alarms_per_owner_week_*         what each owner of pages was told of in each of the weeks between the first date and
                                    the last, by upkeep as it runs beside a server, under its default cap; pages are
                                    cited as their rank by Zipf has it, owners see to what they are told of in a week
    waiting_most                    how many requests of one owner waited at most
    brier_rates, brier_flat         how well the rate of a page, known at one date, foretells that it changes by the
                                    next; and one rate for all pages (squared error: less is better)

The rule was first settled on the pages that `--half chosen` names; disagreements and passages that were wrongly
called stale were later looked at on all pages, and mended. So no half of these pages is untouched: figures for unseen
pages come from unseen data only.
"""

import itertools
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from evals.context_stage import a_store, item_of, of_half, options, rows, say
from evals.drift_anew import all_hands, cut_in_two, written_anew
from evals.drift_truth import Snapshot
from evals.stage import told
from fairlead.context import Item, publish_items
from fairlead.context.catalogue import load_catalogue
from fairlead.context.citations import Reference
from fairlead.context.meaning import words_said
from fairlead.context.upkeep.measured import measured
from fairlead.context.upkeep.passages import fates
from fairlead.context.upkeep.rates import Rate, likely
from fairlead.context.upkeep.requests import Requests
from fairlead.context.upkeep.settings import UpkeepSettings
from fairlead.costs.record import RECORD_VERSION, Record, deed, encode_record
from fairlead.storage.store import Store
from fairlead.storage.subject_rows import StoredSubjects
from fairlead.storage.types import Entry
from fairlead.storage.vault import Vault
from fairlead.workspace.pushing import pushed_people
from fairlead.workspace.upkeeping import Around, Upkeeping

DAY = 86_400_000
WEEK = 7 * DAY
CITED_A_WEEK = 300
Row = Mapping[str, Any]
Pages = dict[str, Row]


class Clock:
    """A clock that is where it was put."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self._drawn = random.Random(5)

    def now(self) -> int:
        return self.at

    def monotonic(self) -> float:
        return self.at / 1000

    def era(self) -> str:
        return "eval"

    def random_bytes(self, count: int) -> bytes:
        return self._drawn.randbytes(count)


def moment(day: str) -> int:
    return (date.fromisoformat(day) - date(1970, 1, 1)).days * DAY


def read(pages: Pages) -> dict[str, Item]:
    """The items of a date, by path."""
    found = {path: item_of(path, row["text"], owner=str(row["owner"] or "")) for path, row in pages.items()}
    return {path: item for path, item in found.items() if item is not None}


def sections(store: Store, items: Iterable[Item]) -> dict[Reference, str]:
    """What can be cited of these items: each section by its identity, with its text."""
    from sqlalchemy import select

    from fairlead.storage.context_tables import context_section

    kept = {(item.id, item.version) for item in items}
    with store.reading() as connection:
        query = select(context_section).order_by(context_section.c.rowid)
        return {
            Reference(row.item, row.version, row.identity): row.text
            for row in connection.execute(query)
            if (row.item, row.version) in kept
        }


class Score:
    """Citations by what was said of them and what is true."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[bool, bool]] = Counter()
        self.untold = 0
        self.wrong: list[str] = []

    def add(self, said: bool, true: bool | None, about: str) -> None:
        if true is None:
            self.untold += 1
            return
        self.seen[said, true] += 1
        if said != true:
            self.wrong.append(f"{'missed' if true else 'too many'}: {about}")

    def figures(self) -> dict[str, Any]:
        hit, missed, many = self.seen[True, True], self.seen[False, True], self.seen[True, False]
        return {
            "citations": sum(self.seen.values()),
            "stale": hit + missed,
            "stale_recall": round(hit / max(1, hit + missed), 5),
            "stale_precision": round(hit / max(1, hit + many), 5),
            "untold": self.untold,
        }


def replay(store: Store, dates: Sequence[str], pages: Mapping[str, Pages], half: str) -> tuple[Score, dict[str, str]]:
    """Publish every date, then ask at each about what was cited at those before it."""
    snapshots, cited = dict[str, str](), dict[str, dict[Reference, str]]()
    truths = {day: Snapshot({path: row["text"] for path, row in pages[day].items()}) for day in dates}
    score = Score()
    for day in dates:
        items = read(pages[day])
        snapshots[day] = publish_items(store, list(items.values()), Clock(moment(day)))
        cited[day] = sections(store, items.values())
        paths = {item.id: path for path, item in items.items()}
        cited[day] = {each: text for each, text in cited[day].items() if of_half(paths[each.item], half)}
    for before, after in itertools.combinations(dates, 2):
        names = {item.id: path for path, item in read(pages[before]).items()}
        became = fates(store, cited[before], snapshots[after])
        for citation, text in cited[before].items():
            path = names[citation.item]
            same = path in pages[after] and pages[after][path]["text"] == pages[before][path]["text"]
            true = False if same else truths[after].means_the_same(path, text, truths[before])
            changed = true if same or true is None else not true
            score.add(became[citation].stale, changed, f"{before} {after} {citation} {text[:80]!r}")
        say(f"{before} to {after}: {dict(score.seen)}")
    return score, snapshots


def perturbed(store: Store, day: str, pages: Pages, cited: dict[Reference, str], *, spread: bool) -> int:
    """How many passages are called stale after a publish in which none has changed."""
    after: dict[str, Item | None] = {}
    for number, (path, row) in enumerate(pages.items()):
        owner = str(row["owner"] or "")
        if not spread:
            text = written_anew(row["text"], all_hands(number), apart=True, crlf=number % 3 == 0)
            after[path] = item_of(f"moved/{path}", text, owner=owner)
            continue
        for part, text in enumerate(cut_in_two(row["text"])):
            name = f"spread/{number % 7}/{path}".removesuffix(".md") + f"-{part}.md"
            after[name] = item_of(name, text, owner=owner)
    if spread:  # a section that was cut in two was not moved
        kept = {
            each: [words_in(part) for part in cut_in_two(pages[path_of(each.item, pages)]["text"])] for each in cited
        }
        cited = {each: text for each, text in cited.items() if any(words_in(text) in part for part in kept[each])}
    snapshot = publish_items(store, [item for item in after.values() if item], Clock(moment(day) + DAY))
    became = fates(store, cited, snapshot)
    stale = [each for each in cited if became[each].stale and words_said(cited[each])]
    for each in stale[:10]:
        say(f"called stale though only {'spread' if spread else 'written anew'}: {each} {cited[each][:80]!r}")
    return len(stale)


def path_of(item: str, pages: Pages) -> str:
    return next(path for path in (f"{item}.md", item) if path in pages)


def words_in(text: str) -> str:
    return f" {' '.join(words_said(re.sub('(?m)^#+ .*$', '', text)))} "


def upkeep(store: Store, dates: Sequence[str], snapshots: Mapping[str, str]) -> dict[str, Any]:
    """A year of weekly rounds, with owners who see to what they are told of."""
    clock = Clock(moment(dates[0]))
    people = pushed_people(store, Vault(bytes(32), StoredSubjects(store), clock), clock).people
    requests = Requests(store, clock)
    kept = Upkeeping(store, clock, requests, people, {}.get)
    weeks, waiting, drawn = list[Counter[str]](), 0, random.Random(7)
    settings, owners = UpkeepSettings(alarm="owners", lead="operations"), set[str]()
    while clock.at < moment(dates[-1]) + WEEK:
        clock.at += WEEK
        day = max(each for each in dates if moment(each) <= clock.at)
        entries = load_catalogue(store, snapshots[day]).entries
        owners |= {entry.owner or "operations" for entry in entries}
        ranked = sorted(entries, key=lambda entry: hash_of(entry.id))
        shares = [1 / (rank + 1) for rank in range(len(ranked))]
        chosen = drawn.choices(ranked, shares, k=CITED_A_WEEK)
        entries_cited = [(entry.id, entry.version) for entry in chosen]
        _answer(store, clock, entries_cited)
        kept.under = Around(settings=settings, snapshot=snapshots[day])
        for row in requests.listed("open"):
            if row.told_at:
                requests.end(row.id, "done", deed(clock, "request_done", by="eval"))
        kept.look(kept.under)
        weeks.append(Counter({each.owner: len(each.rows) for each in kept.tell(kept.under) if not each.late}))
        left = Counter(row.owner for row in requests.listed("open") if not row.told_at)
        waiting = max([waiting, *left.values()])
    each = sorted(week[owner] for week in weeks for owner in owners)
    return {
        "owners": len(owners),
        "weeks": len(weeks),
        "alarms_per_owner_week_median": each[len(each) // 2],
        "alarms_per_owner_week_mean": round(sum(each) / len(each), 3),
        "alarms_per_owner_week_max": each[-1],
        "waiting_most": waiting,
    }


def hash_of(name: str) -> str:
    from hashlib import sha256

    return sha256(name.encode()).hexdigest()


def _answer(store: Store, clock: Clock, cited: Sequence[tuple[str, str]]) -> None:
    entries = []
    for item, version in cited:
        run = f"run_{clock.random_bytes(8).hex()}"
        record = Record(
            v=RECORD_VERSION, kind="call_model", run=run, at=clock.at - DAY, outcome="done", task="support",
            person="s_reader", citations=(f"{item}@{version}",),
        )  # fmt: skip
        entries.append(Entry(run, record.at, encode_record(record)))
    with store.writing() as connection:
        store.database.append(connection, entries)


def foretold(
    store: Store, dates: Sequence[str], pages: Mapping[str, Pages], snapshots: Mapping[str, str]
) -> dict[str, Any]:
    """How well the rates that were known at a date tell which pages change by the next."""
    own, flat = list[float](), list[float]()
    for day, after in itertools.pairwise(dates[1:]):
        now = moment(day)
        catalogue = load_catalogue(store, snapshots[day])
        rates = measured(store, catalogue, now)
        known = [rates[entry.id] for entry in catalogue.entries]
        daily = sum(rate.changes for rate in known) / max(1.0, sum(rate.days for rate in known))
        span = (moment(after) - now) / DAY
        later = {item.id: path for path, item in read(pages[after]).items()}
        for path, item in read(pages[day]).items():
            if item.id in later:
                changed = words_said(pages[day][path]["text"]) != words_said(pages[after][path]["text"])
                own.append((likely(rates[item.id], span) - changed) ** 2)
                flat.append((likely(Rate(daily, 0, 0.0), span) - changed) ** 2)
    return {"brier_rates": round(sum(own) / len(own), 4), "brier_flat": round(sum(flat) / len(flat), 4)}


def main() -> int:
    given = options(__doc__).parse_args()
    began = time.process_time()
    pages: dict[str, Pages] = {}
    for path in sorted(given.data.rglob("snapshot_*.jsonl.gz")):
        day = path.name.split("_")[1].split(".")[0]
        pages[day] = {row["path"]: row for row in rows(path.parent, path.name)}
    dates = sorted(pages)
    with a_store() as store:
        score, snapshots = replay(store, dates, pages, given.half)
        for each in score.wrong[:40]:
            say(each)
        result = score.figures()
        result |= foretold(store, dates, pages, snapshots)
        result |= upkeep(store, dates, snapshots)
        last = dates[-1]
        cited = sections(store, read(pages[last]).values())
        moved = [perturbed(store, last, pages[last], cited, spread=spread) for spread in (False, True)]
    result |= {"moved_reported": sum(moved), "moved": 2 * len(cited), "dates": len(dates)}
    result["cpu_s"] = round(time.process_time() - began, 1)
    good = result["stale_recall"] >= 0.99 and result["stale_precision"] >= 0.95 and not result["moved_reported"]
    return told(result, not good)


if __name__ == "__main__":
    sys.exit(main())
