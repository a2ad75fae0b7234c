"""The state of record: what a plan is compared with."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Select, func, select

from rescore.ledger import tables
from rescore.ledger.automations.accounts import all_accounts
from rescore.ledger.automations.firing_history import last_fired
from rescore.ledger.scores.streams import input_ver
from rescore.rules.card import Scorecard
from rescore.same_person import DELETED

COMMITTED = pa.schema(
    [
        ("lead", pa.string()),
        ("score", pa.int64()),
        ("band", pa.string()),
        ("grade", pa.string()),
        ("dimensions", pa.string()),
        ("judged_by", pa.int64()),
        ("ver", pa.int64()),
    ]
)
ARMINGS = pa.schema(
    [("lead", pa.string()), ("automation", pa.string()), ("state", pa.string()), ("n", pa.int64())]
)


@dataclass(frozen=True)
class Record:
    """What is committed of one scorecard, read in one transaction before the facts are.

    `committed` has the columns of `COMMITTED`, one row a lead, `armings` those of `ARMINGS`. `born` maps
    automations to the activation of their (latest) appearance. By lead: `restarted_at` where it is set,
    `facts_until` of marked leads, and `last_fired`, by automation, where the new card has a cooldown; by
    automation and key `accounts_fired`, where it has a `once_per`. `since` says when (automation, lead) got
    into its state, where the new card has restarts. `sources` says of leads with records in several sources
    where these are, `history` of whom facts of a history are new.
    """

    input_ver: int
    may_fire: bool
    committed: pa.Table
    armings: pa.Table
    born: Mapping[str, int]
    restarted_at: Mapping[str, datetime]
    facts_until: Mapping[str, datetime]
    last_fired: Mapping[str, Mapping[str, datetime]]
    accounts_fired: Mapping[tuple[str, str], datetime]
    since: Mapping[tuple[str, str], datetime]
    sources: Mapping[str, frozenset[str]] = field(default_factory=dict)
    history: frozenset[str] = frozenset()

    def without_marks(self) -> Record:
        """What a run meets that covers no marks, because it reads no facts."""
        return replace(self, facts_until={}, history=frozenset())


def read_record(connection: Connection, new: Scorecard) -> Record:
    """What a rescore under `new` would meet."""
    score, arming, automation = tables.score, tables.arming, tables.automation
    mine = score.c.scorecard == new.id
    first_load_done = connection.scalar(
        select(tables.control.c.first_load_done).where(tables.control.c.scorecard == new.id)
    )
    committed = select(
        score.c.lead,
        score.c.score,
        score.c.band,
        score.c.grade,
        score.c.dimensions,
        score.c.activation_seq.label("judged_by"),
        score.c.ver,
    ).where(mine)
    armings = select(arming.c.lead, arming.c.automation, arming.c.state, arming.c.n).where(
        arming.c.scorecard == new.id
    )
    born = select(automation.c.automation, automation.c.born).where(
        automation.c.scorecard == new.id, automation.c.removed.is_(None)
    )
    restarted = select(score.c.lead, score.c.restarted_at).where(mine, score.c.restarted_at.is_not(None))
    dirty = tables.dirty
    marked = select(dirty.c.lead, dirty.c.facts_until).where(
        dirty.c.scorecard == new.id, dirty.c.facts_until.is_not(None)
    )
    of_history = select(dirty.c.lead).where(dirty.c.scorecard == new.id, dirty.c.history)
    return Record(
        input_ver=input_ver(connection),
        may_fire=bool(first_load_done),
        committed=_arrow(connection, committed, COMMITTED),
        armings=_arrow(connection, armings, ARMINGS),
        born=_pairs(connection, born),
        restarted_at=_pairs(connection, restarted),
        facts_until=_pairs(connection, marked),
        accounts_fired=all_accounts(connection, new),
        last_fired=last_fired(connection, new),
        since={} if new.restart is None else _since(connection, new.id),
        sources=_sources(connection),
        history=frozenset(connection.scalars(of_history)),
    )


def _sources(connection: Connection) -> dict[str, frozenset[str]]:
    """By lead that is on record with its places: the sources of the records that are not deleted."""
    record = tables.record
    found: dict[str, set[str]] = {}
    for lead, source, state in connection.execute(select(record.c.lead, record.c.source, record.c.state)):
        found.setdefault(lead, set()).update([] if state == DELETED else [source])
    return {lead: frozenset(sources) for lead, sources in found.items()}


def due_deliveries(connection: Connection, scorecard: str, automation: str) -> int:
    """How many deliveries of an automation are still due."""
    delivery = tables.delivery
    due = select(func.count()).where(
        delivery.c.scorecard == scorecard, delivery.c.automation == automation, delivery.c.state == "due"
    )
    return connection.scalar(due) or 0


def _since(connection: Connection, scorecard: str) -> dict[tuple[str, str], datetime]:
    arming = tables.arming
    rows = connection.execute(
        select(arming.c.automation, arming.c.lead, arming.c.since).where(arming.c.scorecard == scorecard)
    )
    return {(row.automation, row.lead): row.since for row in rows}


def _arrow(connection: Connection, query: Select[Any], schema: pa.Schema) -> pa.Table:
    """The rows by the driver's own way: texts and numbers need no help, and there is one for every lead."""
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    cursor = connection.connection.cursor()
    with _uncollected():
        try:
            columns = list(zip(*cursor.execute(str(compiled)).fetchall(), strict=True)) or [()] * len(schema)
        finally:
            cursor.close()
        return pa.table([pa.array(v, t) for v, t in zip(columns, schema.types, strict=True)], schema=schema)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for garbage: a row for every lead, none of it garbage, made it look again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _pairs(connection: Connection, query: Select[Any]) -> dict[str, Any]:
    return dict(tuple(row) for row in connection.execute(query))
