"""Which leads may have changed, and what are they worth now, under the rules this run is pinned to?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from rescore.errors import InputUnreadable, ScorecardInvalid
from rescore.ledger.people import tombstones
from rescore.ledger.rules import activations
from rescore.ledger.scores import runs, seen, streams
from rescore.owed_marks import make_owed_marks
from rescore.pipeline.colleagues import mark_colleagues
from rescore.pipeline.cutover import Pins, rescore_pins, usable_plan
from rescore.pipeline.holds import expire_holds
from rescore.pipeline.shadow import score_shadow
from rescore.progress import Progress, silent
from rescore.rules.scope import about_accounts
from rescore.scoring.engine import score_to_parquet
from rescore.scoring.fields import fields_asked
from rescore.scoring.unreadable import absent_fields, unreadable
from rescore.whole_lake import require_facts, whole_facts
from rescore.workspace import Workspace


def start_runs(
    ws: Workspace,
    *,
    run_id: str,
    as_of: datetime,
    at: datetime,
    everybody: bool = False,
    scorecards: Collection[str] = (),
    progress: Progress = silent,
) -> list[str]:
    """Open one run per scorecard in force that is not paused, each pinned to its activation.

    A run takes everybody when asked to, once the history has been read for the first time (nothing fires
    before), when the scorecard's rules changed and nobody is rescoring yet, and on the first run after
    local midnight, because decay moves scores only then. Otherwise it takes the leads marked dirty.

    An owed rescore applies its plan, as of the plan's moment. Holds that nobody answered in time are closed
    first. A scorecard in force that this build refuses, though an earlier one accepted it, is paused with the
    reason, and the others go on.

    Args:
        ws: The stores.
        run_id: Names the run; with the scorecard it becomes the run key. The same id again continues.
        as_of: The scoring time.
        at: When the run starts, for the record.
        everybody: Score all leads.
        scorecards: Only these; empty means all.
        progress: Told when a plan is made again, or a hold is closed.

    Returns:
        The run keys, in the order of the scorecards' names.

    Raises:
        InputUnreadable: One of `scorecards` is not in force.
        LakeBehind: Facts are missing that the ledger has committed.
    """
    require_facts(ws)
    make_owed_marks(ws)
    expire_holds(ws, at, progress=progress)
    with ws.ledger.reading() as connection:
        cards = _asked_for(connection, scorecards)
    cards = [card for card in cards if not _paused_as_refused(ws, card, at, progress)]
    with ws.ledger.reading() as connection:
        complete = streams.history_complete(connection)
        known = {card.scorecard: runs.exists(connection, f"{run_id}/{card.scorecard}") for card in cards}
        kinds = {
            card.scorecard: _kind(connection, card, as_of, at, everybody=everybody, history_complete=complete)
            for card in cards
        }
    keys = []
    for card in cards:
        kind = kinds[card.scorecard]
        planned = kind == runs.RESCORE and card.rescored_at is None and card.first_load_done
        pins = Pins(kind, as_of)
        if planned and not known[card.scorecard]:
            pins = rescore_pins(ws, card, as_of=as_of, at=at, progress=progress)
        key = f"{run_id}/{card.scorecard}"
        with ws.ledger.transaction() as connection:
            # whoever asks for everybody has noted the attempt already
            if planned and not everybody and not known[card.scorecard]:
                activations.ask_rescore(connection, card.scorecard, at=at)
            runs.start_run(
                connection,
                run_key=key,
                scorecard=card.scorecard,
                kind=pins.kind,
                activation_seq=card.activation_seq,
                as_of=pins.as_of,
                at=at,
                plan_hash=pins.plan_hash,
                planned_input_ver=pins.input_ver,
            )
        keys.append(key)
    return keys


def _asked_for(connection: Connection, scorecards: Collection[str]) -> list[activations.Active]:
    """The scorecards in force that are not paused: these, or all."""
    cards = activations.in_force(connection)
    if unknown := set(scorecards) - {card.scorecard for card in cards}:
        there = ", ".join(card.scorecard for card in cards) or "none yet"
        raise InputUnreadable(f"no scorecard `{min(unknown)}` is in force; there is {there}")
    return [card for card in cards if not card.paused and (not scorecards or card.scorecard in scorecards)]


def _paused_as_refused(ws: Workspace, active: activations.Active, at: datetime, progress: Progress) -> bool:
    """Pause a scorecard whose rules in force this build refuses; what it says is kept for `status`."""
    with ws.ledger.reading() as connection:
        try:
            activations.card_of(connection, active.scorecard, active.activation_seq)
            return False
        except ScorecardInvalid as refused:
            reason = f"this build refuses its version {active.version_seq}: {'; '.join(refused.problems)}"
    with ws.ledger.transaction() as connection:
        activations.pause(connection, active.scorecard, at=at, by="this build", reason=reason)
    progress(f"{active.scorecard} is paused: {reason}")
    return True


def _kind(
    connection: Connection,
    active: activations.Active,
    as_of: datetime,
    at: datetime,
    *,
    everybody: bool,
    history_complete: bool,
) -> str:
    if history_complete and not active.first_load_done:
        return runs.INITIAL
    if not active.first_load_done and active.rescored_at is None:
        return runs.RESCORE
    due = {card.scorecard for card in activations.rescore_due(connection, now=at)}
    if everybody or active.scorecard in due:
        return runs.RESCORE
    card = activations.card_of(connection, active.scorecard, active.activation_seq)
    local_date = as_of.astimezone(card.timezone).date()
    if active.full_pass_date is None or active.full_pass_date < local_date:
        # an owed rescore that waits for somebody has to be planned anew for this day
        return runs.DAILY if active.rescored_at is not None else runs.RESCORE
    return runs.INCREMENTAL


def score(ws: Workspace, run_key: str, *, progress: Progress = silent) -> Counter[str]:
    """Score the run's leads into a file of its own in the lake; nobody acts on it yet.

    A run that applies a plan has its results already; a thresholds run works from stored scores.

    Returns:
        Counts: `scored`, and one `unreadable <field> as <kind>` per attribute whose values did not parse.

    Raises:
        LakeBehind: Facts are missing that the ledger has committed.
    """
    with ws.ledger.reading() as connection:
        run = runs.find(connection, run_key)
        card = activations.card_of(connection, run.scorecard, run.activation_seq)
        # marks first, facts second: a fact landed in between is scored now and, still marked, once more
        leads = runs.dirty_leads(connection, run.scorecard) if not run.full else None
    if leads and about_accounts(card):
        leads = mark_colleagues(ws, run.scorecard)
    if run.kind == runs.THRESHOLDS:
        return Counter()
    if run.plan_hash is not None and (planned := usable_plan(ws, run.plan_hash)) is not None:
        progress(f"{run.scorecard}: applying plan {run.plan_hash[:8]} to {planned.leads.everybody:,} leads")
        counts = Counter(scored=planned.leads.everybody)
        with ws.ledger.transaction() as connection:
            seen.note(connection, run_key, {name: int(number) for name, number in planned.snapshot.items()})
            runs.add_counts(connection, run_key, counts)
        score_shadow(ws, run, leads, progress=progress)
        return counts
    counts = Counter()
    progress(f"{run.scorecard}: scoring {'everybody' if leads is None else f'{len(leads):,} dirty leads'}")
    with whole_facts(ws, leads, fields=fields_asked(card)) as facts:
        for field in absent_fields(card, facts):
            progress(f"{run.scorecard}: {field}: the rules ask for it, and no row has it")
        counts["scored"] = score_to_parquet(card, facts, as_of=run.as_of, path=ws.lake.results_path(run_key))
        counts.update({f"unreadable {field}": number for field, number in unreadable(card, facts).items()})
    with ws.ledger.transaction() as connection:
        erased = tombstones.since(connection, run.started_at)
        seen.note(connection, run_key, facts.seen)
        runs.add_counts(connection, run_key, counts)
    if erased:  # while their facts were read
        ws.lake.drop_from_results(run_key, erased)
    score_shadow(ws, run, leads, progress=progress)
    return counts
