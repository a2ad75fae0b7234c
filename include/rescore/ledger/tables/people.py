"""The installation, and who is no longer in it."""

from sqlalchemy import BigInteger, Column, Index, String, Table, Text

from rescore.ledger.tables.base import metadata
from rescore.ledger.types import UtcDateTime

installation = Table(
    "installation",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
    comment="facts about this ledger itself: the salt of its tombstones, whether it was restored",
)

tombstone = Table(
    "tombstone",
    metadata,
    Column("hash", String(64), primary_key=True),  # salted; of a lead key or an e-mail address
    Column("erased_at", UtcDateTime, nullable=False),
    Column("erased_by", String, nullable=False),
    comment="who was erased and must not come back",
)

barred = Table(
    "barred",
    metadata,
    Column("lead", String, primary_key=True),  # a source's record, `source:id`, by its own key
    Column("since", UtcDateTime, nullable=False),
    Column("let_in_at", UtcDateTime),  # a person has said that it is somebody else
    Column("let_in_by", String),
    comment="living records that a source says are one with somebody who was erased",
)

record = Table(
    "record",
    metadata,
    Column("record", String, primary_key=True),  # a source's record, `source:id`, that is not always alone
    Column("source", String, nullable=False),
    Column("lead", String, nullable=False),  # what it counts as: itself when it is alone, or the first
    Column("state", String, nullable=False),  # live · deleted · ambiguous (may be one person with several)
    Column("entries", BigInteger, nullable=False),  # in the lake's log of aliases then
    Index(None, "lead"),
    comment="which records of several sources are one person",
)

erasure = Table(
    "erasure",
    metadata,
    Column("erasure_id", String(36), primary_key=True),
    Column("leads", Text),  # JSON, lead keys and e-mail addresses of the person; null once no row has them
    Column("state", String, nullable=False),  # asked · begun · swept · done
    Column("asked_at", UtcDateTime, nullable=False),
    Column("asked_by", String, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("counts", Text, nullable=False, default="{}"),  # JSON, what was removed from where
    comment="erasures under way and done",
)
