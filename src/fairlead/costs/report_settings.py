"""What a workspace says for reports about money: `forecast:`, `value:`, `bills:`. Nothing on the path reads it."""

from typing import Annotated

from msgspec import Meta, Struct

_COLUMN = "The export's column; `a+b` is the sum of several. Default: one with a usual name."
Sum = Annotated[str, Meta(description=_COLUMN)]
Column = Annotated[str, Meta(description="The export's column. Default: one with a usual name.")]


class DriverSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the spending of a scope follows, such as orders a day: a number for each day, past days and days to come.
    It is in a file or in a database."""

    file: Annotated[
        str, Meta(description="A CSV file in the folder `drivers`, with lines such as 2026-11-21,1250.")
    ] = ""
    query: Annotated[
        str,
        Meta(
            description="SYSTEM.QUERY: a declared query of a system with `use: sql` that gives a row for each day. It "
            "is called as a tool, under the rights of who asks for a forecast, and recorded."
        ),
    ] = ""
    day: Annotated[str, Meta(min_length=1, description="The query's column of days.")] = "day"
    number: Annotated[str, Meta(min_length=1, description="The query's column of numbers.")] = "number"

    @property
    def name(self) -> str:
        """What reports call it: the file, or the query."""
        return self.file or self.query


class ForecastSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`forecast:` in fairlead.yaml: numbers that are known ahead, by the scope whose spending follows them."""

    drivers: Annotated[
        dict[str, DriverSettings],
        Meta(description="By scope: organisation, or department/NAME, task/NAME, model/NAME, workflow/NAME."),
    ] = {}


class BaselineSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a task costs when it is done by hand."""

    minutes: Annotated[float, Meta(ge=0, le=1_000_000, description="A person's minutes for one task.")]
    rate: Annotated[
        float, Meta(ge=0, le=1_000_000, description="What an hour of it costs, in the workspace's currency.")
    ]


class ValueSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `fairlead value` compares with."""

    baselines: Annotated[
        dict[str, BaselineSettings], Meta(description="The manual way, by task type, or `workflow/NAME`.")
    ] = {}


class ColumnsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which column of a provider's usage export is what."""

    time: Column = ""
    model: Column = ""
    input: Sum = ""
    output: Sum = ""
    cost: Sum = ""
    id: Column = ""

    @property
    def named(self) -> dict[str, str]:
        """Those that are said."""
        return {name: said for name in self.__struct_fields__ if (said := getattr(self, name))}


class ProviderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a provider writes its usage export."""

    columns: ColumnsSettings = ColumnsSettings()
    models: Annotated[dict[str, str], Meta(description="Our models by the provider's names of them.")] = {}
    vendor: Annotated[str, Meta(description="Whose models count. Default: models in any cloud.")] = ""
    tolerance: Annotated[
        str,
        Meta(
            pattern=r"^[0-9]{1,3}(\.[0-9]{1,6})?%$",
            description="Up to which share of their sum differences are no failure.",
        ),
    ] = "0%"


class BillsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`bills:` in fairlead.yaml: with what bills are compared."""

    providers: Annotated[
        dict[str, ProviderSettings],
        Meta(description="Usage exports by a name of yours: `fairlead bill reconcile FILE --provider NAME`."),
    ] = {}
