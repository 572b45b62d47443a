"""What a group of writes comes to: whose hold closes, whose fits under its caps, what is appended. Pure arithmetic.

`Books` calls `decide` while it holds the database's write lock, with balances read under that lock, so what is
decided here is exact. Closes come before opens: money that is given back in a group can be held again in it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from fairlead.errors import OverBudget
from fairlead.storage.types import Entry, Hold, Receipt, ScopeLimit, Write

# The largest integer that a database column holds. Spending beyond it stays there: no cap is above it.
MOST: Final = 2**63 - 1

Key = tuple[str, str]  # scope, period


@dataclass(slots=True)
class Balance:
    """A budget in a period, as the group changes it. `extra` is what may be spent beyond the cap (less, if negative):
    the journal only reads it. `passed` is the largest share of `ScopeLimit.shares` that spending has reached, `told`
    the largest that somebody was told of."""

    held: int = 0
    spent: int = 0
    extra: int = 0
    passed: int = 0
    told: int = 0


class Decision(Struct, frozen=True):
    """What is to be written, and what each write's caller is to be told, in the order of the writes."""

    answers: list[Receipt | OverBudget]
    touched: dict[Key, Balance]
    opened: list[Hold]
    entries: list[Entry]


_DONE: Final = Receipt()
_SETTLED_BEFORE: Final = Receipt(closed=False)


def scopes(limits: tuple[ScopeLimit, ...]) -> dict[Key, ScopeLimit]:
    """The limits by what they count. Of two on the same scope and period the tighter holds, and money counts once."""
    found = {(limit.scope, limit.period): limit for limit in limits}
    if len(found) < len(limits):
        for limit in limits:
            key = (limit.scope, limit.period)
            if limit.cap < found[key].cap:
                found[key] = limit
    return found


def decide(
    writes: Sequence[Write], gone: Collection[str], first_leaf: int, balance_of: Callable[[Key], Balance]
) -> Decision:
    """Settles and reserves in arrival order. `gone` are the ids of holds that somebody had settled before.

    Changes the balances that `balance_of` gives; whoever cannot commit the decision must forget them.
    """
    decision = Decision([], {}, [], [])
    warning_due = _close(writes, gone, decision.touched, balance_of)
    for write in writes:
        decision.answers.append(_answer(write, gone, first_leaf, balance_of, decision, warning_due))
    return decision


def _close(
    writes: Sequence[Write], gone: Collection[str], touched: dict[Key, Balance], balance_of: Callable[[Key], Balance]
) -> bool:
    """Turns holds into spending. True if somebody's warning may be due."""
    warning_due = False
    for write in writes:
        hold = write.close
        if hold is None or hold.id in gone:
            continue
        for key, limit in scopes(hold.limits).items():
            balance = touched[key] = balance_of(key)
            held, spent = balance.held - hold.amount, balance.spent + write.spent
            balance.held = held if held > 0 else 0
            balance.spent = spent if spent < MOST else MOST
            if shares := limit.shares:
                most = (limit.cap if limit.cap < MOST else MOST) + balance.extra
                if balance.spent * 100 >= shares[0] * most > 0:
                    _pass(shares, most, balance)
                if balance.passed > balance.told:
                    warning_due = True
    return warning_due


def _pass(shares: tuple[int, ...], most: int, balance: Balance) -> None:
    """Notes the largest share of `most` that spending has reached by now. A share of nothing is never reached."""
    reached = balance.spent * 100 // most
    for share in shares:
        if balance.passed < share <= reached:
            balance.passed = share


def _answer(
    write: Write,
    gone: Collection[str],
    first_leaf: int,
    balance_of: Callable[[Key], Balance],
    decision: Decision,
    warning_due: bool,
) -> Receipt | OverBudget:
    closing, opening = write.close, write.open
    if closing is not None and closing.id in gone:
        return _SETTLED_BEFORE
    refusal = _open(opening, decision.touched, balance_of) if opening is not None else None
    if refusal is not None and closing is None:
        return refusal
    leaf = -1
    if write.entries:
        leaf = first_leaf + len(decision.entries)
        decision.entries.extend(write.entries)
    if refusal is not None:
        return refusal
    if opening is not None:
        decision.opened.append(opening)
    warnings = _warnings(closing, decision.touched) if warning_due and closing is not None else ()
    return Receipt(True, leaf, warnings) if leaf >= 0 or warnings else _DONE


def _open(hold: Hold, touched: dict[Key, Balance], balance_of: Callable[[Key], Balance]) -> OverBudget | None:
    """Holds the amount in every scope, or in none and says which cap is the tightest. What is free passes none."""
    found = [(key, limit, balance_of(key)) for key, limit in scopes(hold.limits).items()]
    amount, tightest = hold.amount, None
    for _, limit, balance in found:
        left = min(limit.cap, MOST) + balance.extra - balance.held - balance.spent
        if amount > left and amount > 0 and (tightest is None or left < tightest[0]):
            tightest = left, limit
    if tightest is not None:
        left, limit = tightest
        return OverBudget(scope=limit.scope, period=limit.period, left=max(0, left), needed=amount)
    for key, _, balance in found:
        balance.held += amount
        touched[key] = balance
    return None


def _warnings(hold: Hold, touched: dict[Key, Balance]) -> tuple[ScopeLimit, ...]:
    """The shares that spending has passed and that nobody was told of. Once given, they are marked."""
    passed = []
    for key, limit in scopes(hold.limits).items():
        balance = touched[key]
        if limit.shares and balance.passed > balance.told:
            balance.told = balance.passed
            passed.append(replace(limit, shares=(balance.passed,)))
    return tuple(passed)
