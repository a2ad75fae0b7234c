"""What an owed rescore applies: the plan that was judged, as of its moment, while that still holds good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pyarrow.parquet as pq

from rescore.errors import TerminalError
from rescore.ledger.lock import lock_scorecard
from rescore.ledger.rules import activations, registry
from rescore.ledger.rules.activations import Active
from rescore.ledger.scores import runs
from rescore.plan.make import find_plan, is_stale, make_plan, plan_results
from rescore.plan.plan import Plan
from rescore.progress import Progress, silent
from rescore.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Pins:
    """What a run is pinned to; without a plan it scores everybody itself, as of its own moment."""

    kind: str
    as_of: datetime
    plan_hash: str | None = None
    input_ver: int | None = None


def rescore_pins(
    ws: Workspace, active: Active, *, as_of: datetime, at: datetime, progress: Progress = silent
) -> Pins:
    """Pin an owed rescore to its plan; one that is missing or stale is made again first.

    Stale is a plan of another local day, or one of more than 24 hours ago: decay has moved scores since. The
    run's gate compares what is staged with what was released, so a worse plan is held there. Thresholds
    alone need no scoring: stored scores are judged again, unless an automation asks about attributes.

    Args:
        ws: The stores.
        active: A scorecard in force whose rescore is owed.
        as_of: The scoring time of a plan made now.
        at: Now.
        progress: Told what a plan made now is doing.
    """
    with ws.ledger.reading() as connection:
        card = activations.card_of(connection, active.scorecard, active.activation_seq)
        before = activations.version_before(connection, active.scorecard, active.activation_seq)
        if before is not None and registry.accepted(connection, active.scorecard, before) is None:
            before = None  # nothing that this build can compare with: the gate judges the run itself
    if active.wakes == "thresholds":
        if any(automation.asks_leads for automation in card.automations):
            return Pins(runs.RESCORE, as_of)
        return Pins(runs.THRESHOLDS, as_of, active.plan_hash)
    plan = None if active.plan_hash is None else usable_plan(ws, active.plan_hash)
    if plan is not None and is_stale(plan, card, at):
        plan = None
    if plan is None and before is not None:
        progress(f"{active.scorecard}: the plan is made again as of {as_of:%Y-%m-%d %H:%M} UTC")
        plan = make_plan(
            ws,
            scorecard=active.scorecard,
            new=card,
            new_version=active.version_seq,
            old_version=before,
            as_of=as_of,
            at=at,
            by=f"rescore of activation {active.activation_seq}",
            progress=progress,
        )
        with ws.ledger.transaction() as connection:
            lock_scorecard(connection, active.scorecard)
            activations.replan(connection, active.scorecard, active.activation_seq, plan.plan_hash)
    if plan is None:
        return Pins(runs.RESCORE, as_of)
    return Pins(runs.RESCORE, plan.as_of, plan.plan_hash, plan.input_ver)


def usable_plan(ws: Workspace, plan_hash: str) -> Plan | None:
    """A plan whose results can be applied; None when its files are gone, as they are once it was applied."""
    try:
        pq.read_metadata(plan_results(ws, plan_hash))
        return find_plan(ws, plan_hash)
    except (FileNotFoundError, TerminalError):
        return None
