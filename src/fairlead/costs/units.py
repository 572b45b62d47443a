"""What amounts are shown in: money, or credits that are worth some. Everything is counted in nano-units of money."""

from msgspec import Struct

from fairlead.costs.money import NANO, decimal_of, exact_money, format_money, parse_money
from fairlead.costs.settings import CreditSettings
from fairlead.errors import BadInput


class Unit(Struct, frozen=True):
    """A unit by its name, and what one is worth in nano-units of money."""

    name: str
    worth: int = NANO

    def exact(self, nano: int) -> str:
        """For programs: so much money as an exact decimal of this unit."""
        if self.worth == NANO:
            return exact_money(nano)
        places, ten = 0, 1
        while ten % self.worth:  # as many decimal places as every whole number of nano-units has in this unit
            places, ten = places + 1, ten * 10
        whole, part = divmod(abs(nano) * (ten // self.worth), ten)
        return ("-" if nano < 0 else "") + (f"{whole}.{part:0{places}d}".rstrip("0") if part else f"{whole}")

    def shown(self, nano: int, name: bool = False) -> str:
        """For people, rounded: see `format_money`."""
        size = nano if self.worth == NANO else (nano * NANO * 2 + self.worth) // (2 * self.worth)
        return format_money(size, self.name if name else "")

    def worth_in(self, currency: str) -> str:
        """Its name; of credits, with what one is worth."""
        return self.name if self.worth == NANO else f"{self.name}, {exact_money(self.worth)} {currency} each"

    def parse(self, value: object, key: str = "amount") -> int:
        """Nano-units of money from an amount of this unit. Raises `BadInput` naming `key`."""
        if self.worth == NANO:
            return parse_money(value, key)
        nano = decimal_of(value, key) * self.worth
        if nano != nano.to_integral_value() or nano > 10**9 * NANO:
            raise BadInput(
                f"{key} is no amount of {self.name}: {value!r}",
                why="it is finer than a billionth of a unit of money, or more than a billion of them",
                mend="write fewer decimal places, or a smaller amount",
            )
        return int(nano)


def unit_of(currency: str, credits: CreditSettings | None) -> Unit:
    """What a workspace's amounts are in. Raises `BadInput` where money would not be credits without a remainder."""
    if credits is None:
        return Unit(currency)
    worth = parse_money(credits.worth, "budgets.credits.worth")
    rest = worth
    for prime in (2, 5):
        while rest and rest % prime == 0:
            rest //= prime
    if rest != 1:
        raise BadInput(
            f"budgets.credits.worth is {credits.worth!r}",
            why="money would be credits only with a remainder, and bills must add up",
            mend="write 0.01, 0.05, 0.25, 1 or another that divides ten, a hundred, …",
        )
    return Unit(credits.name, worth)
