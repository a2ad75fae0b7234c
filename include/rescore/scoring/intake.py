"""Tables as people give them become rows of facts; what cannot is counted by its reason."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import duckdb
import pyarrow as pa
from sqlglot import exp

from rescore.errors import InputUnreadable
from rescore.scoring.columns import ColumnType, odd_columns, types_of
from rescore.scoring.moments import moment
from rescore.scoring.reading import number_in
from rescore.scoring.sql import (
    DIALECT,
    Sql,
    call,
    case,
    cast,
    coalesce,
    column,
    is_null,
    number,
    table,
    text,
)

_JUDGED, _REASON, _ROW = "judged", "reason to set aside", "row of input"
_OTHER = ColumnType.OTHER
UNKNOWN_LEAD = "activity_of_unknown_lead"
"""A reason that may well hold for all: an export of a few leads beside one of everything that happened."""

TOLD = 3
"""Of how many rows it is told where they stand."""


class Aside(NamedTuple):
    """Rows that did not become facts: why, how many, and which come first, counted from 1."""

    reason: str
    rows: int
    first: tuple[int, ...]


def leads(connection: duckdb.DuckDBPyConnection, given: str, *, called: str) -> tuple[pa.Table, list[Aside]]:
    """One row per lead, the first of each, and what was set aside; messages call the input as said."""
    types = types_of(connection, given)
    key = _lead_column(types, called)
    columns = [_text(key).as_("lead", quoted=True)]
    columns += [_plain(name, types[name]).as_(name, quoted=True) for name in _others(types, {key, "lead"})]
    reasons = {"lead_without_id": is_null(column("lead"))}
    read = exp.select(*columns, _row_number().as_(_ROW, quoted=True)).from_(table(given))
    place = _place(["lead"], [column(_ROW)])
    return _split(connection, read, reasons | {"lead_repeated": place > number(1)})


def activities(
    connection: duckdb.DuckDBPyConnection, given: str, *, leads: str, called: str
) -> tuple[pa.Table, list[Aside]]:
    """One row per (source, activity_id), the latest known, of the leads there are; and what was set aside."""
    types = types_of(connection, given)
    key = _lead_column(types, called)
    for needed in ("type", "occurred_at"):
        if needed not in types:
            raise InputUnreadable(
                f"{called} has no column `{needed}`; activities need lead_id, type and occurred_at."
            )
    occurred_at = moment(column("occurred_at"), types["occurred_at"])
    known_at = moment(column("known_at"), types["known_at"]) if "known_at" in types else occurred_at
    own = {
        "source": coalesce(_text("source"), text("")) if "source" in types else text(""),
        "activity_id": _text("activity_id") if "activity_id" in types else cast(_row_number(), "TEXT"),
        "lead": _text(key),
        "type": _text("type"),
        "occurred_at": occurred_at,
        "known_at": known_at,
    }
    plain = {name for name in ("asset", "channel", "value") if types.get(name, _OTHER) != _OTHER}
    own |= {name: _text(name) for name in ("asset", "channel") if name in plain}
    if "value" in plain:
        own["value"] = cast(number_in(column("value"), types["value"]), "DOUBLE")
    columns = [value.as_(name, quoted=True) for name, value in own.items()]
    columns += [_plain(name, types[name]).as_(name, quoted=True) for name in _others(types, {key, *own})]
    read = exp.select(*columns, _row_number().as_(_ROW, quoted=True)).from_(table(given))
    newest_first = [column("known_at"), *(column(name.alias) for name in columns)]
    latest = [exp.Ordered(this=value, desc=True, nulls_first=False) for value in newest_first]
    known = exp.select(column("lead")).from_(table(leads))
    reasons = {
        "activity_without_id": is_null(column("activity_id")),
        "activity_without_lead": is_null(column("lead")),
        "activity_without_type": is_null(column("type")),
        "activity_time_unreadable": is_null(column("occurred_at")),
        "activity_repeated": _place(["source", "activity_id"], latest) > number(1),
        UNKNOWN_LEAD: exp.not_(column("lead").isin(query=known)),
    }
    return _split(connection, read, reasons)


def not_finite(connection: duckdb.DuckDBPyConnection, given: str) -> dict[str, int]:
    """How many values of each column are NaN or without end, which counts as missing."""
    doubles = [name for name, kind in types_of(connection, given).items() if kind is ColumnType.DOUBLE]
    if not doubles:
        return {}
    counts = [exp.Count(this=case((exp.not_(call("ISFINITE", column(name))), number(1)))) for name in doubles]
    found = connection.execute(exp.select(*counts).from_(table(given)).sql(DIALECT)).fetchall()[0]
    return {name: count for name, count in zip(doubles, found, strict=True) if count}


def left_out(
    connection: duckdb.DuckDBPyConnection, given: str, *, keys: Collection[str], called: str
) -> list[str]:
    """What is said about columns that no rule can read.

    Args:
        connection: Where the input is.
        given: Its name there.
        keys: The columns without which its rows mean nothing; either of `lead` and `lead_id` will do.
        called: What messages call the input.

    Raises:
        InputUnreadable: One of the keys is such a column, or could be either of two.
    """
    names = types_of(connection, given).keys()
    if {"lead", "lead_id"} <= names:
        raise InputUnreadable(
            f"{called} has the columns `lead` and `lead_id`, and either tells whose row it is; "
            "rename one, or leave it out."
        )
    for name in names - set(keys):
        if name.casefold() in keys:
            raise InputUnreadable(f"{called} has a column `{name}`; write `{name.casefold()}`, or rename it.")
    odd = odd_columns(connection, given)
    for name, held in odd.items():
        if name in keys:
            raise InputUnreadable(
                f"The column `{name}` of {called} holds {held}; export it as text or numbers."
            )
    return [
        f"column {name} of {called} holds {held}, which no rule can read; it is left out"
        for name, held in odd.items()
    ]


def _lead_column(types: Mapping[str, ColumnType], called: str) -> str:
    for name in ("lead", "lead_id"):
        if name in types:
            return name
    raise InputUnreadable(f"{called} has no column `lead_id`; it tells whose row it is.")


def _others(types: Mapping[str, ColumnType], own: set[str]) -> list[str]:
    """The remaining columns that hold plain values; a struct or a list is no field."""
    taken = {name.casefold() for name in own}
    return [name for name, kind in types.items() if name.casefold() not in taken and kind != _OTHER]


def _text(name: str) -> Sql:
    return exp.func("NULLIF", cast(column(name), "TEXT"), text(""))


def _plain(name: str, kind: ColumnType) -> Sql:
    match kind:
        case ColumnType.TEXT:
            return cast(column(name), "TEXT")
        case ColumnType.INTEGER:
            return cast(column(name), "BIGINT")
        case ColumnType.DOUBLE | ColumnType.DECIMAL:
            return cast(number_in(column(name), kind), "DOUBLE")
        case ColumnType.TIMESTAMP | ColumnType.ZONED:
            return moment(column(name), kind)
    return column(name)


def _row_number() -> Sql:
    return exp.Window(this=exp.Anonymous(this="ROW_NUMBER"))


def _place(key: list[str], order: Sequence[Sql]) -> Sql:
    """Which row of those with the same key it is."""
    return exp.Window(
        this=exp.Anonymous(this="ROW_NUMBER"),
        partition_by=[column(name) for name in key],
        order=exp.Order(expressions=list(order)),
    )


def _split(
    connection: duckdb.DuckDBPyConnection, read: exp.Select, reasons: Mapping[str, Sql]
) -> tuple[pa.Table, list[Aside]]:
    """The rows for which no reason holds, and those set aside, each by the first that does."""
    reason = case(*((wrong, text(reason)) for reason, wrong in reasons.items())).as_(_REASON, quoted=True)
    judged = exp.select(exp.Star(), reason).from_(read.subquery("read"))
    connection.execute(exp.Create(this=table(_JUDGED), kind="TABLE", expression=judged).sql(DIALECT))
    kept = exp.select(exp.Star()).from_(table(_JUDGED)).where(is_null(column(_REASON)))
    rows = connection.sql(kept.sql(DIALECT)).to_arrow_table()
    first = call("MIN", column(_ROW), number(TOLD))
    aside = exp.select(column(_REASON), exp.Count(this=exp.Star()), first).from_(table(_JUDGED))
    aside = aside.where(exp.not_(is_null(column(_REASON)))).group_by(column(_REASON))
    counted = [
        Aside(reason, count, tuple(first))
        for reason, count, first in connection.execute(aside.sql(DIALECT)).fetchall()
    ]
    connection.execute(f"DROP TABLE {_JUDGED}")
    order = list(reasons)
    counted.sort(key=lambda one: order.index(one.reason))
    return rows.drop_columns([_REASON, _ROW]), counted
