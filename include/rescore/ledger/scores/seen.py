"""What each run had seen of the lake, and what the committed scores of leads were made of."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, Select, select, update

from rescore.ledger import tables
from rescore.ledger.scores.stage import LEADS_A_QUERY

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
        ("withheld", pa.string()),
        ("version", pa.int64()),
        ("as_of", TIME),
        ("seen_activities", pa.int64()),
        ("seen_leads", pa.int64()),
        ("seen_aliases", pa.int64()),
    ]
)
"""One committed score each; times are naive UTC, the last three null when nobody noted what was seen."""

_UNKNOWN = (None, None, None)
_READ = (*MADE_OF.names[:-3], "input_ver")


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
    named = {name: [*values] for name, values in zip(_READ, zip(*rows, strict=True), strict=False)}
    moments = list(zip(named.get("as_of", ()), named.pop("input_ver", ()), strict=True))
    noted = _seen(connection, scorecard, set(named.get("as_of", ())))
    found = zip(*(noted.get(moment, _UNKNOWN) for moment in moments), strict=True)
    named |= dict(zip(MADE_OF.names[-3:], map(list, found), strict=False))
    return pa.table({column.name: _array(named.get(column.name, []), column.type) for column in MADE_OF})


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Times come aware and are kept as naive UTC."""
    return pa.array(values, pa.timestamp("us", "UTC")).cast(TIME) if kind == TIME else pa.array(values, kind)


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
            score.c.withheld,
            activation.c.version_seq,
            score.c.as_of,
            score.c.input_ver,  # in the order of `_READ`
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
