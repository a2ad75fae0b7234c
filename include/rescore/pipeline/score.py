"""Which leads may have changed, and what are they worth now, under the rules this run is pinned to?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from rescore.errors import InputUnreadable
from rescore.ledger import activations, runs, seen, streams
from rescore.pipeline.progress import Progress, silent
from rescore.scoring.engine import score_to_parquet
from rescore.scoring.unreadable import absent_fields, unreadable
from rescore.workspace import Workspace


def start_runs(
    ws: Workspace,
    *,
    run_id: str,
    as_of: datetime,
    at: datetime,
    everybody: bool = False,
    scorecards: Collection[str] = (),
) -> list[str]:
    """Open one run per scorecard in force that is not paused, each pinned to its activation.

    A run takes everybody when asked to, once the history has been read for the first time (nothing fires
    before), when the scorecard's rules changed and nobody has rescored yet, and on the first run after
    local midnight, because decay moves scores only then. Otherwise it takes the leads marked dirty.

    Args:
        ws: The stores.
        run_id: Names the run; with the scorecard it becomes the run key. The same id again continues.
        as_of: The scoring time.
        at: When the run starts, for the record.
        everybody: Score all leads.
        scorecards: Only these; empty means all.

    Returns:
        The run keys, in the order of the scorecards' names.

    Raises:
        InputUnreadable: One of `scorecards` is not in force.
    """
    keys = []
    wanted = set(scorecards)
    with ws.ledger.transaction() as connection:
        complete = streams.history_complete(connection)
        cards = activations.in_force(connection)
        if unknown := wanted - {active.scorecard for active in cards}:
            there = ", ".join(active.scorecard for active in cards) or "none yet"
            raise InputUnreadable(f"no scorecard `{min(unknown)}` is in force; there is {there}")
        for active in cards:
            if active.paused or (wanted and active.scorecard not in wanted):
                continue
            key = f"{run_id}/{active.scorecard}"
            runs.start_run(
                connection,
                run_key=key,
                scorecard=active.scorecard,
                kind=_kind(connection, active, as_of, everybody=everybody, history_complete=complete),
                activation_seq=active.activation_seq,
                as_of=as_of,
                at=at,
            )
            keys.append(key)
    return keys


def _kind(
    connection: Connection,
    active: activations.Active,
    as_of: datetime,
    *,
    everybody: bool,
    history_complete: bool,
) -> str:
    if history_complete and not active.first_load_done:
        return runs.INITIAL
    if everybody or active.rescored_at is None:
        return runs.RESCORE
    card = activations.card_of(connection, active.scorecard, active.activation_seq)
    local_date = as_of.astimezone(card.timezone).date()
    if active.full_pass_date is None or active.full_pass_date < local_date:
        return runs.DAILY
    return runs.INCREMENTAL


def score(ws: Workspace, run_key: str, *, progress: Progress = silent) -> Counter[str]:
    """Score the run's leads into a file of its own in the lake; nobody acts on it yet.

    Returns:
        Counts: `scored`, and one `unreadable <field> as <kind>` per attribute whose values did not parse.
    """
    with ws.ledger.reading() as connection:
        run = runs.find(connection, run_key)
        card = activations.card_of(connection, run.scorecard, run.activation_seq)
        # marks first, facts second: a fact landed in between is scored now and, still marked, once more
        leads = runs.dirty_leads(connection, run.scorecard) if not run.full else None
    counts: Counter[str] = Counter()
    progress(f"{run.scorecard}: scoring {'everybody' if leads is None else f'{len(leads):,} dirty leads'}")
    with ws.lake.facts(leads) as facts:
        for field in absent_fields(card, facts):
            progress(f"{run.scorecard}: {field}: the rules ask for it, and no row has it")
        counts["scored"] = score_to_parquet(card, facts, as_of=run.as_of, path=ws.lake.results_path(run_key))
        counts.update({f"unreadable {field}": number for field, number in unreadable(card, facts).items()})
    with ws.ledger.transaction() as connection:
        seen.note(connection, run_key, facts.seen)
        runs.add_counts(connection, run_key, counts)
    return counts
