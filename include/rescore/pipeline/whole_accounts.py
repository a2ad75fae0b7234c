"""Scores of leads under rules about accounts, from the facts as they were known at an earlier state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pyarrow as pa
from sqlglot import exp

from rescore.lake.past import Seen
from rescore.rules.card import Scorecard
from rescore.scoring.engine import score
from rescore.scoring.facts import Facts
from rescore.scoring.fields import fields_asked
from rescore.scoring.sql import DIALECT, column, table, timestamp
from rescore.workspace import Workspace


def scores_from(
    ws: Workspace,
    card: Scorecard,
    leads: Iterable[str],
    *,
    as_of: datetime,
    seen: Seen | None,
    happened_by: datetime,
) -> pa.Table:
    """What `score` gives some leads, from what they and their colleagues had done.

    Args:
        ws: The stores.
        card: The rules.
        leads: Whom.
        as_of: The scoring time (aware).
        seen: The state of the lake that the facts are of; None for the present one.
        happened_by: Activities after this moment (aware) do not exist.
    """
    with ws.lake.facts([*leads], fields=fields_asked(card), known_as_of=seen) as facts:
        return score(card, _happened(facts, happened_by), as_of=as_of)


def _happened(facts: Facts, by: datetime) -> Facts:
    def until(activities: str) -> str:
        name = f"{activities} until then"
        rows = exp.select(exp.Star()).from_(table(activities))
        rows = rows.where(column("occurred_at") <= timestamp(by.astimezone(UTC).replace(tzinfo=None)))
        facts.connection.execute(
            f"CREATE OR REPLACE TEMP VIEW {table(name).sql(DIALECT)} AS {rows.sql(DIALECT)}"
        )
        return name

    def whole() -> tuple[str, str]:
        activities, leads = facts.accounts
        return until(activities), leads

    return replace(facts, activities=until(facts.activities), whole_accounts=whole)
