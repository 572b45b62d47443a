"""The target `postgresql`: a real server with row policies, where each person logs in by a certificate of their own.

Half of the hostile SQL comes through `raw`, the same database without the parser before it, as if that had a hole.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from tests.certificates import Authority
from tests.orders import GROUP, orders_on
from tests.postgres import Server, server
from tests.tools.statements import HOSTILE, HOSTILE_ON_POSTGRES, USUAL

from evals.rights_service import left
from evals.rights_stage import PEOPLE, ROWS, Stage, Tally, Trial, mark, pairs

_TABLES = ["orders", "shops", "own_orders"]
_ID = {"id": {"type": "integer"}}
QUERIES = {
    "one": {"sql": "SELECT * FROM orders WHERE id = :id", "parameters": _ID},
    "find": {"sql": "SELECT * FROM orders WHERE item = :text OR note LIKE :text"},
    "of": {"sql": "SELECT * FROM orders WHERE owner = :owner"},
    "everything": {"sql": "SELECT * FROM orders"},
    "salaries": {"sql": "SELECT * FROM salaries WHERE person = :whose"},
    "slow": {"sql": "SELECT o.*, pg_sleep(0.01) FROM orders o"},
    "mark": {
        "sql": "UPDATE orders SET item = :item WHERE id = :id RETURNING *", "parameters": _ID, "effect": "write",
    },
    "take": {"sql": "UPDATE orders SET owner = current_user WHERE owner = :owner RETURNING *", "effect": "write"},
    "plant": {
        "sql": "INSERT INTO orders VALUES (:id, :owner, 'planted', 1, '2026-01-01', NULL, 'planted')",
        "parameters": _ID, "effect": "write",
    },
}  # fmt: skip
_INJECTED = (
    "' OR 1 = 1 --", "' OR '1' = '1", "'; SELECT * FROM orders; --", "') UNION SELECT * FROM orders --", "%", "%' --",
    "\\' OR 1 = 1 --", "$$ OR true $$", "' || (SELECT string_agg(mark, ',') FROM salaries) || '", "%(text)s", "$1",
    ":text", "{person}", "'; SET ROLE \"{other}\"; --", "'; RESET ROLE; --", "\u02bc OR 1 = 1 --",
)  # fmt: skip
_AIMED = (
    "SELECT * FROM orders WHERE owner = '{other}'",
    "SELECT * FROM orders WHERE mark LIKE 'mk%'",
    "SELECT * FROM orders WHERE id = {id}",
    "SELECT count(*) OVER (), o.* FROM orders o WHERE o.id >= {id} OR true",
    "WITH all_of_them AS (SELECT * FROM orders) SELECT * FROM all_of_them WHERE owner <> '{person}'",
    "SELECT string_agg(mark, ',') FROM orders WHERE owner = '{other}' OR 1 = 1",
    "SELECT * FROM own_orders UNION SELECT id, mark FROM orders WHERE owner = '{other}'",
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
    'SELECT 1) AS x; SET ROLE "{other}"; SELECT * FROM public.orders; --',
    "SELECT 1) AS x; COMMIT; UPDATE public.orders SET mark = 'x'; SELECT (1",
    "SELECT public.peek()",
    "SELECT * FROM public.salaries",
    "SELECT query_to_xml('SELECT * FROM public.orders', true, true, '')",
    "SELECT * FROM pg_stats WHERE tablename = 'orders'",
    "SELECT * FROM pg_stat_activity",
    "SELECT lo_import('/etc/passwd')",
    "SELECT public.lower(1)",
)
_TRICKED = "stolen"


class Postgresql:
    """The database of orders, and everybody attacking it."""

    name = "postgresql"

    def __init__(self, on: Server, url: str, authority: Authority, tally: Tally) -> None:
        self._admin = on.url(url.rpartition("/")[2])
        self.tally = tally
        tls = f"{url}?sslmode=verify-full&sslrootcert={authority.path}"
        certificate = {"certificate": {"ca": "env:CA", "valid": "1m", "role": "{subject}"}}
        usual = {"use": "sql", "url": tls, "queries": QUERIES, "tables": _TABLES, "credential": certificate}
        self.systems = {"orders": usual, "raw": {**usual, "timeout": 1}}
        self.files: dict[str, str] = {}
        self._bait()

    def _bait(self) -> None:
        """Functions of Eve's that others would call instead of those they mean, were names looked up carelessly."""
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute("SET ROLE eve")
            for argument in ("integer", "text", "numeric"):
                connection.execute(
                    f"CREATE FUNCTION public.lower({argument}) RETURNS text LANGUAGE sql"
                    f" AS $$ SELECT string_agg('{_TRICKED} ' || mark, ',') FROM public.orders $$".encode()
                )

    def trials(self, stage: Stage) -> list[Trial]:
        # The parser is taken from before the second system, in place.
        restriction: Any = stage.world.fairlead.current().systems.drivers["raw"]
        restriction._restriction.restricted = lambda text: text
        made = [*self._hostile(stage), *self._aimed(stage), *self._arguments(stage), *self._together(stage)]
        return [*made, *stage.replays(self.tally, "orders.everything", lambda _: {})]

    def probe(self) -> tuple[str, dict[str, str]]:
        return "orders.everything", {}

    def _trial(self, stage: Stage, attack: str, person: str, tool: str, /, **arguments: object) -> Trial:
        async def trial() -> None:
            shown = await stage.by_door(person, tool, arguments)
            # With no parser, whoever names Eve's function calls it: as themselves.
            self.tally.count(attack, person, shown, leaked=_TRICKED in shown and not tool.startswith("raw."))

        return trial

    def _hostile(self, stage: Stage) -> list[Trial]:
        made = []
        for number, person in enumerate(PEOPLE):
            for sql in (*HOSTILE, *HOSTILE_ON_POSTGRES, *USUAL):
                # What is only heavy need not be heavy for everybody.
                if number == 0 or not ("00000" in sql or "sleep" in sql or "lock" in sql):
                    made.append(self._trial(stage, "hostile_sql", person, "orders.select", sql=sql))
                    made.append(self._trial(stage, "hostile_sql_unparsed", person, "raw.select", sql=sql))
        return made

    def _aimed(self, stage: Stage) -> list[Trial]:
        made = []
        for person, other in pairs():
            for tool, texts, attack in (
                ("orders.select", _AIMED, "others_rows"),
                ("raw.select", _UNMASKED, "others_role"),
            ):
                for text in texts:
                    sql = text.replace("{id}", str(PEOPLE.index(other) * 1000 + 1))
                    sql = sql.replace("{person}", person).replace("{other}", other)
                    made.append(self._trial(stage, attack, person, tool, sql=sql))
            for sql in ("SELECT lower(id), lower(amount) FROM orders", "SELECT public.lower(id) FROM orders"):
                made.append(self._trial(stage, "confused_deputy", person, "orders.select", sql=sql))
        return made

    def _arguments(self, stage: Stage) -> list[Trial]:
        made = []
        for person, other in pairs():
            for row in range(ROWS):
                number = PEOPLE.index(other) * 1000 + row
                made.append(self._trial(stage, "others_id", person, "orders.one", id=number))
                made.append(
                    self._trial(stage, "others_id", person, "orders.mark", id=number, item="changed by another")
                )
            made.append(self._trial(stage, "others_id", person, "orders.of", owner=other))
            made.append(self._trial(stage, "others_id", person, "orders.salaries", whose=other))
            made.append(self._trial(stage, "others_id", person, "orders.take", owner=other))
            made.append(self._trial(stage, "others_id", person, "orders.plant", id=90_000 + number, owner=other))
            made.append(self._trial(stage, "confused_deputy", person, "orders.everything", person=other))
            for text in _INJECTED:
                sent = text.replace("{other}", other).replace("{person}", person)
                made.append(self._trial(stage, "injected_argument", person, "orders.find", text=sent))
        return made

    def _together(self, stage: Stage) -> list[Trial]:
        """Everybody over the same few sessions, with statements that end early, late and badly."""
        kinds = (
            "SELECT * FROM orders",
            "SELECT 1/0 FROM orders",
            "SELECT mark FROM orders ORDER BY 1 LIMIT 2",
            "SELECT (",
        )
        made = []
        for person in PEOPLE:
            for _ in range(60):
                made.append(self._trial(stage, "at_once", person, "raw.select", sql=stage.chance.choice(kinds)))
                made.append(self._trial(stage, "at_once", person, "orders.everything"))
                made.append(left(stage, self.tally, person, "orders.slow", {}))
        return made

    def after(self) -> None:
        """What stands in rows that their owners did not write."""
        with psycopg.connect(self._admin) as connection:
            rows = connection.execute("SELECT id, owner, item, mark FROM orders ORDER BY id").fetchall()
        kept = {(index * 1000 + row, person) for index, person in enumerate(PEOPLE) for row in range(ROWS)}
        found = {(number, owner) for number, owner, _, _ in rows}
        if kept != found:
            self.tally.found(f"rows moved: {kept ^ found}")
        for row in rows:
            if row[2].startswith("changed by") or row[3] != mark(row[1], row[0] % 1000):
                self.tally.found(f"row {row} changed")

    def take_away(self, person: str) -> None:
        """End a person's right to the table. Sessions of theirs are open."""
        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(f'REVOKE {GROUP} FROM "{person}"'.encode())


@asynccontextmanager
async def postgresql(authority: Authority, tally: Tally) -> AsyncIterator[Postgresql]:
    with server() as on:
        url = orders_on(on, PEOPLE, ROWS, marks=mark, certified=True)
        certificate, key = authority.issue("server", "127.0.0.1")
        on.ask_for_proof(GROUP, tls=(certificate, key, authority.path), names=(r"/^idp\|(.*)$ \1",))
        yield Postgresql(on, url, authority, tally)
