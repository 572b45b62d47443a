"""How well search finds the passage that a question was written for, in articles about which thousands were asked.

Reads corpus*.jsonl.gz and queries*.jsonl.gz. Each passage is published as an item of its own, titled as its article:
the judgements are about passages, and such a passage is what a page of a handbook is, with a subject of its own and no
headings. Published together as one page, passages would be cut and joined anew by their lengths, and what is found
could not be compared with what was judged. Questions go through the public search, as a person who may read all.

    ndcg10, recall5    over the questions that can be answered
    written_for        ndcg10 of the others, against the passage that they were written for
    cpu_ms_per_query   of the whole process, all its threads

Constants are chosen on the half of the articles that `--half chosen` names, and checked on the other. All passages are
searched in both cases.
"""

import asyncio
import sys
import time
from typing import Any

from evals.context_stage import a_store, item_of, mean, ndcg, of_half, opened, options, rows
from evals.stage import told
from evals.weights import have
from fairlead.context import Context
from fairlead.labels import Access


async def _asked(context: Context, queries: list[dict[str, Any]]) -> tuple[list[list[str]], float]:
    await context.find(queries[0]["query"], _anyone, most=10)  # what is loaded at the first question
    began = time.process_time()
    found = [[hit.item for hit in await context.find(row["query"], _anyone, most=10)] for row in queries]
    return found, (time.process_time() - began) * 1000 / len(queries)


def _anyone(_: Access) -> bool:
    return True


def main() -> int:
    given = options(__doc__).parse_args()
    corpus, queries = rows(given.data, "corpus*.jsonl.gz"), rows(given.data, "queries*.jsonl.gz")
    article = {row["doc_id"]: row["title"] for row in corpus}
    queries = [row for row in queries if of_half(article[row["relevant_doc_ids"][0]], given.half)]
    items = [item_of(f"{row['doc_id']}.md", row["text"], title=row["title"]) for row in corpus]
    embedded = not given.no_embeddings and have()
    with a_store() as store:
        context = opened(store, items, embedded=embedded)
        found, cpu_ms = asyncio.run(_asked(context, queries))
        context.close()
    scored: dict[bool, list[float]] = {True: [], False: []}
    recalled: list[float] = []
    for row, names in zip(queries, found, strict=True):
        wanted = set(row["relevant_doc_ids"])
        scored[row["answerable"]].append(ndcg(names, wanted))
        if row["answerable"]:
            recalled.append(len(wanted.intersection(names[:5])) / len(wanted))
    result = {
        "passages": len(corpus),
        "queries": len(queries),
        "embeddings": embedded,
        "ndcg10": mean(scored[True]),
        "recall5": mean(recalled),
        "written_for": mean(scored[False]),
        "cpu_ms_per_query": round(cpu_ms, 3),
    }
    return told(result, False)


if __name__ == "__main__":
    sys.exit(main())
