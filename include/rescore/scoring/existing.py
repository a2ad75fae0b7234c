"""Which activities exist: those that had happened at the scoring time, and were known when asked."""

from datetime import datetime

from sqlglot import exp

from rescore.scoring.local_days import LocalDays
from rescore.scoring.sql import column, timestamp


def that_exist(
    activities: exp.Select, relation: str, days: LocalDays, known_as_of: datetime | None
) -> exp.Select:
    """The selection from a relation without what came, or became known (naive UTC), later."""
    happened = column("occurred_at", relation) <= timestamp(days.as_of)
    activities = activities.where(happened, copy=False)
    if known_as_of is None:
        return activities
    return activities.where(column("known_at", relation) <= timestamp(known_as_of), copy=False)
