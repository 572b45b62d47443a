"""The table of what was told of groups of people. A part of `schema`, which says what holds for all of them."""

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table

from fairlead.storage.columns import Text, metadata, required

# What was told, of which source and which days (`since` and `until` are ISO dates): told again as it is, and never
# reckoned anew. `rule` is the tool, `digest` of the rule that it was reckoned by. `content` is JSON: groups of people
# and no person, so it stands in the clear.
released = Table(
    "released",
    metadata,
    Column("source", Text, primary_key=True),
    Column("since", Text, primary_key=True),
    required("until", Text),
    required("rule", Text),
    required("digest", Text),
    required("at", BigInteger),
    required("groups", Integer),
    required("suppressed", Integer),
    required("content", LargeBinary),
)
