"""Money: what a call costs, what is held for it, and which caps it counts against.

This face is what compiling a workspace needs. The path holds and settles through `ledger`; reports are `spending`.
"""

from fairlead.costs.budgets import Budgets, compile_budgets
from fairlead.costs.price_list import decode_rates, encode_rates, resolve_rates
from fairlead.costs.types import Rate

__all__ = ["Budgets", "Rate", "compile_budgets", "decode_rates", "encode_rates", "resolve_rates"]
