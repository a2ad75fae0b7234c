"""Rules: every body ever seen, what is in force, what waits for a person."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from rescore.ledger.tables.base import metadata
from rescore.ledger.types import UtcDateTime

rules_version = Table(
    "rules_version",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("body", LargeBinary),  # null when rejected without being read to its end
    Column("lists", Text),  # JSON, path -> text: the list files that the body names, as read with it
    # draft · rejected · held · discarded · active · retired · shadow
    Column("status", String, nullable=False),
    Column("error", Text),  # why a body was rejected: one line a problem
    Column("scoring", String(64)),  # the fingerprint's three parts; null when rejected
    Column("thresholds", String(64)),
    Column("wording", String(64)),
    Column("path", String, nullable=False),
    Column("seen", Integer, nullable=False),  # the highest of a path is what the file said last
    Column("registered_at", UtcDateTime, nullable=False),
    Column("registered_by", String, nullable=False),
    Column("told_at", UtcDateTime),  # when people were told that it is rejected
    UniqueConstraint("scorecard", "sha256"),
    comment="every body ever seen, exactly as read; a rejected one is remembered by its hash",
)

activation = Table(
    "activation",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("activation_seq", Integer, primary_key=True),
    Column("version_seq", Integer, nullable=False),
    Column("wakes", String, nullable=False),  # scoring · thresholds · wording: the strongest part that moved
    Column("plan_hash", String(64)),  # the plan that its rescore applies; null: nothing to compare with
    Column("hold_id", String),  # the hold whose release put it in force; null: nobody had to be asked
    Column("activated_at", UtcDateTime, nullable=False),
    Column("activated_by", String, nullable=False),
    Column("rescored_at", UtcDateTime),  # null while its rescore is owed
    Column("attempt", Integer, nullable=False, default=0),  # rescores asked for so far
    Column("attempted_at", UtcDateTime),
    Column("told_at", UtcDateTime),  # when people were told that its rescore is done
    ForeignKeyConstraint(["scorecard", "version_seq"], ["rules_version.scorecard", "rules_version.seq"]),
    comment="puts one version in force",
)

control = Table(
    "control",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("activation_seq", Integer),  # the one in force
    Column("paused", Boolean, nullable=False, default=False),
    Column("paused_by", String),
    Column("paused_at", UtcDateTime),
    Column("paused_reason", Text),  # null when a person paused it
    Column("first_load_done", Boolean, nullable=False, default=False),  # nothing fires before
    Column("full_pass_date", Date),  # local date of the last pass over everybody
    comment="one row a scorecard: what is in force",
)

plan = Table(
    "plan",
    metadata,
    Column("plan_hash", String(64), primary_key=True),
    Column("scorecard", String, nullable=False),
    Column("old_version", Integer, nullable=False),
    Column("new_version", Integer, nullable=False),
    Column("activation_seq", Integer, nullable=False),  # in force when it was made
    Column("as_of", UtcDateTime, nullable=False),
    Column("input_ver", BigInteger, nullable=False),
    Column("snapshot", Text, nullable=False),  # JSON: the versions of the lake's tables
    Column("summary", Text, nullable=False),  # JSON: counts and verdict, no lead data
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", String, nullable=False),
    comment="what putting a version in force would do; the report and the results are files",
)

hold = Table(
    "hold",
    metadata,
    Column("hold_id", String, primary_key=True),
    Column("scorecard", String, nullable=False),
    Column("what", String, nullable=False),  # rules · stage · automation
    Column("version_seq", Integer),  # of a held rules change
    Column("plan_hash", String(64)),
    Column("run_key", String),  # of a held stage, or of the run whose crossings are held
    Column("automation", String),
    Column("summary", Text, nullable=False),  # JSON: why, in sentences, and counts; no lead data
    Column("state", String, nullable=False),  # open · released · silenced · discarded · expired · superseded
    Column("opened_at", UtcDateTime, nullable=False),
    Column("opened_by", String, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("asked_at", UtcDateTime),  # when a review was started
    Column("told_at", UtcDateTime),  # when people were told
    Column("decided_at", UtcDateTime),
    Column("decided_by", String),
    Index(None, "scorecard", "state"),
    comment="what waits for a person: a rules change, a run's stage, or one automation's crossings",
)

shadow = Table(
    "shadow",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("version_seq", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("started_by", String, nullable=False),
    ForeignKeyConstraint(["scorecard", "version_seq"], ["rules_version.scorecard", "rules_version.seq"]),
    comment="a version that scores every run beside the one in force and writes nothing",
)

shadow_run = Table(
    "shadow_run",
    metadata,
    Column("run_key", String, primary_key=True),
    Column("scorecard", String, nullable=False),
    Column("version_seq", Integer, nullable=False),
    Column("activation_seq", Integer, nullable=False),  # what it was compared with
    Column("as_of", UtcDateTime, nullable=False),
    Column("everybody", Boolean, nullable=False),
    Column("leads", Integer),  # how many results there are in the lake; null: it failed
    Column("failure", Text),
    Index(None, "scorecard", "as_of"),
    comment="the runs that a shadow version scored; the results are files of the lake",
)
