"""What a statement that a model writes may be made of: kinds of nodes of the syntax tree, types, and functions by name.

It is a list of what is let in. What a parser learns tomorrow stays outside until somebody has looked at it.
"""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PARTS: Final[dict[str, frozenset[str]]] = {
    "Select": _words("with_ expressions distinct from_ joins laterals where group having windows order limit offset"),
    "Union": _words("distinct expression limit offset order this with_"),
    "Intersect": _words("distinct expression limit offset order this with_"),
    "Except": _words("distinct expression limit offset order this with_"),
    "Subquery": _words("alias joins limit offset order this with_"),
    "With": _words("expressions recursive"),
    "CTE": _words("alias materialized this"),
    "Table": _words("alias db joins this"),
    "Join": _words("kind method on side this using"),
    "Values": _words("alias expressions"),
    "Lateral": _words("alias this"),
    "Window": _words("alias order over partition_by spec this"),
    "Group": _words("cube expressions grouping_sets rollup"),
    "Ordered": _words("desc nulls_first this"),
    "Order": _words("expressions this"),
    "Limit": _words("expression this"),
    "Fetch": _words("count direction limit_options"),
    "Column": _words("table this"),
    "Star": _words(""),
    "Identifier": _words("quoted this"),
    "Cast": _words("this to"),
    "DataType": _words("expressions nested this"),
    "In": _words("expressions query this"),
    "Bracket": _words("expressions offset this"),
    "Dot": _words("expression this"),
    "Anonymous": _words("expressions this"),
}
"""Kinds with parts that could do something else: only these parts. `KINDS` have no such parts."""

KINDS: Final = _words(
    """
    From Where Having Offset LimitOptions Distinct TableAlias Alias Tuple Paren Literal Boolean Null Var WindowSpec
    Filter WithinGroup Rollup Cube GroupingSets Exists Any All Between Like ILike Glob Escape SimilarTo RegexpLike
    RegexpILike Is Not And Or EQ NEQ GT GTE LT LTE NullSafeEQ NullSafeNEQ Add Sub Mul Div IntDiv Mod Neg DPipe Pow
    BitwiseAnd BitwiseOr Case If DataTypeParam Interval AtTimeZone Array Slice JSONExtract JSONExtractScalar
    JSONBExtract JSONBExtractScalar JSONPath JSONPathRoot JSONPathKey JSONPathSubscript JSONBContains
    ArrayContainsAll ArrayContainedBy ArrayOverlaps CurrentDate CurrentTime CurrentTimestamp Localtime
    Localtimestamp Count Sum Avg Min Max LogicalAnd LogicalOr GroupConcat ArrayAgg JSONArrayAgg JSONObjectAgg
    JSONBObjectAgg Stddev StddevPop StddevSamp Variance VariancePop Corr CovarPop CovarSamp PercentileCont
    PercentileDisc Mode RowNumber Rank DenseRank PercentRank CumeDist Ntile Lag Lead FirstValue LastValue NthValue
    Abs Ceil Floor Round Trunc Sign Sqrt Exp Ln Log Greatest Least WidthBucket Lower Upper Initcap Length Substring
    Left Right Trim Replace Translate Reverse StrPosition SplitPart Concat ConcatWs StartsWith Ascii MD5
    RegexpReplace RegexpCount Overlay Coalesce Nullif TimestampTrunc Extract StrToDate StrToTime TimeToStr ToNumber
    JustifyDays JustifyHours TimestampFromParts ArraySize ArrayPosition ArrayToString StringToArray Typeof Hex
    JSONType Date TsOrDsToTimestamp UnixToTime
    JSONObject JSONKeyValue JSONBContainsTopKey
    """
)

# Kinds whose text in a dialect would mean something else than what was written.
ALTERED: Final = {"postgres": frozenset(("Hex",)), "sqlite": frozenset(("Greatest", "Least"))}

TYPES: Final = _words(
    """
    TEXT VARCHAR CHAR INT BIGINT SMALLINT DECIMAL FLOAT DOUBLE BOOLEAN DATE TIME TIMETZ TIMESTAMP TIMESTAMPTZ
    INTERVAL UUID JSON JSONB ARRAY
    """
)

FUNCTIONS: Final = _words(
    """
    count sum avg min max total bool_and bool_or every string_agg group_concat array_agg json_agg jsonb_agg
    json_object_agg jsonb_object_agg stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop
    covar_samp percentile_cont percentile_disc mode row_number rank dense_rank percent_rank cume_dist ntile lag lead
    first_value last_value nth_value abs ceil ceiling floor round trunc sign sqrt power exp ln log mod div greatest
    least width_bucket lower upper initcap length char_length octet_length substr substring left right trim ltrim
    rtrim btrim replace translate reverse position strpos instr split_part concat concat_ws starts_with ascii
    unicode md5 hex quote typeof regexp_replace regexp_match regexp_count overlay coalesce nullif ifnull iif all
    current_date current_time current_timestamp localtime localtimestamp date_trunc date_part extract age make_date
    make_timestamp to_date to_timestamp to_char to_number justify_days justify_hours date time datetime julianday
    strftime unixepoch json_extract json_array_length jsonb_array_length json_typeof jsonb_typeof json_type
    json_build_object jsonb_build_object json_build_array jsonb_build_array json_object json_array
    jsonb_extract_path_text to_json to_jsonb json_valid json_quote array_length cardinality array_position
    array_to_string string_to_array
    """
)
"""By the name under which the database knows them. None reads a file, a setting, a catalogue or a sequence, runs SQL
that it is given, waits, or makes much out of little."""

WORDS: Final = _words(
    """
    in exists any all values as over filter group by on using and or not select from where having union intersect
    except with lateral join rollup cube sets when then else case between like ilike is distinct array cast interval
    offset limit partition order materialized recursive to all similar escape decimal numeric varchar char timestamp
    time timestamptz timetz float
    """
) | {"grouping sets"}
"""Words of the grammar behind which a parenthesis opens and nothing is called."""
