"""What must hold once faults have stopped, over any ledger, lake and world: violations, as sentences.

Each function looks at one promise of the reliability contract. None of them asks how things came to be.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import Connection, func, select

from rescore.connectors.base import FieldValue
from rescore.ledger import tables
from rescore.ledger.outbox.records import in_target
from rescore.ledger.rules import activations
from rescore.ledger.status import status
from rescore.model import lead_key, split_lead_key
from rescore.scoring.engine import score
from rescore.withheld import MERGED
from rescore.workspace import Workspace
from tests.faults.world import Mailbox, Receiver, World, Write

EXCEPTIONS = frozenset({"parked", "shadow", "small", "overridden", "deleted", "elsewhere"})
"""States in which a target may show something else than the score of record; `due` is one with a reason."""


@dataclass(frozen=True)
class Forgotten:
    """What a ledger no longer has, as it should: these deliveries, and maybe those of crossings `before`."""

    deliveries: frozenset[str] = frozenset()
    before: datetime | None = None


NOTHING = Forgotten()


def violations(
    ws: Workspace,
    world: World,
    *,
    now: datetime,
    truth: Mapping[str, int | None] | None = None,
    forgotten: Forgotten = NOTHING,
) -> list[str]:
    """Everything at once, of a deployment that came to rest.

    Args:
        ws: The stores.
        world: What they told.
        now: The present; scores are computed as of this moment.
        truth: By the CRM's id, everybody's score by some other arithmetic; of the only scorecard.
        forgotten: What was tidied away.
    """
    found = [*every_fact_landed(ws, world)]
    shown = {lead: dict(values) for lead, values in world.crm.shown.items()}
    for name, mapping in ws.mappings().items():
        for scorecard, fields in mapping.scores.items():
            found += scores_are_true(ws, scorecard, now=now)
            found += crm_shows_the_record(ws, name, scorecard, fields.score, shown)
            if fields.changed_at:
                found += older_never_came_later(world.crm.written, fields.score, fields.changed_at)
    if truth is not None:
        found += record_is(ws, truth)
    with ws.ledger.reading() as connection:
        found += one_delivery_per_crossing(connection, forgotten)
        found += deliveries_arrived_once(connection, world.receiver, world.mailbox, forgotten)
        made = [task.asked.delivery for task in world.crm.tasks.made]
        found += tasks_were_made_once(connection, made, forgotten)
        found += the_withheld_are_left_alone(connection)
        found += nothing_is_silent(connection, now)
    return found


def every_fact_landed(ws: Workspace, world: World) -> Iterator[str]:
    """Whatever the CRM gave out is in the lake; but for people who were erased."""
    with ws.lake.facts() as facts:
        leads = {lead for (lead,) in facts.connection.sql(f'SELECT lead FROM "{facts.leads}"').fetchall()}
        query = f'SELECT source, activity_id FROM "{facts.activities}"'
        there = {id_ for _, id_ in facts.connection.sql(query).fetchall()}
    merged = world.crm.merged()
    for id_, lead in sorted(world.crm.owners().items()):
        if id_ not in there and lead_key("hubspot", merged.get(lead, lead)) in leads:
            yield f"activity {id_} of {lead} is not in the lake"


def scores_are_true(ws: Workspace, scorecard: str, *, now: datetime) -> Iterator[str]:
    """Contract 1, first half: the record is what the rules in force make of the latest facts."""
    with ws.ledger.reading() as connection:
        active = activations.active(connection, scorecard)
        if active is None:
            return
        card = activations.card_of(connection, scorecard, active.activation_seq)
        table = tables.score
        rows = connection.execute(select(table).where(table.c.scorecard == scorecard)).all()
        dirty = tables.dirty
        waiting = connection.scalar(select(func.count()).where(dirty.c.scorecard == scorecard))
    if active.paused:
        return
    if waiting:
        yield f"{waiting} leads of {scorecard} are still dirty"
    with ws.lake.facts() as facts:
        fresh = {row["lead"]: row["score"] for row in score(card, facts, as_of=now).to_pylist()}
    known = {row.lead: row for row in rows}
    for lead in sorted(fresh.keys() | known.keys()):
        row = known.get(lead)
        if row is None:
            yield f"{lead} has no score of record"
        elif row.withheld is not None:
            if row.score is not None:
                yield f"{lead} is {row.withheld} and has {row.score} points"
        elif lead not in fresh:
            yield f"{lead} has {row.score} points and no facts"
        elif row.score != fresh[lead]:
            yield f"{lead} has {row.score} points of record and is worth {fresh[lead]}"


def record_is(ws: Workspace, truth: Mapping[str, int | None]) -> Iterator[str]:
    """The record is what somebody else has computed from what the CRM knows."""
    with ws.ledger.reading() as connection:
        rows = connection.execute(select(tables.score.c.lead, tables.score.c.score, tables.score.c.withheld))
        record = {split_lead_key(row.lead)[1]: row for row in rows}
    for lead, expected in sorted(truth.items()):
        row = record.get(lead)
        if row is None or row.score != expected:
            yield f"{lead} is worth {expected} and has {None if row is None else row.score} points of record"


def crm_shows_the_record(
    ws: Workspace, target: str, scorecard: str, field: str, shown: Mapping[str, Mapping[str, FieldValue]]
) -> Iterator[str]:
    """Contract 1, second half: the CRM shows it, or the lead is in one named exception state."""
    sync, table = tables.sync, tables.score
    with ws.ledger.reading() as connection:
        rows = connection.execute(
            select(table.c.lead, table.c.score, table.c.ver, sync.c.state, sync.c.reason, sync.c.acked_ver)
            .outerjoin(
                sync,
                (sync.c.lead == table.c.lead)
                & (sync.c.scorecard == table.c.scorecard)
                & (sync.c.target == target),
            )
            .where(table.c.scorecard == scorecard, table.c.withheld.is_distinct_from(MERGED))
        ).all()
        records = in_target(connection, target, {row.lead for row in rows})
    for row in rows:
        lead_id = records.get(row.lead)
        if lead_id is None or row.state in EXCEPTIONS or row.ver == 0:
            continue
        if row.state == "due" and row.reason:
            continue  # deferred: it says why, and is counted
        value = shown.get(lead_id, {}).get(field)
        text = None if value in (None, "") else str(value)
        if text != (None if row.score is None else str(row.score)):
            yield f"{row.lead} has {row.score} points and {target} shows {text} (state {row.state})"
        elif row.state != "settled":
            yield f"{row.lead} is shown by {target} as it should be and still {row.state}"


def older_never_came_later(written: Sequence[Write], field: str, changed_at: str) -> Iterator[str]:
    """Contract 3: per lead the versions that a CRM took never go back, and one version has one value."""
    by_lead: dict[str, list[Mapping[str, FieldValue]]] = defaultdict(list)
    for write in written:
        if changed_at in write.fields:
            by_lead[write.lead_id].append(write.fields)
    for lead, writes in sorted(by_lead.items()):
        for before, after in pairwise(writes):
            was, is_ = before[changed_at], after[changed_at]
            if was is None or is_ is None:
                continue
            if str(is_) < str(was):
                yield f"{lead} was shown a score of {is_} after one of {was}"
            elif is_ == was and field in before and field in after and after[field] != before[field]:
                yield f"{lead} was shown {before[field]} and then {after[field]}, both as of {is_}"


def one_delivery_per_crossing(connection: Connection, forgotten: Forgotten = NOTHING) -> Iterator[str]:
    """Contract 4: one delivery per (automation, lead, arming, action), of what fired and of nothing else."""
    crossing, delivery = tables.crossing, tables.delivery
    key = ("scorecard", "automation", "lead", "n")
    query = select(*(crossing.c[name] for name in key), crossing.c.as_of)
    rows = connection.execute(query.where(crossing.c.outcome == "fired"))
    fired = {tuple(row[:-1]): row.as_of for row in rows}
    counted = connection.execute(
        select(*(delivery.c[name] for name in key), func.count(), func.count(delivery.c.action.distinct()))
        .group_by(*(delivery.c[name] for name in key))
        .order_by(*(delivery.c[name] for name in key))
    )
    owed = set()
    for *which, number, actions in counted:
        owed.add(tuple(which))
        if number != actions:
            yield f"{which} has {number} deliveries for {actions} actions"
    for which in sorted(fired.keys() - owed):
        if forgotten.before is None or fired[which] >= forgotten.before:
            yield f"{which} fired and has no delivery"
    yield from (f"{which} has deliveries and never fired" for which in sorted(owed - fired.keys()))


def deliveries_arrived_once(
    connection: Connection, receiver: Receiver, mailbox: Mailbox, forgotten: Forgotten = NOTHING
) -> Iterator[str]:
    """Contract 5: an id is one body for ever; what is unknown is on record; mail comes at most once."""
    delivery, attempt = tables.delivery, tables.attempt
    known = {row.delivery_id: row for row in connection.execute(select(delivery))}
    tried: Counter[str] = Counter(connection.scalars(select(attempt.c.delivery_id)))
    for id_, bodies in sorted(receiver.bodies.items()):
        if id_ not in known and id_ not in forgotten.deliveries:
            yield f"the receiver heard of a delivery {id_} that the ledger does not know"
            continue
        # empty, and without its attempts, once it is old and settled
        frozen = bytes(known[id_].body) if id_ in known else b""
        if len(set(bodies)) > 1 or frozen not in (b"", *bodies):
            yield f"delivery {id_} had {len(set(bodies))} bodies, or another than is on record"
        if frozen and len(bodies) > tried[id_]:
            yield f"delivery {id_} was sent {len(bodies)} times in {tried[id_]} attempts"
    for id_, letters in sorted(mailbox.letters.items()):
        if letters > 1:
            yield f"e-mail {id_} was sent {letters} times"
        if id_ not in known and id_ not in forgotten.deliveries:
            yield f"an e-mail {id_} was sent that the ledger does not know"
    for id_, row in sorted(known.items()):
        arrived = {"webhook": receiver.bodies, "email": mailbox.letters}.get(row.kind)
        if row.state == "delivered" and arrived is not None and id_ not in arrived:
            yield f"delivery {id_} counts as delivered and never arrived"
        if row.state == "due" and not row.reason:
            yield f"delivery {id_} is due and nobody sends it"
        if row.state in ("parked", "cancelled", "expired") and not row.reason:
            yield f"delivery {id_} is {row.state} without a reason"


def the_withheld_are_left_alone(connection: Connection) -> Iterator[str]:
    """Contract 12: of a lead that is withheld nothing is sent from then on, and nothing is owed."""
    score, delivery, attempt = tables.score, tables.delivery, tables.attempt
    theirs = select(delivery, score.c.withheld, score.c.changed_at).join(
        score, (score.c.scorecard == delivery.c.scorecard) & (score.c.lead == delivery.c.lead)
    )
    for row in connection.execute(theirs.where(score.c.withheld.is_not(None))):
        if row.state == "due":
            yield f"delivery {row.delivery_id} of a lead that is {row.withheld} is due"
        tried = select(func.max(attempt.c.started_at)).where(attempt.c.delivery_id == row.delivery_id)
        last = connection.scalar(tried)
        if last is not None and last >= row.changed_at:
            yield f"delivery {row.delivery_id} was sent when its lead was {row.withheld}"


def tasks_were_made_once(
    connection: Connection, made: Collection[str], forgotten: Forgotten = NOTHING
) -> Iterator[str]:
    """Contract 5, for what is looked up before it is made again."""
    delivery = tables.delivery
    rows = connection.execute(
        select(delivery.c.delivery_id, delivery.c.state).where(delivery.c.kind == "crm_task")
    )
    known = dict.fromkeys(forgotten.deliveries, "forgotten") | {row.delivery_id: row.state for row in rows}
    for id_, count in sorted(Counter(made).items()):
        if count > 1 or id_ not in known:
            yield f"delivery {id_} made {count} tasks and is {known.get(id_, 'unknown to the ledger')}"
    for id_, state in sorted(known.items()):
        if state == "delivered" and id_ not in made:
            yield f"task {id_} counts as made and is not there"


def nothing_is_silent(connection: Connection, now: datetime) -> Iterator[str]:
    """Contract 6: every lead is in one state of the status; an attempt without an outcome is unknown."""
    for card in status(connection, now).scorecards:
        total = sum(card.leads.values())
        table = tables.score
        mine = (table.c.scorecard == card.scorecard) & table.c.withheld.is_distinct_from(MERGED)
        scored = connection.scalar(select(func.count()).where(mine)) or 0
        if total != scored:
            yield f"{scored} leads of {card.scorecard} are in the states {dict(+Counter(card.leads))}"
    attempt, delivery = tables.attempt, tables.delivery
    silent = connection.execute(
        select(attempt.c.delivery_id, attempt.c.outcome)
        .join(delivery, delivery.c.delivery_id == attempt.c.delivery_id)
        .where(attempt.c.ended_at.is_(None), attempt.c.outcome != "unknown")
    )
    yield from (f"an attempt at {row.delivery_id} ended nowhere and is {row.outcome}" for row in silent)
    for table in (tables.sync, tables.delivery):
        held = connection.scalar(
            select(func.count()).where(table.c.lease_until <= now, table.c.lease_by.is_not(None))
        )
        if held:
            yield f"{held} rows of {table.name} are held by a lease that is over"
