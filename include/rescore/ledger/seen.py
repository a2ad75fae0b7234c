"""What each run had seen of the lake, and what the committed scores of leads were made of."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Select, select, update

from rescore.ledger import tables
from rescore.ledger.stage import LEADS_A_QUERY

Seen = Mapping[str, int]
"""Table of the lake -> number of its last append (`rescore.lake.past`)."""

TIME = pa.timestamp("us")
MADE_OF = pa.schema(
    [
        ("lead", pa.string()),
        ("score", pa.int64()),
        ("band", pa.string()),
        ("grade", pa.string()),
        ("dimensions", pa.string()),
        ("restarted_at", TIME),
        ("version", pa.int64()),
        ("as_of", TIME),
        ("seen_activities", pa.int64()),
        ("seen_leads", pa.int64()),
        ("seen_aliases", pa.int64()),
    ]
)
"""One committed score each; times are naive UTC, the last three null when nobody noted what was seen."""

_UNKNOWN = (None, None, None)


def note(connection: Connection, run_key: str, seen: Seen) -> None:
    """Note which state of the lake a run scored; a later attempt's counts."""
    run = tables.run
    connection.execute(update(run).where(run.c.run_key == run_key).values(seen=json.dumps(dict(seen))))


def of_run(connection: Connection, run_key: str) -> Seen | None:
    """The state of the lake that a run scored; None when nobody noted it."""
    run = tables.run
    noted = connection.scalar(select(run.c.seen).where(run.c.run_key == run_key))
    return None if noted is None else json.loads(noted)


def made_of(connection: Connection, scorecard: str, leads: Collection[str] | None = None) -> pa.Table:
    """Of these leads or of all: the committed score and what it was made of, as `MADE_OF`."""
    if leads is None:
        rows = list(connection.execute(_scores(scorecard)))
    else:
        asked = sorted(leads)
        rows = [
            row
            for start in range(0, len(asked), LEADS_A_QUERY)
            for row in connection.execute(
                _scores(scorecard).where(tables.score.c.lead.in_(asked[start : start + LEADS_A_QUERY]))
            )
        ]
    seen = _seen(connection, scorecard, {row.as_of for row in rows})
    values = [
        (
            *row[:5],
            _naive(row.restarted_at),
            row.version_seq,
            _naive(row.as_of),
            *seen.get((row.as_of, row.input_ver), _UNKNOWN),
        )
        for row in rows
    ]
    columns = list(zip(*values, strict=True)) or [()] * len(MADE_OF)
    return pa.table([pa.array(v, t) for v, t in zip(columns, MADE_OF.types, strict=True)], schema=MADE_OF)


def _scores(scorecard: str) -> Select[Any]:
    score, activation = tables.score, tables.activation
    activated = (activation.c.scorecard == score.c.scorecard) & (
        activation.c.activation_seq == score.c.activation_seq
    )
    return (
        select(
            score.c.lead,
            score.c.score,
            score.c.band,
            score.c.grade,
            score.c.dimensions,
            score.c.restarted_at,
            activation.c.version_seq,
            score.c.as_of,
            score.c.input_ver,
        )
        .join(activation, activated)
        .where(score.c.scorecard == scorecard)
    )


def _seen(
    connection: Connection, scorecard: str, moments: Collection[datetime]
) -> dict[tuple[datetime, int], tuple[int, int, int]]:
    """(as_of, input version) -> what the run of that moment had seen.

    A thresholds run leaves both as they are in a score, and so a score leads to the run that computed it.
    """
    run = tables.run
    found: dict[tuple[datetime, int], tuple[int, int, int]] = {}
    asked = sorted(moments)
    for start in range(0, len(asked), LEADS_A_QUERY):
        rows = connection.execute(
            select(run.c.as_of, run.c.input_ver, run.c.seen)
            .where(run.c.scorecard == scorecard, run.c.seen.is_not(None))
            .where(run.c.as_of.in_(asked[start : start + LEADS_A_QUERY]))
            .order_by(run.c.started_at)
        )
        for as_of, input_ver, noted in rows:
            seen = json.loads(noted)
            found[as_of, input_ver] = (seen["activities"], seen["leads"], seen["aliases"])
    return found


def _naive(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)
