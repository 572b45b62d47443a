"""How well people of a department find the page that a sentence speaks of, and whether they find what is not theirs.

Reads snapshot_*.jsonl.gz and links*.jsonl.gz of a real handbook: the sentence around a link is the question, the linked
page the answer, and the page on which it stands is left out of what is found. A page below `departments` is published
for the department that owns it, every other page for everyone. The person who asks is of the department of the
sentence's page. The rights are decided by the policies that hold where a workspace has none of its own.

    ndcg10             over all questions: an answer that this person may not read counts as not found
    ndcg10_visible     over the questions whose answer this person may read
    ndcg10_open        over all questions, with every page published for everyone
    leaks              pages found that this person may not read, by an audit that knows nothing of search or policy

Constants are chosen on the half of the folders of source pages that `--half chosen` names, and checked on the other.
"""

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from evals.context_stage import a_store, item_of, mean, ndcg, of_half, opened, options, rows
from evals.stage import told
from evals.weights import have
from fairlead.context import Context, Item
from fairlead.identity import Caller
from fairlead.policy import compile_policy
from fairlead.storage.store import Store

Row = Mapping[str, Any]


def department(page: Row) -> str:
    return str(page["owner"] or "").partition("/")[0]


def audience(page: Row) -> str:
    """The department, or everyone where a page is the company's, or nobody's."""
    owned = page["path"].startswith("content/departments/") and department(page)
    return f"department:{department(page)}" if owned else "everyone"


def may_see(page: Row, of: str) -> bool:
    """The audit: who may see a page, said once more and without the policy."""
    return audience(page) in ("everyone", f"department:{of}")


def name_of(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


def item(path: str, row: Row, *, open_to_all: bool = False) -> Item | None:
    """A page as it is published here."""
    return item_of(path, row["text"], audience="everyone" if open_to_all else audience(row), owner=row["owner"] or "")


async def _asked(context: Context, links: list[Row], pages: Mapping[str, Row], *, open_to_all: bool) -> list[list[str]]:
    policy = compile_policy({}, [])
    found = []
    for link in links:
        source = pages.get(link["source_path"])
        caller = Caller(person="reader", department=department(source) if source else "")
        hits = await context.find(link["query"], (lambda _: True) if open_to_all else policy.may_read(caller), most=11)
        names = [hit.item for hit in hits]
        found.append([name for name in names if name != name_of(link["source_path"])][:10])
    return found


def _score(
    store: Store, links: list[Row], pages: Mapping[str, Row], *, open_to_all: bool, embedded: bool
) -> dict[str, Any]:
    items = [item(path, row, open_to_all=open_to_all) for path, row in pages.items()]
    by_name = {name_of(path): row for path, row in pages.items()}
    context = opened(store, items, embedded=embedded)
    began = time.process_time()
    found = asyncio.run(_asked(context, links, pages, open_to_all=open_to_all))
    cpu_ms = (time.process_time() - began) * 1000 / len(links)
    context.close()
    scores, visible, leaks = [], [], 0
    for link, names in zip(links, found, strict=True):
        score = ndcg(names, {name_of(link["target_path"])})
        scores.append(score)
        source, target = pages.get(link["source_path"]), pages.get(link["target_path"])
        whose = department(source) if source else ""
        if target is not None and may_see(target, whose):
            visible.append(score)
        leaks += sum(not may_see(by_name[name], whose) for name in names)
    if open_to_all:
        return {"ndcg10_open": mean(scores)}
    return {
        "ndcg10": mean(scores),
        "ndcg10_visible": mean(visible),
        "visible": len(visible),
        "leaks": leaks,
        "cpu_ms_per_query": round(cpu_ms, 3),
    }


def main() -> int:
    read = options(__doc__)
    read.add_argument(
        "--embeddings", action="store_true", help="with vectors too: a quarter of an hour for 7,000 sections"
    )
    given = read.parse_args()
    embedded = given.embeddings and not given.no_embeddings and have()
    snapshots: dict[str, dict[str, Row]] = {}
    for path in sorted(given.data.glob("snapshot_*.jsonl.gz")):
        snapshots[path.name.split("_")[1].split(".")[0]] = {row["path"]: row for row in rows(given.data, path.name)}
    links: dict[str, list[Row]] = defaultdict(list)
    for link in rows(given.data, "links*.jsonl.gz"):
        if of_half(str(PurePosixPath(link["source_path"]).parent), given.half):
            links[link["snapshot"]].append(link)
    result: dict[str, Any] = {"embeddings": embedded}
    for date, asked in links.items():
        result |= {"snapshot": date, "pages": len(snapshots[date]), "queries": len(asked)}
        for open_to_all in (False, True):
            with a_store() as store:
                result |= _score(store, asked, snapshots[date], open_to_all=open_to_all, embedded=embedded)
    return told(result, result["leaks"] > 0)


if __name__ == "__main__":
    sys.exit(main())
