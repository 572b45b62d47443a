"""Whether search finds anything that is not for the one who asks, and all that is.

Pages with audiences, classes and owners drawn by chance are published, searched by people whose groups change while
others wait for their answers, and published anew with other rights; some go on with the pages of before, which needs
the permission of then and of now. All through the public search and a compiled policy, over both kinds of store, by
words alone and with vectors. What may be seen is said a second time here, by an audit that knows nothing of search or
policy.

    trials            searches
    leaks             pages found that the audit says are not for this person
    filtered_recall   of what is found where the same question is asked of a store that holds what this person may see
                      and nothing else, the share that was found; of some searches
    order             the share of these comparisons that agree in order and score as well
    handbook_*        the same over the dated snapshots of a handbook (`--data`), whose owners are its audiences

`--plant leak` lets search see too much now and then, and `--plant miss` too little: then the status must be 1.
"""

import argparse
import asyncio
import contextlib
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.postgres import server

from evals import handbook
from evals.context_stage import rows
from evals.stage import say, told
from fairlead.clock import SystemClock
from fairlead.context import Context, ContextSettings, Item, read_item
from fairlead.context.search import Search
from fairlead.context.snapshots import publish_items
from fairlead.context.vector_rows import embed_sections
from fairlead.identity import Caller
from fairlead.labels import DataClass
from fairlead.policy import Policy, compile_policy
from fairlead.storage.migrations import migrate
from fairlead.storage.store import Store

GROUPS = tuple("sales support legal board people engineering".split())  # noqa: SIM905
DEPARTMENTS = ("north", "south")
PEOPLE = ("kim", "lee", "ana")
RULES = """
@id("audience") @reason("written for them")
permit(principal, action == Action::"read_context", resource)
when { resource.audience.contains("everyone") || resource.audience.containsAny(principal.known_as) };
@id("owner") @reason("their own")
permit(principal, action == Action::"read_context", resource)
when { principal.groups.contains(resource.owner) };
@id("restricted") @reason("for the board")
forbid(principal, action == Action::"read_context", resource)
when { resource.data_class >= 3 } unless { principal.groups.contains("board") };
"""
_ROUND = 200  # searches under the same pages
_COMPARED = 25  # one in so many
WORDS = tuple(
    f"{first}{second}" for first in ("lam", "ter", "vol", "bri", "sto") for second in ("po", "ka", "ne", "du")
)


class Meanings:
    """A vector for each text, from its words: no model, but as exact as one."""

    model = "eval/words"

    def vectors(self, texts: Sequence[str]) -> Any:
        import numpy as np

        found = np.zeros((len(texts), 16), dtype=np.float32)
        for place, text in enumerate(texts):
            for word in text.lower().split():
                found[place] += np.random.default_rng(sum(map(ord, word))).normal(size=16)
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)


def drawn(chance: random.Random, number: int) -> list[Item]:
    """As many pages, whose rights are drawn anew each time; their names and most of their texts stay."""
    items = []
    for each in range(number):
        say_ = random.Random(each)
        text = " ".join(say_.choices(WORDS, k=30))
        audience = chance.choice(
            [
                ["everyone"],
                [chance.choice(GROUPS)],
                chance.sample(GROUPS, 2),
                [f"department:{chance.choice(DEPARTMENTS)}"],
                [f"person:{chance.choice(PEOPLE)}"],
            ]
        )
        front = f"audience: {audience}\nclass: {chance.choice(list(DataClass)).name}\nowner: {chance.choice(GROUPS)}"
        if each % 10 == 0:
            front += f"\nkind: term\nsynonyms: [{say_.choice(WORDS)}, {say_.choice(WORDS)}]"
        page = f"---\n{front}\n---\n# {say_.choice(WORDS)} {each}\n\n{text}\n"
        items.append(read_item(f"p{each}.md", page.encode(), ContextSettings()))
    return items


def may(caller: Caller, item: Item) -> bool:
    """The audit."""
    named = {"everyone", *caller.groups, f"department:{caller.department}", f"person:{caller.person}"}
    if item.data_class >= DataClass.restricted and "board" not in caller.groups:
        return False
    return bool(named & item.audience) or item.owner in caller.groups


class Trial:
    """One store with what was published into it, and the searches over it."""

    def __init__(self, store: Store, fresh: Callable[[], Store], policy: Policy, audit: Any, *, embedded: bool) -> None:
        self.store, self.fresh, self.policy, self.audit = store, fresh, policy, audit
        self.embedder = Meanings() if embedded else None
        self.trials = self.leaks = self.compared = self.alike = 0
        self.wanted = self.got = 0
        self._alone: dict[tuple[str, frozenset[str]], Context] = {}

    def open(self, items: Sequence[Item], live: Context | None = None) -> Context:
        snapshot = publish_items(self.store, items, SystemClock())
        if self.embedder is not None:
            embed_sections(self.store, snapshot, self.embedder)
        return Context.open(self.store, snapshot, live=live, embedder=self.embedder)

    async def ask(
        self, context: Context, whose: Sequence[Sequence[Item]], caller: Caller, question: str, *, compare: bool
    ) -> None:
        """`whose` are the pages of each time whose rights count, those that are searched first."""
        hits = await context.find(question, self.policy.may_read(caller), most=10)
        hidden = {item.id for items in whose for item in items if not self.audit(caller, item)}
        visible = [item for item in whose[0] if item.id not in hidden]
        names = {item.id for item in visible}
        found = [hit.item for hit in hits]
        self.trials += 1
        self.leaks += sum(name not in names for name in found)
        if compare:
            alone = self._only(context.snapshot, visible)
            best = await alone.find(question, lambda _: True, most=10)
            self.compared += 1
            self.wanted += len(best)
            self.got += len({hit.item for hit in best}.intersection(found))
            self.alike += [(hit.item, hit.score) for hit in best] == [(hit.item, hit.score) for hit in hits]

    def _only(self, snapshot: str, visible: Sequence[Item]) -> Context:
        key = (snapshot, frozenset(item.id for item in visible))
        known = self._alone.get(key)
        if known is None:
            store = self.fresh()
            name = publish_items(store, visible, SystemClock())
            if self.embedder is not None:
                embed_sections(store, name, self.embedder)
            known = self._alone[key] = Context.open(store, name, embedder=self.embedder)
        return known

    def close(self) -> None:
        for context in self._alone.values():
            context.close()


async def by_chance(trial: Trial, chance: random.Random, rounds: int, pages: int) -> None:
    """Each round publishes new rights; in it, people ask at once while their groups change."""
    before: list[Item] = []
    pinned: Context | None = None
    for _ in range(rounds):
        items = drawn(chance, pages)
        now = trial.open(items)
        pinned = trial.open(before, live=now) if before else None
        people = {name: chance.sample(GROUPS, chance.randint(0, 3)) for name in PEOPLE}
        waiting = []
        for number in range(_ROUND):
            name = chance.choice(PEOPLE)
            if number % 5 == 0:
                people[name] = chance.sample(GROUPS, chance.randint(0, 3))
            caller = Caller(person=name, groups=frozenset(people[name]), department=chance.choice(DEPARTMENTS))
            question = " ".join(chance.choices(WORDS, k=chance.randint(1, 5)))
            old = pinned is not None and number % 4 == 0
            searched, whose = (pinned, (before, items)) if old else (now, (items,))
            assert searched is not None
            waiting.append(trial.ask(searched, whose, caller, question, compare=not old and number % _COMPARED == 1))
        await asyncio.gather(*waiting)
        now.close()
        if pinned is not None:
            pinned.close()
        before = items


async def by_owner(
    trial: Trial, dated: Sequence[Sequence[Item]], links: Sequence[Mapping[str, Any]], chance: random.Random
) -> None:
    """Each dated snapshot is published; people of all departments ask what the links ask."""
    for items in dated:
        context = trial.open(items)
        departments = sorted({name for item in items for name in item.audience if name != "everyone"})
        of = [Caller(person="reader", department=name.partition(":")[2]) for name in departments]
        compared = of[:3] if items is dated[-1] else []
        for number, link in enumerate(chance.sample(links, min(400, len(links)))):
            caller = compared[number % len(compared)] if compared and number % 10 == 1 else chance.choice(of)
            await trial.ask(context, (items,), caller, link["query"], compare=bool(compared) and number % 10 == 1)
        context.close()


@contextlib.contextmanager
def stores(kind: str) -> Iterator[Callable[[], Store]]:
    """Makes empty stores of a kind."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="fairlead-rights-")))
        made = 0
        running = stack.enter_context(server()) if kind == "postgres" else None
        template = ""
        if running is not None:
            template = running.make_database()
            migrate(template)
        else:
            migrate(folder / "empty.db")

        def fresh() -> Store:
            nonlocal made
            made += 1
            (folder / str(made)).mkdir()
            if running is not None:
                where: Any = running.make_database(template.rpartition("/")[2])
            else:
                where = folder / str(made) / "state.db"
                where.write_bytes((folder / "empty.db").read_bytes())
            store = Store.open(where, beside=folder / str(made))
            stack.callback(store.close)
            return store

        yield fresh


def planted(kind: str, chance: random.Random) -> None:
    """A search that decides rights wrongly now and then."""
    honest = Search._allowed

    async def wrong(self: Search, may_read: Any) -> frozenset[int]:
        allowed = await honest(self, may_read)
        if chance.random() < 0.02:
            every = frozenset(range(len(self.snapshot.accesses)))
            return every if kind == "leak" else frozenset(sorted(allowed)[: len(allowed) // 2])
        return allowed

    Search._allowed = wrong  # type: ignore[method-assign]


def measured(trials: Sequence[Trial], prefix: str = "") -> dict[str, Any]:
    compared = sum(each.compared for each in trials)
    return {
        f"{prefix}trials": sum(each.trials for each in trials),
        f"{prefix}leaks": sum(each.leaks for each in trials),
        f"{prefix}filtered_recall": round(sum(e.got for e in trials) / max(1, sum(e.wanted for e in trials)), 4),
        f"{prefix}compared": compared,
        f"{prefix}order": round(sum(each.alike for each in trials) / max(1, compared), 4),
    }


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, help="the folder of the handbook")
    options.add_argument("--trials", type=int, default=10_000)
    options.add_argument("--pages", type=int, default=60)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--stores", nargs="+", default=["sqlite", "postgres"], choices=["sqlite", "postgres"])
    options.add_argument("--plant", choices=["leak", "miss"], help="make search wrong, to see that it is seen")
    given = options.parse_args()
    chance = random.Random(given.seed)
    if given.plant:
        planted(given.plant, random.Random(given.seed))
    policy = compile_policy({"policies/rights.cedar": RULES})
    made: list[Trial] = []
    owned: list[Trial] = []
    for kind in given.stores:
        for embedded in (False, True):
            with stores(kind) as fresh, stores("sqlite") as small:
                trial = Trial(fresh(), small, policy, may, embedded=embedded)
                asyncio.run(by_chance(trial, chance, -(-given.trials // (2 * _ROUND * len(given.stores))), given.pages))
                trial.close()
                made.append(trial)
                say(f"{kind}, embedded: {embedded}: {measured([trial])}")
        if given.data is not None:
            with stores(kind) as fresh, stores("sqlite") as small:
                trial = Trial(fresh(), small, compile_policy({}, []), _owned, embedded=False)
                asyncio.run(by_owner(trial, _dated(given.data), rows(given.data, "links*.jsonl.gz"), chance))
                trial.close()
                owned.append(trial)
                say(f"{kind}, handbook: {measured([trial])}")
    result: dict[str, Any] = measured(made)
    if owned:
        result |= measured(owned, "handbook_")
    bad = any(value for key, value in result.items() if key.endswith("leaks"))
    bad = bad or any(value < 0.99 for key, value in result.items() if key.endswith("filtered_recall"))
    return told(result, bad)


def _owned(caller: Caller, item: Item) -> bool:
    return bool({"everyone", f"department:{caller.department}"} & item.audience)


def _dated(folder: Path) -> list[list[Item]]:
    found = []
    for path in sorted(folder.glob("snapshot_*.jsonl.gz")):
        of_date = rows(folder, path.name)
        items = [handbook.item(row["path"], row) for row in of_date]
        found.append([item for item in items if item is not None])
    return found


if __name__ == "__main__":
    sys.exit(main())
