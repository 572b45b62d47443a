"""The writer thread's books: its connection, and what it need not read again while nobody else writes."""

from collections.abc import Sequence
from typing import Final

from fairlead.audit.merkle import Frontier, leaf_hash
from fairlead.clock import Clock
from fairlead.errors import OverBudget
from fairlead.storage.group import Balance, Key, decide
from fairlead.storage.sqlite_journal import SqliteJournal
from fairlead.storage.types import Receipt, Write

_REMEMBERED: Final = 20_000  # balances; beyond it they are read again


class Books:
    """Carries out groups of writes, each in one transaction. For one thread."""

    def __init__(self, database: SqliteJournal, worker: str, clock: Clock) -> None:
        self._database = database
        self._worker = worker
        self._clock = clock
        self._version = -1
        self._frontier: Frontier | None = None
        self._balances: dict[Key, Balance] = {}
        self.end = database.end

    def write(self, writes: Sequence[Write]) -> list[Receipt | OverBudget]:
        """All of it in one transaction, or nothing and an exception."""
        try:
            return self._write(writes)
        except BaseException:
            self._forget()
            self._database.undo()
            raise

    def _write(self, writes: Sequence[Write]) -> list[Receipt | OverBudget]:
        database = self._database
        version, gone = database.begin([write.close.id for write in writes if write.close is not None])
        if version != self._version or len(self._balances) > _REMEMBERED:
            self._forget()
            self._version = version
        if self._frontier is None:
            self._frontier = database.frontier()
        decision = decide(writes, gone, self._frontier.size, self._balance)
        if decision.touched:
            database.set_balances(decision.touched.items())
        if decision.opened:
            database.open_holds(decision.opened, self._worker, self._clock.now())
        if decision.entries:
            grown = self._frontier.extend([leaf_hash(entry.record) for entry in decision.entries])
            database.append(self._frontier.size, decision.entries, grown)
            self._frontier = grown
        database.commit()
        return decision.answers

    def _balance(self, key: Key) -> Balance:
        balance = self._balances.get(key)
        if balance is None:
            balance = self._balances[key] = self._database.balance(key)
        return balance

    def _forget(self) -> None:
        self._version = -1
        self._frontier = None
        self._balances.clear()
