"""Makes a run's staged results the state of record, chunk by chunk, each one commit with all that follows.

Promotions of one scorecard go one at a time (its `control` row is locked), chunks of different runs may
interleave: the guard decides lead by lead, so that older never overwrites newer and nothing is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from rescore.automations.state_machine import Restraint
from rescore.errors import Fenced
from rescore.ledger import tables
from rescore.ledger.outbox.wishes import want
from rescore.ledger.people import identity
from rescore.ledger.promotion.crossings import UNRESTRAINED, Crossings
from rescore.ledger.scores import runs
from rescore.ledger.scores.chunk import Chunk, last_of_chunk
from rescore.ledger.scores.runs import Run
from rescore.ledger.transaction import Ledger
from rescore.messages import NO_URLS
from rescore.rules.card import Scorecard


def _silent(_: str) -> None:
    """Nobody listens."""


def promote(
    ledger: Ledger,
    run: Run,
    card: Scorecard,
    *,
    at: datetime,
    targets: Sequence[str] = (),
    restrained: Mapping[str, Restraint] = UNRESTRAINED,
    lead_urls: Mapping[str, str] = NO_URLS,
    chunk: int = 1000,
    progress: Callable[[str], None] = _silent,
) -> Counter[str]:
    """Promote what a run staged; called again after an interruption it goes on where it stopped.

    Per lead and chunk, in one commit: the score if its values changed, its delta, what each target should
    show, the automations' transitions, deliveries with their frozen bodies, and the dirty marks this run
    covers. A lead whose committed score is newer in any respect keeps it and stays dirty.

    Args:
        ledger: Where.
        run: An attempt whose results are staged.
        card: The rules the run is pinned to.
        at: The time to note for its end, and for what its crossings set off.
        targets: The CRMs that show this scorecard's scores.
        restrained: By automation, the crossings of this run that wait for a person or are suppressed.
        lead_urls: Where messages say that a lead can be seen, by CRM.
        chunk: At most so many changed leads a commit.
        progress: Told after every chunk.

    Returns:
        What this call did: `promoted` leads, of them `changed`; `overtaken` leads left dirty; crossings
        `fired`, `suppressed` or `held`, automations `ready_again`, or `started_fired` without firing;
        `superseded` 1 when a newer activation is in force, which leaves the remaining leads dirty.

    Raises:
        Fenced: A newer attempt has taken the run over.
    """
    done: Counter[str] = Counter()
    crossings = Crossings(run, card, at=at, restrained=restrained, lead_urls=lead_urls)
    more = run.state not in runs.OVER
    while more:
        counts, more = ledger.in_transaction(
            lambda connection: _next_chunk(connection, run, card, crossings, targets, chunk, at)
        )
        done += counts
        progress(f"{card.id}: {done['promoted']:,} promoted, {done['changed']:,} of them changed")
    return done


def _next_chunk(
    connection: Connection,
    run: Run,
    card: Scorecard,
    crossings: Crossings,
    targets: Sequence[str],
    chunk: int,
    at: datetime,
) -> tuple[Counter[str], bool]:
    """Promote one chunk; whether there may be more."""
    control = connection.execute(  # before the run, as everybody does
        select(tables.control).where(tables.control.c.scorecard == run.scorecard).with_for_update()
    ).one()
    present = runs.hold_fence(connection, run)
    if present.state in runs.OVER:
        return Counter(), False
    if present.state == runs.SCORING:
        raise Fenced(f"nothing is staged for {run.run_key}: a newer attempt is still scoring; this one stops")
    if control.activation_seq != run.activation_seq:
        counts = Counter({"superseded": 1})
        _note(connection, present, counts, state=runs.SUPERSEDED, finished_at=at)
        return counts, False
    upto = last_of_chunk(connection, present, chunk)
    if upto is None:
        _finish(connection, present, card, at)
        return Counter(), False
    part = Chunk(connection, present, upto)
    part.lock()
    set_off = crossings.judge(connection, part, may_fire=control.first_load_done)
    counts = Counter(
        changed=part.write_deltas(),
        overtaken=part.mark_overtaken(),
    )
    want(connection, part, targets, crossed={row["lead"] for row in set_off.crossings})
    counts.update(identity.note_withheld(connection, part, at))
    part.clear_marks()
    counts["promoted"] = part.write_scores()
    counts.update(set_off.write(connection))
    _note(connection, present, counts, state=runs.PROMOTING, promoted_to=upto)
    return counts, True


def _note(connection: Connection, run: Run, counts: Counter[str], *, state: str, **also: object) -> None:
    total = Counter(run.counts)
    total.update(counts)
    runs.add_counts(connection, run.run_key, total)
    runs.set_state(connection, run, state, **also)


def _finish(connection: Connection, run: Run, card: Scorecard, at: datetime) -> None:
    """The whole stage is promoted; a run over everybody settles what was owed to everybody."""
    runs.set_state(connection, run, runs.PROMOTED, finished_at=at)
    if not run.full:
        return
    control, activation = tables.control, tables.activation
    passed = run.as_of.astimezone(card.timezone).date()
    mine = control.c.scorecard == run.scorecard
    if run.kind == runs.INITIAL:
        connection.execute(update(control).where(mine).values(first_load_done=True))
    if run.kind != runs.THRESHOLDS:
        connection.execute(
            update(control)
            .where(mine, control.c.full_pass_date.is_(None) | (control.c.full_pass_date < passed))
            .values(full_pass_date=passed)
        )
    connection.execute(
        update(activation)
        .where(
            activation.c.scorecard == run.scorecard,
            activation.c.activation_seq == run.activation_seq,
            activation.c.rescored_at.is_(None),
        )
        .values(rescored_at=at)
    )
