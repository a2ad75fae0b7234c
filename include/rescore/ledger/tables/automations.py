"""Automations: since when they are there, where they stand with each lead, what they made of crossings."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from rescore.ledger.tables.base import metadata
from rescore.ledger.types import UtcDateTime

automation = Table(
    "automation",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("automation", String, primary_key=True),
    Column("born", Integer, nullable=False),  # activation_seq of its (latest) appearance
    Column("removed", Integer),  # activation_seq that took it away
    comment="which automations exist since which activation",
)

arming = Table(
    "arming",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("automation", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("state", String, nullable=False),  # armed · fired · held
    Column("n", Integer, nullable=False),  # arming number, from 1
    Column("since", UtcDateTime, nullable=False),  # as_of of the last transition
    comment="edge-triggered: where each automation stands with each lead; no row is armed number 1",
)

crossing = Table(
    "crossing",
    metadata,
    Column("scorecard", String, primary_key=True),
    Column("automation", String, primary_key=True),
    Column("lead", String, primary_key=True),
    Column("n", Integer, primary_key=True),  # arming number
    Column("run_key", String, nullable=False),
    Column("activation_seq", Integer, nullable=False),
    Column("as_of", UtcDateTime, nullable=False),
    Column("old_score", Integer),
    Column("new_score", Integer),
    Column("old_band", String),
    Column("new_band", String),
    Column("by_rules", Boolean, nullable=False),  # only a rules change caused it
    Column("outcome", String, nullable=False),  # fired · suppressed · held
    Column("reason", String),  # why it is suppressed or held
    Column("hold_id", String),
    Column("once_key", String),  # what `once_per` keeps apart: a hash of the account or the e-mail's domain
    Index(None, "run_key"),
    Index(None, "scorecard", "automation", "as_of"),
    Index(None, "hold_id"),
    Index(None, "once_key", "scorecard", "automation"),
    comment="every crossing and what became of it",
)
