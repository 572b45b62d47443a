"""Attack systems as persons who want each other's rows: a matrix of persons, rows and attacks.

Every row holds a mark of whom it belongs to. A trial is one call that tries to get at a mark, or to change a row, that
is not the caller's. It leaks if another's mark comes back, if a credential opens that should not, or if a row of
another's has changed in the end.

    leaks     calls that got what was not theirs (0)
    trials    calls (at least 10,000 over all targets)

Targets: `postgresql`, a real server with row policies, each person logging in as themselves. Half of its hostile SQL
meets the database without the parser before it, as if that had a hole.
"""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import psycopg
from tests.orders import called, login, mark, opened, orders_on, password
from tests.postgres import Server, server
from tests.tools.statements import HOSTILE, HOSTILE_ON_POSTGRES, USUAL

from evals.stage import parser, say, told
from fairlead.clock import SystemClock
from fairlead.errors import FairleadError
from fairlead.tools.settings import QuerySettings, SqlSettings
from fairlead.tools.sql import SqlSystem
from fairlead.tools.sql_statement import Restriction
from fairlead.tools.types import Credential, SystemCall, ToolResult

PEOPLE = ("ada", "ben", "cleo", "dan", "eve", "fay", "gus", "hal")
_ROWS = 6
_TABLES = ["orders", "shops", "own_orders"]
_AT_ONCE = 24
_QUERIES = {
    "one": QuerySettings(sql="SELECT * FROM orders WHERE id = :id", parameters={"id": {"type": "integer"}}),
    "find": QuerySettings(sql="SELECT * FROM orders WHERE item = :text OR note LIKE :text"),
    "of": QuerySettings(sql="SELECT * FROM orders WHERE owner = :owner"),
    "mine": QuerySettings(sql="SELECT * FROM orders WHERE owner = :person"),
    "salaries": QuerySettings(sql="SELECT * FROM salaries WHERE person = :whose"),
    "mark": QuerySettings(
        sql="UPDATE orders SET item = :item WHERE id = :id RETURNING *",
        parameters={"id": {"type": "integer"}},
        effect="write",
    ),
    "take": QuerySettings(
        sql="UPDATE orders SET owner = :person WHERE owner = :owner RETURNING *",
        effect="write",
    ),
    "plant": QuerySettings(
        sql="INSERT INTO orders VALUES (:id, :owner, 'planted', 1, '2026-01-01', NULL, :mark)",
        parameters={"id": {"type": "integer"}},
        effect="write",
    ),
}
_INJECTED = (
    "' OR 1 = 1 --", "' OR '1' = '1", "'; SELECT * FROM orders; --", "') UNION SELECT * FROM orders --", "%", "%' --",
    "\\' OR 1 = 1 --", "$$ OR true $$", "' || (SELECT string_agg(mark, ',') FROM salaries) || '", "%(text)s", "$1",
    ":text",    "{person}", "'; SET ROLE {other}; --", "'; RESET ROLE; --", "\u02bc OR 1 = 1 --",
)  # fmt: skip
_AIMED = (
    "SELECT * FROM orders WHERE owner = '{other}'",
    "SELECT * FROM orders WHERE mark LIKE 'mark-of-{other}%'",
    "SELECT * FROM orders WHERE id = {id}",
    "SELECT count(*) OVER (), o.* FROM orders o WHERE o.id >= {id} OR true",
    "WITH all_of_them AS (SELECT * FROM orders) SELECT * FROM all_of_them WHERE owner <> '{person}'",
    "SELECT string_agg(mark, ',') FROM orders WHERE owner = '{other}' OR 1 = 1",
    "SELECT * FROM own_orders UNION SELECT id, mark FROM orders WHERE owner = '{other}'",
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM orders WHERE owner = '{other}') THEN 'mark-of-{other}' END",
    "SELECT CAST(mark AS int) FROM orders WHERE owner = '{other}'",
    "SELECT set_config('role', '{other}', false), o.* FROM orders o",
    "SELECT * FROM orders WHERE owner = '{other}' FOR UPDATE",
    "SELECT mark FROM salaries WHERE person = '{other}'",
)
# With the parser out of the way, what would change who one is.
_UNMASKED = (
    "SELECT set_config('role', '{other}', false), * FROM public.orders",
    "SELECT set_config('session_authorization', '{other}', false), * FROM public.orders",
    "SELECT set_config('row_security', 'off', false), * FROM public.orders",
    "SELECT 1) AS x; SET ROLE {other}; SELECT * FROM public.orders; --",
    "SELECT 1) AS x; COMMIT; UPDATE public.orders SET mark = 'x'; SELECT (1",
    "SELECT public.peek()",
    "SELECT * FROM public.salaries",
    "SELECT query_to_xml('SELECT * FROM public.orders', true, true, '')",
    "SELECT * FROM pg_stats WHERE tablename = 'orders'",
    "SELECT * FROM pg_stat_activity",
    "SELECT lo_import('/etc/passwd')",
    "SELECT public.lower(1)",
)

_BARE = frozenset(("hostile_sql_unparsed", "others_role"))


class Tally:
    """What was tried on one target, and what came of it."""

    def __init__(self) -> None:
        self.trials: Counter[str] = Counter()
        self.leaks: list[str] = []

    def count(self, attack: str, leaked: bool, told_: str) -> None:
        self.trials[attack] += 1
        if leaked:
            self.leaks.append(f"{attack}: {told_}"[:200])


Target = Callable[[random.Random, Tally], Awaitable[None]]


def foreign(person: str, shown: str) -> bool:
    """Whether what a person was shown holds a mark of somebody else's."""
    return any(f"mark-of-{other}-" in shown for other in PEOPLE if other != person)


async def answer_to(call: Awaitable[ToolResult]) -> tuple[bool, str]:
    """Whether there was an answer, and all that it shows: a refusal may show something as well."""
    try:
        result = await call
    except FairleadError as error:
        return False, f"{error} {error.why} {error.mend}"
    return not result.failed, str(result)


# ---- PostgreSQL -------------------------------------------------------------------------------------------------


class Postgresql:
    """The database of orders, and everybody attacking it."""

    def __init__(self, on: Server, chance: random.Random, tally: Tally) -> None:
        self._url = orders_on(on, PEOPLE, _ROWS)
        self._admin = on.url(self._url.rpartition("/")[2])
        self._chance = chance
        self._tally = tally
        self.system = opened(SqlSettings(url=self._url, queries=_QUERIES, tables=_TABLES))
        self._bait()

    def _bait(self) -> None:
        """Functions of Eve's that others would call instead of those they mean, were names looked up carelessly."""
        where = self._url.replace("//", f"//eve:{password('eve').replace(' ', '%20')}@")
        with psycopg.connect(where, autocommit=True) as connection:
            for argument in ("integer", "text", "numeric"):
                connection.execute(
                    f"CREATE FUNCTION public.lower({argument}) RETURNS text LANGUAGE sql"
                    " AS $$ SELECT string_agg('stolen ' || mark, ',') FROM public.orders $$"
                )

    async def run(self) -> None:
        trials = [*self._hostile(), *self._aimed(), *self._arguments(), *self._deputies()]
        self._chance.shuffle(trials)  # persons and attacks meet in the same pools
        await self._at_once([*trials, *self._replayed()])
        await self._together()
        self._tally.leaks += await asyncio.to_thread(self._changed)

    async def _at_once(self, trials: "list[Callable[[], Awaitable[None]]]") -> None:
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(trial: Callable[[], Awaitable[None]]) -> None:
            async with places:
                await trial()

        await asyncio.gather(*map(one, trials))

    def _trial(
        self, attack: str, person: str, call: Callable[[], Awaitable[ToolResult]]
    ) -> Callable[[], Awaitable[None]]:
        async def trial() -> None:
            _, shown = await answer_to(call())
            tricked = "stolen" in shown and attack not in _BARE  # with no parser, whoever names Eve's function calls it
            self._tally.count(attack, foreign(person, shown) or tricked, f"{person}: {shown}")

        return trial

    def _selecting(self, attack: str, person: str, sql: str) -> Callable[[], Awaitable[None]]:
        return self._trial(
            attack, person, lambda: called(self.system, "select", {"sql": sql}, person=person, credential=login(person))
        )

    def _unparsed(self, attack: str, person: str, sql: str) -> Callable[[], Awaitable[None]]:
        return self._trial(attack, person, lambda: unparsed(self.system, sql, person))

    def _calling(self, attack: str, who: str, tool: str, /, **arguments: object) -> Callable[[], Awaitable[None]]:
        return self._trial(attack, who, lambda: called(self.system, tool, arguments, person=who, credential=login(who)))

    def _hostile(self) -> "list[Callable[[], Awaitable[None]]]":
        made = []
        for number, person in enumerate(PEOPLE):
            for sql in (*HOSTILE, *HOSTILE_ON_POSTGRES, *USUAL):
                made.append(self._selecting("hostile_sql", person, sql))
                # What is only heavy need not be heavy for everybody.
                if number == 0 or not ("00000" in sql or "sleep" in sql or "lock" in sql):
                    made.append(self._unparsed("hostile_sql_unparsed", person, sql))
        return made

    def _aimed(self) -> "list[Callable[[], Awaitable[None]]]":
        made = []
        for person, other in self._pairs():
            given = {"person": person, "other": other, "id": PEOPLE.index(other) * 1000 + 1}
            # What the attacker writes into the statement themselves is no leak.
            made += [self._selecting("others_rows", person, sql.format(**given)) for sql in _AIMED if "THEN" not in sql]
            made += [self._unparsed("others_role", person, sql.format(**given)) for sql in _UNMASKED]
        return made

    def _arguments(self) -> "list[Callable[[], Awaitable[None]]]":
        made = []
        for person, other in self._pairs():
            for row in range(_ROWS):
                number = PEOPLE.index(other) * 1000 + row
                made.append(self._calling("others_id", person, "one", id=number))
                made.append(self._calling("others_id", person, "mark", id=number, item="changed by another"))
            made.append(self._calling("others_id", person, "of", owner=other))
            made.append(self._calling("others_id", person, "salaries", whose=other))
            made.append(self._calling("others_id", person, "take", owner=other))
            planted = {"id": 90_000 + number, "owner": other, "mark": mark(person, 77)}
            made.append(self._calling("others_id", person, "plant", **planted))
            for text in _INJECTED:
                sent = text.replace("{other}", other)
                made.append(self._calling("injected_argument", person, "find", text=sent))
        return made

    def _deputies(self) -> "list[Callable[[], Awaitable[None]]]":
        made = []
        for person, other in self._pairs():
            made.append(self._calling("confused_deputy", person, "mine", person=other))
            made.append(self._selecting("confused_deputy", person, "SELECT lower(id), lower(amount) FROM orders"))
            made.append(self._selecting("confused_deputy", person, "SELECT public.lower(id) FROM orders"))
        return made

    def _replayed(self) -> "list[Callable[[], Awaitable[None]]]":
        """Another's name with one's own secret, one's own name with another's, and a secret that was replaced."""
        made = []
        for person, other in self._pairs():
            stale = Credential(kind="login", user=other, secret="the word of last week")
            for credential in (
                Credential(kind="login", user=other, secret=password(person)),
                Credential(kind="login", user=person, secret=password(other)),
                Credential(kind="exchange", user=other, secret=password(other)),
                Credential(user=other),
                stale,
            ):
                made.append(self._replay(person, credential))
        return made

    def _replay(self, person: str, credential: Credential) -> Callable[[], Awaitable[None]]:
        async def trial() -> None:
            call = called(self.system, "mine", {}, person=person, credential=credential)
            opened_, shown = await answer_to(call)
            self._tally.count("replayed_credential", opened_, f"{person} as {credential.user}: {shown}")

        return trial

    async def _together(self) -> None:
        """Everybody at once, over the same few sessions, with statements that end early, late and badly."""
        kinds = (
            "SELECT * FROM orders",
            "SELECT 1/0 FROM orders",
            "SELECT mark FROM orders ORDER BY 1 LIMIT 2",
            "SELECT (",
        )
        some = [self._selecting("at_once", person, self._chance.choice(kinds)) for person in PEOPLE for _ in range(150)]
        self._chance.shuffle(some)
        await asyncio.gather(*(trial() for trial in some))

    def _changed(self) -> list[str]:
        """What stands in rows that their owners did not write."""
        with psycopg.connect(self._admin) as connection:
            rows = connection.execute("SELECT id, owner, item, mark FROM orders ORDER BY id").fetchall()
        kept = {(index * 1000 + row, person) for index, person in enumerate(PEOPLE) for row in range(_ROWS)}
        found = {(number, owner) for number, owner, _, _ in rows}
        wrong = [f"rows moved: {kept ^ found}"] if kept != found else []
        return wrong + [
            f"row {row} changed"
            for row in rows
            if row[2].startswith("changed by") or row[3] != mark(row[1], row[0] % 1000)
        ]

    def _pairs(self) -> list[tuple[str, str]]:
        return [(person, other) for person in PEOPLE for other in PEOPLE if other != person]


async def unparsed(system: SqlSystem, sql: str, person: str) -> ToolResult:
    """A statement as if there were no parser, or one with a hole."""
    definition = (await system.definitions(Credential(), 0))[-1]
    call = SystemCall(
        tool=definition,
        arguments={},
        credential=login(person),
        person=person,
        idempotency_key="k",
        deadline=SystemClock().monotonic() + 1,
    )
    result: ToolResult = await system._database.select(sql, Restriction("postgres", _TABLES), call)
    return result


async def postgresql(chance: random.Random, tally: Tally) -> None:
    with server() as on:
        attacked = Postgresql(on, chance, tally)
        await attacked.run()
        await attacked.system.close()


TARGETS: Mapping[str, Target] = {"postgresql": postgresql}


async def measure(targets: tuple[str, ...], seed: int) -> dict[str, Any]:
    """One run; returns what is printed."""
    leaks: list[str] = []
    by_target: dict[str, dict[str, int]] = {}
    for name in targets:
        tally = Tally()
        await TARGETS[name](random.Random(seed), tally)
        leaks += [f"{name}: {leak}" for leak in tally.leaks]
        by_target[name] = dict(sorted(tally.trials.items()))
        say(f"{name}: {tally.trials.total()} trials, {len(tally.leaks)} leaks")
    trials = sum(sum(each.values()) for each in by_target.values())
    return {"leaks": len(leaks), "trials": trials, "by_target": by_target, "examples": leaks[:5]}


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--targets", nargs="+", choices=tuple(TARGETS), default=tuple(TARGETS))
    given = options.parse_args()
    result = asyncio.run(measure(tuple(given.targets), given.seed))
    return told(result, bool(result["leaks"]))


if __name__ == "__main__":
    sys.exit(main())
