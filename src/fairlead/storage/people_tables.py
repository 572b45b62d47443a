"""The tables of what identity providers push. A part of `schema`, which says what holds for all of them."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, UniqueConstraint

from fairlead.storage.columns import Text, metadata, required

# What identity providers push. `version` grows with every change, `reread` is the last one after which single changes
# do not tell everything; `sealed` is the key by which names are looked up, sealed for nobody.
people = Table(
    "people",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1
    required("version", BigInteger),
    required("reread", BigInteger),
    required("holder", Text),
    required("sealed", LargeBinary),
)

# A person whom a provider has pushed. Names are kept sealed for the person; `user_name` and `external_id` are keyed
# digests, to be found by. `version` is that of the last change, of groups too.
person = Table(
    "person",
    metadata,
    Column("id", Text, primary_key=True),
    required("provider", Text),
    Column("subject", Text, ForeignKey("subject.id", ondelete="CASCADE"), nullable=False),
    required("user_name", LargeBinary),
    required("external_id", LargeBinary),
    required("active", Boolean),
    required("version", BigInteger),
    required("made_at", BigInteger),
    required("changed_at", BigInteger),
    required("sealed", LargeBinary),
    sqlite_with_rowid=False,
)
Index(None, person.c.provider, person.c.user_name)
Index(None, person.c.provider, person.c.external_id)
Index(None, person.c.subject)
Index(None, person.c.version)

# A group that a provider has pushed. `folded` is the name as it is compared with others.
person_group = Table(
    "person_group",
    metadata,
    Column("id", Text, primary_key=True),
    required("provider", Text),
    required("name", Text),
    required("folded", Text),
    required("external_id", Text),
    required("version", BigInteger),
    required("made_at", BigInteger),
    required("changed_at", BigInteger),
    UniqueConstraint("provider", "folded"),
    sqlite_with_rowid=False,
)
Index(None, person_group.c.version)

group_member = Table(
    "group_member",
    metadata,
    Column("group", Text, ForeignKey("person_group.id", ondelete="CASCADE"), primary_key=True),
    Column("person", Text, ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    sqlite_with_rowid=False,
)
Index(None, group_member.c.person)
