"""`declassify:` in a file of `rules/`: the only ways in which data may get a lower class than what it was made from."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from fairlead.labels import ClassName

RuleName = Annotated[
    str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$", description="Lower-case letters, digits and underscores.")
]
Period = Literal["day", "week", "month", "quarter", "year"]
Statistic = Literal["sum", "mean", "thirds"]


class ValueSetting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column that is reckoned with: what each subject has of it in a group counts, within bounds."""

    within: Annotated[
        tuple[float, float],
        Meta(description="The least and the most that one subject may contribute to a group; more counts as this."),
    ]
    gives: Annotated[
        tuple[Statistic, ...],
        Meta(
            min_length=1,
            description="What is told of it. `thirds`: the means of the lowest, middle and highest third, where "
            "each has `at_least` subjects. A median, or a greatest value, would be that of one subject.",
        ),
    ] = ("sum", "mean")


class AggregateSetting(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"source": "of"},
    tag_field="kind",
    tag="aggregate",
):
    """A tool that tells of groups of people what its source has of each of them. Its result has a lower class.

    The source is a declared query of an SQL system that everybody reads by the same account. It gives a row for each
    subject and group, or several; its grouping is fixed, and so is what is told for a period, once it was told.
    """

    name: RuleName
    source: Annotated[str, Meta(description="The declared query: `system.query`. It gives rows; the tool counts.")]
    about: Annotated[str, Meta(description="What the tool is for: models read this.")] = ""
    arguments: Annotated[
        dict[str, Any],
        Meta(
            description="The query's arguments, always the same. `$since` and `$until` stand for the first day of the "
            "period and the first day after it; both must be there."
        ),
    ]
    subject: Annotated[str, Meta(description="The column that tells whom a row is about.")]
    by: Annotated[tuple[str, ...], Meta(min_length=1, max_length=2, description="One or two columns to group by.")]
    values: Annotated[dict[str, ValueSetting], Meta(description="Columns that are reckoned with, by name.")] = {}
    at_least: Annotated[int, Meta(ge=3, le=100_000, description="The fewest subjects of a group that is told of.")] = 10
    dominance: Annotated[
        float, Meta(gt=0, lt=1, description="The greatest share that one subject may have of a value of a group.")
    ] = 0.5
    totals: Annotated[
        bool, Meta(description="Tell the whole too, where no group is left out: else it could be reckoned back.")
    ] = False
    period: Annotated[Period, Meta(description="The time that a result is about: the last that is over, in UTC.")] = (
        "month"
    )
    take_down: Annotated[ClassName, Meta(description="The highest class of a source that this may be made from.")] = (
        "confidential"
    )
    to: Annotated[ClassName, Meta(description="The class of the result.")] = "internal"


class DecisionSetting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="decision"):
    """A tool that gives a text back with a lower class, once somebody has let this very text pass."""

    name: RuleName
    role: Annotated[
        str,
        Meta(
            min_length=1,
            description="Who decides, as for approvals: never who asks. They are shown the text, so name whoever may "
            "read such texts.",
        ),
    ]
    about: Annotated[str, Meta(description="What the tool is for: models read this.")] = ""
    take_down: Annotated[ClassName, Meta(description="The highest class of a text that this may be asked for.")] = (
        "confidential"
    )
    to: Annotated[ClassName, Meta(description="The class that the text then has.")] = "internal"


AnyDeclassification = AggregateSetting | DecisionSetting
