"""From facts that landed to scores that are committed."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from rescore.ledger.tables.base import metadata
from rescore.ledger.types import UtcDateTime

counter = Table(
    "counter",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
    comment="input_ver: bumped under its row lock by every landing, so numbers are in commit order",
)

stream = Table(
    "stream",
    metadata,
    Column("source", String, primary_key=True),
    Column("stream", String, primary_key=True),
    Column("cursor", Text),  # the connector's own JSON
    Column("landing", BigInteger, nullable=False, default=0),  # last landing number given out
    Column("committed", BigInteger, nullable=False, default=0),  # last landing that the ledger knows whole
    Column("unmarked_since", BigInteger),  # leads of later landings are not marked yet; null: all are
    Column("fence", BigInteger, nullable=False, default=0),
    Column("read_at", UtcDateTime),  # when it was last read to its end; null while its history is loading
    Column("rows", BigInteger, nullable=False, default=0),  # landed since then
    comment="how far each source stream has been read, and who may write it",
)

extract = Table(
    "extract",
    metadata,
    Column("source", String, primary_key=True),
    Column("stream", String, primary_key=True),
    Column("until", UtcDateTime, primary_key=True),  # it brought what was new up to this moment
    Column("since", UtcDateTime),  # the until of the one before; null: the whole history
    Column("rows", BigInteger, nullable=False),  # as read, repetitions included
    comment="how much each extract brought: what a later one can be expected to bring",
)

dirty = Table(
    "dirty",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("input_ver", BigInteger, nullable=False),
    Column("facts_until", UtcDateTime),  # latest occurred_at of its new facts: no earlier run covers it
    Column("history", Boolean, nullable=False, default=False),  # among them some of a history being read
    comment="leads whose score may have changed",
)

run = Table(
    "run",
    metadata,
    Column("run_key", String, primary_key=True),  # {Airflow run id or other}/{scorecard}
    Column("scorecard", String, nullable=False),
    Column("kind", String, nullable=False),  # incremental · initial · daily · rescore · thresholds
    Column("activation_seq", Integer, nullable=False),  # pinned
    Column("plan_hash", String(64)),  # pinned: the plan whose results this run applies
    Column("as_of", UtcDateTime, nullable=False),
    Column("input_ver", BigInteger, nullable=False),
    Column("fence", Integer, nullable=False, default=1),
    # scoring · staged · held · promoting · promoted · discarded · superseded
    Column("state", String, nullable=False),
    Column("promoted_to", String),  # last lead of the last promoted chunk
    Column("counts", Text, nullable=False, default="{}"),  # JSON, name -> whole number
    Column("seen", Text),  # JSON, table of the lake -> number of its last append that was scored
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Index(None, "scorecard", "started_at"),
    comment="one scoring run of one scorecard",
)

stage_score = Table(
    "stage_score",
    metadata,
    Column("run_key", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("score", Integer),  # whole points; null outside the audience
    Column("band", String),
    Column("dimensions", Text, nullable=False),  # JSON, dimension -> whole points or null
    Column("reasons", Text, nullable=False),  # JSON, top three of {rule, label, points}
    Column("changed", Boolean, nullable=False),  # differs from the committed row
    Column("grade", String),
    Column("restarted_at", UtcDateTime),  # the newest restart; null when there is none
    Column("withheld", String),  # why it has no score whatever the rules say: deleted · objection
    Column("flags", Text),  # JSON, names of the lead conditions that hold: `mql unless`, `mql already_fired`
    Column("causes", Text),  # JSON, cause -> whole points, of changed leads
    Column("old_score", Integer),  # the committed score that `causes` begin at
    Column(
        "under_old_rules", Text
    ),  # JSON {score, band, dimensions} at the same moment, of a planned rescore
    comment="a run's results that nobody acts on yet",
)

score = Table(
    "score",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("score", Integer),
    Column("band", String),
    Column("dimensions", Text, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("activation_seq", Integer, nullable=False),  # the guard: these three never go back
    Column("as_of", UtcDateTime, nullable=False),
    Column("input_ver", BigInteger, nullable=False),
    Column("ver", BigInteger, nullable=False),  # one more at every change; 0 until the first score
    Column("changed_at", UtcDateTime, nullable=False),  # as_of of the last change
    Column("grade", String),
    Column("restarted_at", UtcDateTime),
    Column("withheld", String),  # why it has no score: deleted · objection · merged (away, into another lead)
    comment="the state of record",
)

delta = Table(
    "delta",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("ver", BigInteger, primary_key=True),
    Column("run_key", String, nullable=False),
    Column("activation_seq", Integer, nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
    Column("old_score", Integer),
    Column("new_score", Integer),
    Column("old_band", String),
    Column("new_band", String),
    Column("causes", Text),  # JSON, cause -> whole points; they sum to the change of the score
    Index(None, "run_key"),
    comment="every committed change of a score",
)
