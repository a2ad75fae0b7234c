"""May a run's staged results become the state of record, or does a person have to be asked first?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection

from rescore.automations.state_machine import Restraint
from rescore.ledger.automations import firing_history
from rescore.ledger.lock import lock_scorecard
from rescore.ledger.outbox import newly_shown
from rescore.ledger.promotion import crossings, promotion
from rescore.ledger.rules import activations, holds
from rescore.ledger.rules.holds import Hold
from rescore.ledger.rules.plans import done_with
from rescore.ledger.scores import extracts, runs
from rescore.ledger.scores.chunk import band_moves
from rescore.ledger.scores.runs import Run
from rescore.pipeline.overtaken import list_overtaken
from rescore.plan.make import results_key
from rescore.policy.file import Policy, read_policy
from rescore.policy.limits import AutomationMeasure, Limits, Measures, Verdict, judge
from rescore.progress import Progress, silent
from rescore.rules.card import Scorecard
from rescore.whole_lake import require_facts
from rescore.workspace import Workspace

DAY = timedelta(days=1)
SETTLING = timedelta(hours=1)
"""A younger plan may belong to somebody who has not decided yet."""

BY_EXTRACT = frozenset({runs.INCREMENTAL, runs.DAILY})
"""Kinds of run that follow an extract and are judged by what it brought."""


def promote_or_hold(
    ws: Workspace, run_key: str, *, at: datetime, chunk: int = 1000, progress: Progress = silent
) -> Counter[str]:
    """Judge the whole stage of a run; promote it chunk by chunk, or hold it and change nothing.

    Judged is what would happen against the limits of the policy file, and against what a person has
    released. One automation over its limit holds only its own crossings; the scores and the others go on.
    An interrupted promotion goes on where it stopped, with what was decided when it began.

    Args:
        ws: The stores.
        run_key: A run whose results are staged.
        at: The time of this promotion; the run notes it as its end.
        chunk: At most so many changed leads a commit.
        progress: Told after every chunk, and why something is held.

    Returns:
        Counts: `held` 1 when the stage is held; else `promoted`, `changed`, `overtaken`, `fired`, ... as
        `promotion.promote` gives them, and `automations held`.

    Raises:
        PolicyInvalid: The limits cannot be read.
        Fenced: A newer attempt has taken the run over.
        LakeBehind: Facts are missing that the ledger has committed; nothing is promoted.
    """
    require_facts(ws)
    with ws.ledger.reading() as connection:
        run = runs.find(connection, run_key)
        card = activations.card_of(connection, run.scorecard, run.activation_seq)
        waiting = run.state in (runs.STAGED, runs.HELD)
        measures = measure(connection, run, card, at) if waiting else None
    policy = read_policy(ws.policy_file)
    if measures is not None:
        reasons = ws.ledger.in_transaction(lambda c: _decide(c, run, measures, policy, at))
        for reason in reasons:
            progress(f"{card.id} is held: {reason}")
        if reasons:
            return Counter(held=1)
    targets = [name for name, mapping in ws.mappings().items() if card.id in mapping.scores]
    with ws.ledger.reading() as connection:
        restrained = _restrained(connection, run, card)
        known = newly_shown.are_known(connection, card.id, targets)
    if not known:
        ws.ledger.in_transaction(lambda c: newly_shown.owe_new_targets(c, card.id, targets))
    counts = promotion.promote(
        ws.ledger,
        run,
        card,
        targets=targets,
        at=at,
        restrained=restrained,
        lead_urls=policy.house.lead_urls,
        chunk=chunk,
        progress=progress,
    )
    counts["automations held"] = sum(restraint.hold_id is not None for restraint in restrained.values())
    if run.plan_hash is not None:
        if not counts["superseded"]:
            list_overtaken(ws, run)
        with ws.ledger.reading() as connection:
            done = done_with(connection, run.scorecard, at - SETTLING)
        for plan_hash in (run.plan_hash, *done):
            ws.lake.drop_results(results_key(plan_hash))
    ws.lake.drop_results(run_key)
    return counts


def measure(connection: Connection, run: Run, card: Scorecard, at: datetime) -> Measures:
    """What promoting a run's stage would do, as counts."""
    moves = band_moves(connection, run)
    foreseen = crossings.preview(connection, run, card)
    return Measures(
        banded=moves.banded,
        band_moves=moves.moved,
        first_bands=moves.first,
        automations=tuple(
            AutomationMeasure(
                automation=automation.id,
                crossings=foreseen[automation.id].fired,
                by_rules=foreseen[automation.id].by_rules,
                usual_daily=firing_history.usual_daily(connection, card.id, automation.id, at),
                fired_today=firing_history.fired_since(connection, card.id, automation.id, at - DAY),
                max_per_run=automation.max_per_run,
                max_per_day=automation.max_per_day,
                on_rules_change=automation.on_rules_change,
            )
            for automation in card.automations
        ),
        extracts=extracts.latest_extracts(connection) if run.kind in BY_EXTRACT else (),
    )


def _decide(
    connection: Connection, run: Run, measures: Measures, policy: Policy, at: datetime
) -> tuple[str, ...]:
    """Hold the stage and say why, or let it be promoted (no reasons) with what crosses too often held."""
    lock_scorecard(connection, run.scorecard)  # before the run, as everybody does
    present = runs.hold_fence(connection, run)
    if present.state not in (runs.STAGED, runs.HELD):
        return ()
    active = activations.active(connection, run.scorecard)
    standing = _standing(connection, run)
    if active is None or active.activation_seq != run.activation_seq or not active.first_load_done:
        verdict = Verdict()  # superseded, or the first load: nothing to hold
    else:
        limits = policy.limits(run.scorecard)
        granted = _granted(connection, run, active)
        verdict = judge(measures, limits, approved=None if granted is None else granted.measures)
        if granted is not None and granted.state == holds.SILENCED:
            verdict = Verdict(verdict.stage_reasons)
        if verdict.stage_reasons and standing is not None and not _is_worse(measures, standing, limits):
            _move(connection, standing, run)
            runs.set_state(connection, present, runs.HELD)
            return verdict.reasons
    if standing is not None:
        supersede(connection, standing, at=at, by=f"run {run.run_key}", keep_run=run.run_key)
    if verdict.stage_reasons:
        # with what its automations would do: a release lets them
        _open(connection, present, holds.STAGE, verdict.reasons, measures, policy, at)
        runs.set_state(connection, present, runs.HELD)
        return verdict.reasons
    for over in verdict.automations:
        _open(
            connection,
            present,
            holds.AUTOMATION,
            (over.reason,),
            measures,
            policy,
            at,
            automation=over.automation,
            only_by_rules=over.only_by_rules,
        )
    runs.set_state(connection, present, runs.PROMOTING)
    return ()


def supersede(
    connection: Connection, hold: Hold, *, at: datetime, by: str, keep_run: str | None = None
) -> None:
    """Close a stage hold that a newer run has made pointless, and its run with it."""
    holds.close(connection, hold, holds.SUPERSEDED, at=at, by=by)
    if hold.run_key is not None and hold.run_key != keep_run:
        runs.set_state(connection, runs.find(connection, hold.run_key), runs.SUPERSEDED, finished_at=at)


def _standing(connection: Connection, run: Run) -> Hold | None:
    """The open hold whose stage this run's stage takes the place of.

    A run over some leads covers no held run over everybody.
    """
    for hold in holds.open_holds(connection, run.scorecard, holds.STAGE):
        assert hold.run_key is not None  # noqa: S101 - a stage is a run's
        if run.full or not runs.find(connection, hold.run_key).full:
            return hold
    return None


def _is_worse(measures: Measures, standing: Hold, limits: Limits) -> bool:
    return bool(judge(measures, limits, approved=standing.measures).stage_reasons)


def _granted(connection: Connection, run: Run, active: activations.Active) -> Hold | None:
    """What a person has released of this run: its stage, or the rules change that it carries out."""
    for hold in reversed(holds.of_run(connection, run.run_key, holds.STAGE)):
        if hold.state in holds.GRANTED:
            return hold
    return _granted_rules(connection, active) if run.kind in (runs.RESCORE, runs.THRESHOLDS) else None


def _granted_rules(connection: Connection, active: activations.Active) -> Hold | None:
    """The hold whose release put rules in force, while everybody is still to be rescored under them."""
    if active.hold_id is None or active.rescored_at is not None:
        return None
    return holds.find(connection, active.hold_id)


def _move(connection: Connection, hold: Hold, run: Run) -> None:
    """The newer stage takes the place of the held one; the question to the person stays the same."""
    if hold.run_key is not None and hold.run_key != run.run_key:
        before = runs.find(connection, hold.run_key)
        runs.set_state(connection, before, runs.SUPERSEDED, finished_at=run.started_at)
        holds.move_to_run(connection, hold, run.run_key)


def _open(
    connection: Connection,
    run: Run,
    what: str,
    reasons: tuple[str, ...],
    measures: Measures,
    policy: Policy,
    at: datetime,
    *,
    automation: str | None = None,
    only_by_rules: bool = False,
) -> None:
    named = what if automation is None else f"{what}_{automation}"
    earlier = len(holds.of_run(connection, run.run_key, what)) if automation is None else 0
    holds.open_hold(
        connection,
        hold_id=holds.run_hold_id(run.scorecard, named, run.run_key, fence=run.fence, earlier=earlier),
        scorecard=run.scorecard,
        what=what,
        reasons=reasons,
        measures=measures,
        at=at,
        by=f"run {run.run_key}",
        expires_at=at + policy.expire_after,
        plan_hash=run.plan_hash,
        run_key=run.run_key,
        automation=automation,
        only_by_rules=only_by_rules,
    )


def _restrained(connection: Connection, run: Run, card: Scorecard) -> Mapping[str, Restraint]:
    """What the gate does not let fire of this run, as decided when its promotion began."""
    active = activations.active(connection, run.scorecard)
    granted = None if active is None else _granted(connection, run, active)
    if granted is not None and granted.state == holds.SILENCED:
        silenced = Restraint(f"released without automations (hold {granted.hold_id})")
        return {automation.id: silenced for automation in card.automations}
    restrained = {}
    rules = None if active is None or run.full else _granted_rules(connection, active)
    if rules is not None and rules.state == holds.SILENCED:  # this run comes before the rescore
        silenced = Restraint(f"released without automations (hold {rules.hold_id})", only_by_rules=True)
        restrained = {automation.id: silenced for automation in card.automations}
    return restrained | {
        hold.automation: Restraint(hold.reasons[0], hold.hold_id, hold.only_by_rules)
        for hold in holds.of_run(connection, run.run_key, holds.AUTOMATION)
        if hold.automation is not None
    }
