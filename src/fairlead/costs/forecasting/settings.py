"""What a workspace says about forecasts: the `forecast:` part of fairlead.yaml."""

from typing import Annotated

from msgspec import Meta, Struct


class DriverSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the spending of a scope follows, such as orders a day."""

    file: Annotated[
        str,
        Meta(
            min_length=1,
            description="A CSV file in the folder `drivers` with a line for each day, past days and days to come: "
            "2026-11-21,1250.",
        ),
    ]


class ForecastSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers that are known ahead, by the scope whose spending follows them."""

    drivers: Annotated[
        dict[str, DriverSettings],
        Meta(description="By scope: organisation, or department/NAME, task/NAME, model/NAME."),
    ] = {}
