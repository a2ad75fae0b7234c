"""What a scorecard keeps in quarantine, told to people: how many activities of how many leads, and which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from sqlglot import exp

from rescore.rules.card import Scorecard
from rescore.scoring.compile import quarantine
from rescore.scoring.facts import Facts
from rescore.scoring.local_days import LocalDays
from rescore.scoring.quarantine import Quarantine
from rescore.scoring.sql import DIALECT, Sql, column, table
from rescore.withheld import RELEASED_HERE


@dataclass(frozen=True, slots=True)
class Held:
    """How many activities, of how many leads, and when the newest happened (aware; None of nothing)."""

    activities: int = 0
    leads: int = 0
    newest: datetime | None = None


def by_entry(card: Scorecard, facts: Facts, *, as_of: datetime) -> dict[str, Held]:
    """Of each entry of the card what it keeps out; what several of them take counts for each."""
    found = {entry.id: Held() for entry in card.quarantine}
    if found:
        rows = _of(card, facts, as_of).taken_by_each("lead", "occurred_at")
        for row in _counted(facts, rows, "entry"):
            found[row["entry"]] = _held(row)
    return found


def in_all(card: Scorecard, facts: Facts, *, as_of: datetime) -> Held:
    """What all entries together keep out."""
    if not card.quarantine:
        return Held()
    [row] = _counted(facts, _of(card, facts, as_of).taken("lead", "occurred_at"))
    return _held(row)


def by_type(
    card: Scorecard, facts: Facts, *, as_of: datetime, known_as_of: datetime | None = None
) -> Iterator[tuple[str, str, Held]]:
    """Entry, activity type, and what the one keeps out of the other."""
    if card.quarantine:
        rows = _of(card, facts, as_of, known_as_of).taken_by_each("lead", "type", "occurred_at")
        for row in _counted(facts, rows, "entry", "type"):
            yield row["entry"], row["type"], _held(row)


def released(facts: Facts) -> int:
    """How many leads a person released from every quarantine."""
    if RELEASED_HERE not in facts.columns.leads:
        return 0
    flag = column(RELEASED_HERE)
    counted = exp.select(exp.Count(this=exp.Star())).from_(table(facts.leads)).where(flag)
    [(number,)] = facts.connection.sql(counted.sql(DIALECT)).fetchall()
    return int(number)


def single_ones(card: Scorecard, facts: Facts, *, as_of: datetime) -> pa.Table:
    """Every activity that is kept out, once for each entry that takes it: personal data.

    `entry`, `lead`, `type`, `occurred_at` (naive UTC), `source` and `activity_id`, sorted.
    """
    if not card.quarantine:
        return _SINGLE.empty_table()
    rows = _of(card, facts, as_of).taken_by_each(*_SINGLE.names[1:])
    order = ("entry", "lead", "occurred_at", "source", "activity_id")
    return facts.connection.sql(rows.order_by(*map(column, order)).sql(DIALECT)).to_arrow_table()


_SINGLE = pa.schema(
    [
        ("entry", pa.string()),
        ("lead", pa.string()),
        ("type", pa.string()),
        ("occurred_at", pa.timestamp("us")),
        ("source", pa.string()),
        ("activity_id", pa.string()),
    ]
)


def _of(card: Scorecard, facts: Facts, as_of: datetime, known_as_of: datetime | None = None) -> Quarantine:
    return quarantine(
        card,
        days=LocalDays.until(as_of, card.timezone),
        columns=facts.columns,
        known_as_of=known_as_of,
        relations=(facts.activities, facts.leads),
    )


def _counted(facts: Facts, rows: exp.Select, *by: str) -> list[dict[str, Any]]:
    steps = rows.args.pop("with_")
    counts: list[Sql] = [
        exp.Count(this=exp.Star()).as_("activities"),
        exp.Count(this=exp.Distinct(expressions=[column("lead")])).as_("leads"),
        exp.Max(this=column("occurred_at")).as_("newest"),
    ]
    counted = exp.select(*map(column, by), *counts).from_(rows.subquery("rows"))
    if by:
        counted = counted.group_by(*map(column, by))
    counted.set("with_", steps)
    found: list[dict[str, Any]] = facts.connection.sql(counted.sql(DIALECT)).to_arrow_table().to_pylist()
    return found


def _held(row: dict[str, Any]) -> Held:
    newest = row["newest"]
    return Held(row["activities"], row["leads"], newest and newest.replace(tzinfo=UTC))
