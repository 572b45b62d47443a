"""What a follow-up question finds when it is read with the question before it, and what a change of subject loses.

Reads corpus*.jsonl.gz and queries*.jsonl.gz as `evals.retrieval` does. Two questions about one passage make a
conversation; the second loses the words that the first has said or that the title says, as people leave them out
("and for lamps?"). For a change of subject the question before is about another article and nothing is left out.

    alone      ndcg10 of the shortened question by itself
    followed   ndcg10 of it as the rule of `context.conversation` reads it
    changed    ndcg10 of whole questions behind one about something else; `unchanged` is without any before

The number of words from which a question stands alone was chosen on the half of the articles that `--half chosen`
names; `--alone N` tries another.
"""

import asyncio
import sys
from collections import defaultdict
from typing import Any

from evals.context_stage import a_store, item_of, mean, ndcg, of_half, opened, options, rows
from evals.stage import told
from fairlead.context import Context, conversation
from fairlead.labels import Access
from fairlead.models.words import stems

_EVERY = 3  # one question in three: the figures do not move with more


def _anyone(_: Access) -> bool:
    return True


def shortened(question: str, before: str) -> str:
    """The question without the words that were said before."""
    said = set(stems(before))
    return " ".join(word for word in question.split() if not set(stems(word)) & said)


async def _found(context: Context, question: str, earlier: list[str], wanted: set[str]) -> float:
    sought = conversation.sought_in(question, earlier)
    return ndcg([hit.item for hit in await context.find(sought, _anyone, most=10)], wanted)


async def _measured(context: Context, queries: list[dict[str, Any]], title: dict[str, str]) -> dict[str, float]:
    by_passage: dict[str, list[str]] = defaultdict(list)
    for row in queries:
        by_passage[row["relevant_doc_ids"][0]].append(row["query"])
    passages = list(by_passage)
    scores: dict[str, list[float]] = defaultdict(list)
    for at, row in enumerate(queries[::_EVERY]):
        passage, question = row["relevant_doc_ids"][0], row["query"]
        wanted = set(row["relevant_doc_ids"])
        others = [each for each in by_passage[passage] if each != question]
        if others:
            before = others[at % len(others)]
            short = shortened(question, f"{before} {title[passage]}")
            scores["alone"].append(await _found(context, short, [], wanted))
            scores["followed"].append(await _found(context, short, [before], wanted))
        elsewhere = next(each for each in passages[at % len(passages) :] + passages if title[each] != title[passage])
        scores["unchanged"].append(await _found(context, question, [], wanted))
        scores["changed"].append(await _found(context, question, [by_passage[elsewhere][0]], wanted))
    return {name: mean(values) for name, values in scores.items()}


def main() -> int:
    made = options(__doc__)
    made.add_argument("--alone", type=int, default=0, help="words from which a question stands alone, to try another")
    given = made.parse_args()
    if given.alone:
        conversation.ALONE = given.alone  # type: ignore[misc]
    corpus, queries = rows(given.data, "corpus*.jsonl.gz"), rows(given.data, "queries*.jsonl.gz")
    title = {row["doc_id"]: row["title"] for row in corpus}
    queries = [row for row in queries if row["answerable"] and of_half(title[row["relevant_doc_ids"][0]], given.half)]
    items = [item_of(f"{row['doc_id']}.md", row["text"], title=row["title"]) for row in corpus]
    with a_store() as store:
        context = opened(store, items, embedded=not given.no_embeddings)
        result = asyncio.run(_measured(context, queries, title))
        context.close()
    return told({"alone_from": conversation.ALONE, "half": given.half, **result}, False)


if __name__ == "__main__":
    sys.exit(main())
