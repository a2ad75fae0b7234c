"""The plans that the ledger knows, and which of them nobody waits for any more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from rescore.ledger import tables
from rescore.ledger.upsert import insert

LOOK_BACK = timedelta(days=7)
"""What was done with longer ago has been cleared away since."""


def remember_plan(
    connection: Connection,
    *,
    plan_hash: str,
    scorecard: str,
    old_version: int,
    new_version: int,
    activation_seq: int,
    as_of: datetime,
    input_ver: int,
    snapshot: Mapping[str, Any],
    summary: Mapping[str, Any],
    at: datetime,
    by: str,
) -> None:
    """Note a plan of a registered version; made again, the same plan replaces its row."""
    values = {
        "plan_hash": plan_hash,
        "scorecard": scorecard,
        "old_version": old_version,
        "new_version": new_version,
        "activation_seq": activation_seq,
        "as_of": as_of,
        "input_ver": input_ver,
        "snapshot": json.dumps(dict(snapshot), sort_keys=True),
        "summary": json.dumps(dict(summary), sort_keys=True),
        "made_at": at,
        "made_by": by,
    }
    row = insert(connection, tables.plan).values(values)
    connection.execute(row.on_conflict_do_update(index_elements=["plan_hash"], set_=values))


def done_with(connection: Connection, scorecard: str, made_before: datetime) -> list[str]:
    """The hashes of a scorecard's plans that nobody waits for, neither an open hold nor an owed rescore."""
    plan, hold, activation, control = tables.plan, tables.hold, tables.activation, tables.control
    asked = select(hold.c.plan_hash).where(hold.c.state == "open", hold.c.plan_hash.is_not(None))
    in_force = (activation.c.scorecard == control.c.scorecard) & (
        activation.c.activation_seq == control.c.activation_seq
    )
    owed = (
        select(activation.c.plan_hash)
        .join(control, in_force)
        .where(activation.c.rescored_at.is_(None), activation.c.plan_hash.is_not(None))
    )
    done = select(plan.c.plan_hash).where(
        plan.c.scorecard == scorecard,
        plan.c.made_at <= made_before,
        plan.c.made_at > made_before - LOOK_BACK,
        plan.c.plan_hash.not_in(asked),
        plan.c.plan_hash.not_in(owed),
    )
    return list(connection.scalars(done.order_by(plan.c.made_at)))
