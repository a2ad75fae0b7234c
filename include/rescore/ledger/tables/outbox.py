"""What is owed to the world, and what people wrote over what it was given."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from rescore.ledger.tables.base import metadata
from rescore.ledger.types import UtcDateTime

sync = Table(
    "sync",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("target", String, primary_key=True),
    Column("want_ver", BigInteger, nullable=False),  # score.ver that the target should show
    Column("acked_ver", BigInteger, nullable=False, default=0),  # score.ver that it confirmed
    # due · settled · parked · shadow · small (below minimum_change) · overridden · deleted · elsewhere
    Column("state", String, nullable=False),
    Column("priority", Integer, nullable=False, default=2),  # 1 band change or crossing · 2 score · 3 drift
    Column("tries", Integer, nullable=False, default=0),
    Column("next_at", UtcDateTime),
    Column("lease_until", UtcDateTime),
    Column("lease_by", String),
    Column("failure", String),  # outcome class of the last failure
    Column("reason", Text),  # of the last failure
    Column("shown_score", Integer),  # what it confirmed last
    Column("shown_band", String),
    Column("shown_hash", String(16)),  # of every figure it confirmed last; null when nobody knows
    Column("acked_at", UtcDateTime),
    Index(None, "target", "state", "priority", "lead"),
    comment="level-triggered: what each target should show of each lead",
)

delivery = Table(
    "delivery",
    metadata,
    Column("delivery_id", String(36), primary_key=True),  # uuid5 of automation, lead, n, action
    Column("scorecard", String, nullable=False),
    Column("automation", String, nullable=False),
    Column("lead", String, nullable=False),
    Column("n", Integer, nullable=False),
    Column("action", Integer, nullable=False),  # position in the automation's `do`
    # webhook · crm_task · crm_fields · slack · email
    Column("kind", String, nullable=False, default="webhook"),
    Column("connection", String, nullable=False),
    Column("body", LargeBinary, nullable=False),  # frozen: the bytes that are sent and signed
    Column("run_key", String, nullable=False),
    Column("activation_seq", Integer, nullable=False),
    # due · delivered · parked (a dead letter) · expired · cancelled · discarded
    Column("state", String, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),  # not sent from then on
    Column("next_at", UtcDateTime),
    Column("lease_until", UtcDateTime),
    Column("lease_by", String),
    Column("settled_at", UtcDateTime),
    Column("failure", String),  # outcome class of the last failure
    Column("reason", Text),
    Column("remote_id", String),  # what the receiver calls what we made there
    UniqueConstraint("scorecard", "automation", "lead", "n", "action"),
    Index(None, "state", "next_at"),
    Index(None, "run_key"),
    comment="one delivery per automation, lead, arming and action",
)

attempt = Table(
    "attempt",
    metadata,
    Column("attempt_id", Integer, primary_key=True, autoincrement=True),
    Column("delivery_id", String(36), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    # unknown until we hear, then the outcome's kind; again: a person lets it be sent anew
    Column("outcome", String, nullable=False),
    Column("detail", Text),
    Index(None, "delivery_id"),
    comment="written before the call, completed after it",
)

breaker = Table(
    "breaker",
    metadata,
    Column("connection", String, primary_key=True),
    Column("failures", Integer, nullable=False, default=0),  # in a row
    Column("open_until", UtcDateTime),  # nobody calls before; null: closed
    Column("failure", String),  # outcome class that opened it
    Column("reason", Text),
    Column("opened_at", UtcDateTime),
    comment="who is left alone, by all workers",
)

budget = Table(
    "budget",
    metadata,
    Column("connection", String, primary_key=True),
    Column("allowance", String, primary_key=True),  # calls · searches · day
    Column("began_at", UtcDateTime, nullable=False),  # of the window that is counted
    Column("used", Integer, nullable=False),  # by all workers together
    Column("seen_used", Integer),  # by everybody, as the vendor counts
    Column("ceiling", Integer),  # as the vendor says
    comment="calls that all workers share",
)

override = Table(
    "override",
    metadata,
    Column("target", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("property", String, primary_key=True),
    Column("seen_at", UtcDateTime, primary_key=True),
    Column("scorecard", String, nullable=False),
    Column("value", String),  # of a score property, never of another
    Column("state", String, nullable=False),  # open · ended; at most one of a property is open
    Column("owner", String, nullable=False),  # as the CRM names who wrote it
    Column("reason", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("ended_by", String),
    Index(None, "state", "expires_at"),
    comment="what a person wrote into the CRM over a score of ours, and how long it stays",
)
