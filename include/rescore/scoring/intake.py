"""Tables as people give them become rows of facts; what cannot is counted by its reason."""

from collections.abc import Mapping, Sequence

import duckdb
import pyarrow as pa
from sqlglot import exp

from rescore.errors import InputUnreadable
from rescore.scoring.columns import ColumnType, named, types_of
from rescore.scoring.reading import moment, number_in
from rescore.scoring.sql import DIALECT, case, cast, column, number, text

_JUDGED, _REASON, _ROW = "judged", "reason to set aside", "row of input"


def leads(connection: duckdb.DuckDBPyConnection, given: str) -> tuple[pa.Table, dict[str, int]]:
    """One row per lead, the first of each, and how many rows were set aside."""
    types = types_of(connection, given)
    key = _lead_column(types, "leads")
    columns = [_text(key).as_("lead", quoted=True)]
    columns += [_plain(name, types[name]).as_(name, quoted=True) for name in _others(types, {key, "lead"})]
    reasons = {"lead_without_id": column("lead").is_(exp.null())}
    read = exp.select(*columns, _row_number().as_(_ROW, quoted=True)).from_(named(given))
    judged = _judged(read, reasons, ["lead"], "lead_repeated", [column(_ROW)])
    return _split(connection, judged)


def activities(connection: duckdb.DuckDBPyConnection, given: str) -> tuple[pa.Table, dict[str, int]]:
    """One row per (source, activity_id), the latest known, and how many rows were set aside."""
    types = types_of(connection, given)
    key = _lead_column(types, "activities")
    for needed in ("type", "occurred_at"):
        if needed not in types:
            raise InputUnreadable(
                f"The activities have no column `{needed}`; they need lead_id, type and occurred_at."
            )
    occurred_at = moment(column("occurred_at"), types["occurred_at"])
    known_at = moment(column("known_at"), types["known_at"]) if "known_at" in types else occurred_at
    own = {
        "source": exp.func("COALESCE", _text("source"), text("")) if "source" in types else text(""),
        "activity_id": _text("activity_id") if "activity_id" in types else cast(_row_number(), "TEXT"),
        "lead": _text(key),
        "type": _text("type"),
        "occurred_at": occurred_at,
        "known_at": known_at,
        "asset": _text("asset") if "asset" in types else cast(exp.null(), "TEXT"),
        "channel": _text("channel") if "channel" in types else cast(exp.null(), "TEXT"),
        "value": cast(number_in(column("value"), types.get("value")), "DOUBLE"),
    }
    columns = [value.as_(name, quoted=True) for name, value in own.items()]
    columns += [_plain(name, types[name]).as_(name, quoted=True) for name in _others(types, {key, *own})]
    reasons = {
        "activity_without_id": column("activity_id").is_(exp.null()),
        "activity_without_lead": column("lead").is_(exp.null()),
        "activity_without_type": column("type").is_(exp.null()),
        "activity_time_unreadable": column("occurred_at").is_(exp.null()),
    }
    read = exp.select(*columns).from_(named(given))
    newest_first = [column("known_at"), *(column(name.alias) for name in columns)]
    latest = [exp.Ordered(this=value, desc=True, nulls_first=False) for value in newest_first]
    return _split(connection, _judged(read, reasons, ["source", "activity_id"], "activity_repeated", latest))


def activities_of_unknown_leads(connection: duckdb.DuckDBPyConnection, activities: str, leads: str) -> int:
    """How many activities belong to leads that are not there; no score shows them."""
    known = exp.select(column("lead")).from_(named(leads))
    query = exp.select(exp.Count(this=exp.Star())).from_(named(activities))
    query = query.where(column("lead").isin(query=known).not_())
    (count,) = connection.execute(query.sql(DIALECT)).fetchall()[0]
    return int(count)


def _lead_column(types: Mapping[str, ColumnType], what: str) -> str:
    for name in ("lead", "lead_id"):
        if name in types:
            return name
    raise InputUnreadable(f"The {what} have no column `lead_id`; it tells whose row it is.")


def _others(types: Mapping[str, ColumnType], own: set[str]) -> list[str]:
    """The remaining columns that hold plain values; a struct or a list is no field."""
    taken = {name.casefold() for name in own}
    return [name for name, kind in types.items() if name.casefold() not in taken and kind != ColumnType.OTHER]


def _text(name: str) -> exp.Expression:
    return exp.func("NULLIF", cast(column(name), "TEXT"), text(""))


def _plain(name: str, kind: ColumnType) -> exp.Expression:
    match kind:
        case ColumnType.INTEGER:
            return cast(column(name), "BIGINT")
        case ColumnType.DOUBLE | ColumnType.DECIMAL:
            return cast(number_in(column(name), kind), "DOUBLE")
        case ColumnType.TIMESTAMP | ColumnType.ZONED:
            return cast(column(name), "TIMESTAMP")
    return column(name)


def _row_number() -> exp.Expression:
    return exp.Window(this=exp.Anonymous(this="ROW_NUMBER"))


def _judged(
    read: exp.Select,
    reasons: Mapping[str, exp.Expression],
    key: list[str],
    repeated: str,
    order: Sequence[exp.Expression],
) -> exp.Select:
    """The rows with the reason why each is set aside, null for those that stay."""
    place = exp.Window(
        this=exp.Anonymous(this="ROW_NUMBER"),
        partition_by=[column(name) for name in key],
        order=exp.Order(expressions=list(order)),
    )
    branches = [(wrong, text(reason)) for reason, wrong in reasons.items()]
    reason = case(*branches, (place > number(1), text(repeated)))
    return exp.select(exp.Star(), reason.as_(_REASON, quoted=True)).from_(read.subquery("read"))


def _split(connection: duckdb.DuckDBPyConnection, judged: exp.Select) -> tuple[pa.Table, dict[str, int]]:
    connection.execute(exp.Create(this=named(_JUDGED), kind="TABLE", expression=judged).sql(DIALECT))
    reason = column(_REASON)
    counted = exp.select(reason, exp.Count(this=exp.Star())).from_(named(_JUDGED)).group_by(reason)
    counts = dict(connection.execute(counted.sql(DIALECT)).fetchall())
    kept = exp.select(exp.Star()).from_(named(_JUDGED)).where(reason.is_(exp.null()))
    table = connection.sql(kept.sql(DIALECT)).to_arrow_table()
    connection.execute(f"DROP TABLE {_JUDGED}")
    ours = [name for name in (_REASON, _ROW) if name in table.column_names]
    return table.drop_columns(ours), {reason: count for reason, count in counts.items() if reason}
