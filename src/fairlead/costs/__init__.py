"""Money: what a call costs, what is held for it, and which caps it counts against."""

from fairlead.costs.budgets import Budgets, compile_budgets
from fairlead.costs.estimates import estimate, estimates
from fairlead.costs.money import format_money, parse_money
from fairlead.costs.price_list import decode_rates, encode_rates, resolve_rates
from fairlead.costs.prices import cost, upper_bound
from fairlead.costs.settings import BudgetsSettings, PriceSettings
from fairlead.costs.spending import summarise
from fairlead.costs.types import Estimate, Rate, Tier

__all__ = [
    "Budgets",
    "BudgetsSettings",
    "Estimate",
    "PriceSettings",
    "Rate",
    "Tier",
    "compile_budgets",
    "cost",
    "decode_rates",
    "encode_rates",
    "estimate",
    "estimates",
    "format_money",
    "parse_money",
    "resolve_rates",
    "summarise",
    "upper_bound",
]
