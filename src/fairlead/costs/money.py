"""Money as people write it, and as Fairlead counts it: int nano-units (1e-9) of the workspace's currency."""

from decimal import Decimal, InvalidOperation

from fairlead.errors import BadInput

NANO = 10**9
LARGEST = 10**9  # units of currency: sums of such caps still fit into a database's 64-bit integer


def decimal_of(value: object, key: str) -> Decimal:
    """The exact decimal that stands in the text, be it a number or a string. Raises `BadInput` naming `key`.

    A number that YAML has already read as binary is taken by its shortest decimal form, which is what was written.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise BadInput(f"{key} is no amount: {value!r}", mend="write a number, such as 12.50")
    try:
        amount = Decimal(str(value).strip())
    except InvalidOperation:
        raise BadInput(f"{key} is no amount: {value!r}", mend="write a plain number, such as 12.50") from None
    if not amount.is_finite() or not 0 <= amount <= LARGEST:
        raise BadInput(f"{key} is out of range: {value!r}", mend=f"write an amount from 0 to {LARGEST:,}")
    return amount


def parse_money(value: object, key: str = "amount") -> int:
    """Nano-units from "12.50", 12.5 or 12. Raises `BadInput` for what is no amount, or finer than a nano-unit."""
    nano = decimal_of(value, key) * NANO
    if nano != nano.to_integral_value():
        raise BadInput(f"{key} is finer than a billionth: {value!r}", mend="write at most nine decimal places")
    return int(nano)


def exact_money(nano: int) -> str:
    """For programs: the exact decimal, without trailing zeros. 1_500_000 is "0.0015"."""
    sign, size = ("-", -nano) if nano < 0 else ("", nano)
    return sign + f"{size // NANO}.{size % NANO:09d}".rstrip("0").rstrip(".")


def format_money(nano: int, currency: str = "") -> str:
    """For people: at least two decimals, and as many more as it takes to show two significant digits of a small sum.

    Rounded half up, so it is for reading and never for reckoning: 1_234_567_891 is "1.23", 1_234 is "0.0000012".
    """
    sign, size = ("-", -nano) if nano < 0 else ("", nano)
    places = 2
    while places < 9 and 0 < size < 10 ** (10 - places):
        places += 1
    step = 10 ** (9 - places)
    rounded = (size + step // 2) // step
    whole, part = divmod(rounded, 10**places)
    text = f"{sign}{whole:,}.{part:0{places}d}"
    return f"{text} {currency}" if currency else text
