"""What a workspace says about money: the `prices:` and `budgets:` parts of fairlead.yaml."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Amount = int | float | str  # a float's shortest decimal form is what was written; a string is exact at any length
PerMillion = Annotated[Amount, Meta(description="Price of a million tokens, such as 0.25 or '0.25'.")]
ServiceShare = Annotated[Amount, Meta(description="At most four decimal places, up to 100.")]
Cap = Annotated[
    Amount, Meta(description="Units of the workspace's currency, or credits. 0 allows only what is free, and allotted.")
]
Share = Annotated[str, Meta(pattern="^[0-9]{1,3}%$", examples=["80%"])]
Rollover = Annotated[str, Meta(pattern=r"^([0-9]{1,3}%|at most [0-9]+(\.[0-9]+)?)$")]


Output = Annotated[PerMillion, Meta(description="Required, unless of a model for embeddings, which has no output.")]
SoundIn = Annotated[
    PerMillion, Meta(description="Of sound in the input. Left out, requests that hold sound are refused.")
]
SoundOut = Annotated[PerMillion, Meta(description="Of sound in the output.")]
Hour = Annotated[
    PerMillion,
    Meta(
        description="Of input that is kept for an hour. Left out where `cache_write` is stated, requests for it "
        "(`ttl: 1h`) are refused; where neither is, it costs what input costs."
    ),
]


class TierSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices of requests with more than `above` input tokens; they apply to all tokens of such a request."""

    above: Annotated[int, Meta(gt=0, description="Input tokens, cached ones included, from which on the tier applies.")]
    input: PerMillion
    output: Output | UnsetType = UNSET
    cached_input: PerMillion | UnsetType = UNSET
    cache_write: PerMillion | UnsetType = UNSET
    cache_write_1h: Hour | UnsetType = UNSET
    audio_input: SoundIn | UnsetType = UNSET
    audio_output: SoundOut | UnsetType = UNSET


class PriceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `prices:`, under the name of a model of the workspace or `vendor/remote model`.

    A price that is left out is never guessed cheaper: cached and cache-writing tokens then cost what input costs. What
    a request needs beside (sound, an hour in the cache, a service tier) is refused where it has no price; what a
    provider reports all the same is billed at the dearest price there is, and flagged `unpriced`.
    """

    input: PerMillion
    output: Output | UnsetType = UNSET
    cached_input: PerMillion | UnsetType = UNSET
    cache_write: PerMillion | UnsetType = UNSET
    cache_write_1h: Hour | UnsetType = UNSET
    audio_input: SoundIn | UnsetType = UNSET
    audio_output: SoundOut | UnsetType = UNSET
    per_request: Annotated[Amount, Meta(description="Units of the currency for each call, whatever its size.")] = 0
    service_tiers: Annotated[
        dict[str, ServiceShare],
        Meta(
            description="What being served otherwise costs, as a multiple of all these prices, such as "
            "{flex: 0.5, priority: 2}. Holds are made for the dearest."
        ),
    ] = {}
    tiers: list[TierSettings] = []


class AskSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is asked when a budget is spent, and by how much it is raised for the period once they agree."""

    role: Annotated[str, Meta(min_length=1, description="The role that approves it: see `approvals.roles`.")]
    raise_by: Annotated[Amount, Meta(description="How much more may be spent then, in this period.")]


class CreditSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What amounts under `budgets:` are in, in place of money. Prices stay in the currency."""

    name: Annotated[str, Meta(pattern="^[A-Za-z][A-Za-z0-9_-]{0,29}$", description="What one is called: `credit`.")]
    worth: Annotated[
        Amount,
        Meta(
            description="Units of the currency. Money must be credits without a remainder: 0.01, 0.25 or 5, not 0.03."
        ),
    ]


class BudgetSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Caps on one scope, one for each period that is named. All of them hold at once. Periods begin at 00:00 UTC.

    What a cap is short for is what may be spent: the cap, and what was carried over, allotted, moved and raised.
    """

    daily: Cap | UnsetType = UNSET
    weekly: Annotated[Cap | UnsetType, Meta(description="ISO weeks: Monday to Sunday.")] = UNSET
    monthly: Cap | UnsetType = UNSET
    total: Annotated[Cap | UnsetType, Meta(description="For ever: money that is spent once.")] = UNSET
    warn: Annotated[
        str | list[Share] | None,  # `Share` alone beside a list: msgspec 0.22 crashes when it frees that type
        Meta(
            description="Warn once per period at this share of what may be spent, or at each of several; null: never."
        ),
    ] = "80%"
    rollover: Annotated[
        bool | Rollover,
        Meta(description="What of the remainder goes on to the next period: `true`, all; `50%`; `at most 100`."),
    ] = False
    at_cap: Annotated[
        Literal["refuse", "cheaper", "ask"],
        Meta(
            description="What happens to a call that does not fit: it is refused; candidates that do fit are used in "
            "its place; or it is refused, and somebody is asked to raise the cap."
        ),
    ] = "refuse"
    ask: Annotated[AskSettings | None, Meta(description="Of `at_cap: ask`: who, and for how much.")] = None


class BudgetsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`budgets:` in fairlead.yaml. An action is held against every budget that it falls under.

    Under `departments`, `persons`, `tasks` and `workflows`, "*" gives each one that is not named a budget of its own. A
    named entry replaces "*" as a whole. Callers without a department share one. All runs of a workflow share its own.
    """

    currency: Annotated[
        str,
        Meta(
            pattern="^[A-Z]{3}$",
            description="ISO 4217 code of every amount here and under `prices:`. The bundled price list is in USD: "
            "in another currency each model in a cloud needs its own entry under `prices:`.",
        ),
    ] = "USD"
    timezone: Annotated[
        Literal["UTC"], Meta(description="Where periods begin. Only UTC: workers everywhere must agree on the day.")
    ] = "UTC"
    credits: Annotated[CreditSettings | None, Meta(description="Have budgets in credits. Default: in money.")] = None
    alarms: Annotated[
        tuple[str, ...], Meta(description="Names of `alarms:` that are called when a budget passes a share of `warn`.")
    ] = ()
    organisation: BudgetSettings = BudgetSettings()
    departments: dict[str, BudgetSettings] = {}
    persons: dict[str, BudgetSettings] = {}
    tasks: dict[str, BudgetSettings] = {}
    workflows: dict[str, BudgetSettings] = {}
