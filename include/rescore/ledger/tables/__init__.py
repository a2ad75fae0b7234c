"""The ledger's tables, as SQLAlchemy Core: what was decided, by which version, and what is still owed.

Times are aware UTC. Texts that hold JSON say so; no table holds attribute values of a lead.
A lead is its canonical key, `source:lead_id` (`rescore.model.lead_key`).
"""

from rescore.ledger.tables.automations import arming, automation, crossing
from rescore.ledger.tables.base import metadata
from rescore.ledger.tables.outbox import attempt, breaker, budget, delivery, override, sync
from rescore.ledger.tables.people import barred, erasure, installation, record, tombstone
from rescore.ledger.tables.rules import activation, control, hold, plan, rules_version, shadow, shadow_run
from rescore.ledger.tables.scores import counter, delta, dirty, extract, run, score, stage_score, stream

__all__ = [
    "activation",
    "arming",
    "attempt",
    "automation",
    "barred",
    "breaker",
    "budget",
    "control",
    "counter",
    "crossing",
    "delivery",
    "delta",
    "dirty",
    "erasure",
    "extract",
    "hold",
    "installation",
    "metadata",
    "override",
    "plan",
    "record",
    "rules_version",
    "run",
    "score",
    "shadow",
    "shadow_run",
    "stage_score",
    "stream",
    "sync",
    "tombstone",
]
