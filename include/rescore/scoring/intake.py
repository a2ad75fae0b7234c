"""Tables as people give them become rows of facts; what cannot is counted by its reason."""

import codecs
import gzip
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlglot import exp

from rescore.errors import InputUnreadable
from rescore.scoring.columns import ColumnType, types_of
from rescore.scoring.moments import moment
from rescore.scoring.reading import number_in
from rescore.scoring.sql import DIALECT, Sql, case, cast, coalesce, column, is_null, number, table, text

_CHUNK = 1024 * 1024
_KINDS = {".parquet": "Parquet", ".csv": "CSV", ".csv.gz": "CSV"}
_JUDGED, _REASON, _ROW = "judged", "reason to set aside", "row of input"


def open_file(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> int:
    """Make a CSV or Parquet file known under a name; returns how many of its rows could not be read.

    Raises:
        InputUnreadable: The file is not there or is not what its name says.
    """
    if not path.is_file():
        raise InputUnreadable(f"There is {'a folder, and no file,' if path.is_dir() else 'no file'} {path}.")
    kind = next((kind for suffix, kind in _KINDS.items() if path.name.lower().endswith(suffix)), None)
    if kind is None:
        raise InputUnreadable(f"{path} is neither .parquet nor .csv; the name has to tell which it is.")
    if kind == "CSV":
        _require_utf8(path)
    try:
        if kind == "Parquet":
            connection.read_parquet(_literally(path)).create(name)
            return 0
        rows = connection.read_csv(
            _literally(path),
            all_varchar=True,
            header=True,
            store_rejects=True,
            rejects_table=f"{name}_rejects",
            rejects_scan=f"{name}_scan",
        )
        rows.create(name)
    except duckdb.Error as error:  # its text may quote rows of the file
        wanted = "UTF-8 CSV with a first line of names" if kind == "CSV" else kind
        raise InputUnreadable(f"{path} cannot be read as {kind}; export it again as {wanted}.") from error
    (rejected,) = connection.table(f"{name}_rejects").aggregate("count(DISTINCT line)").fetchall()[0]
    return int(rejected)


def _literally(path: Path) -> str:
    """The path as a pattern that no other file matches: DuckDB takes every path for one."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _require_utf8(path: Path) -> None:
    """Say where a CSV stops being UTF-8: row by row it would lose everybody whose name has an umlaut."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    line = 1
    try:
        with opened(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
                line += chunk.count(b"\n")
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        line += error.object.count(b"\n", 0, error.start)
        byte = error.object[error.start]
        raise InputUnreadable(
            f"{path} is not UTF-8: line {line:,} has the byte {byte:#04x}; export it again as UTF-8, "
            f"or convert it: iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8.csv"
        ) from None
    except (OSError, EOFError):
        return  # whatever is wrong with it, the reader says so


def leads(connection: duckdb.DuckDBPyConnection, given: str) -> tuple[pa.Table, dict[str, int]]:
    """One row per lead, the first of each, and how many rows were set aside."""
    types = types_of(connection, given)
    key = _lead_column(types, "leads")
    columns = [_text(key).as_("lead", quoted=True)]
    columns += [_plain(name, types[name]).as_(name, quoted=True) for name in _others(types, {key, "lead"})]
    reasons = {"lead_without_id": is_null(column("lead"))}
    read = exp.select(*columns, _row_number().as_(_ROW, quoted=True)).from_(table(given))
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
        "source": coalesce(_text("source"), text("")) if "source" in types else text(""),
        "activity_id": _text("activity_id") if "activity_id" in types else cast(_row_number(), "TEXT"),
        "lead": _text(key),
        "type": _text("type"),
        "occurred_at": occurred_at,
        "known_at": known_at,
    }
    own |= {name: _text(name) for name in ("asset", "channel") if name in types}
    if "value" in types:
        own["value"] = cast(number_in(column("value"), types["value"]), "DOUBLE")
    columns = [value.as_(name, quoted=True) for name, value in own.items()]
    columns += [_plain(name, types[name]).as_(name, quoted=True) for name in _others(types, {key, *own})]
    reasons = {
        "activity_without_id": is_null(column("activity_id")),
        "activity_without_lead": is_null(column("lead")),
        "activity_without_type": is_null(column("type")),
        "activity_time_unreadable": is_null(column("occurred_at")),
    }
    read = exp.select(*columns).from_(table(given))
    newest_first = [column("known_at"), *(column(name.alias) for name in columns)]
    latest = [exp.Ordered(this=value, desc=True, nulls_first=False) for value in newest_first]
    return _split(connection, _judged(read, reasons, ["source", "activity_id"], "activity_repeated", latest))


def activities_of_unknown_leads(connection: duckdb.DuckDBPyConnection, activities: str, leads: str) -> int:
    """How many activities belong to leads that are not there; no score shows them."""
    known = exp.select(column("lead")).from_(table(leads))
    query = exp.select(exp.Count(this=exp.Star())).from_(table(activities))
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


def _judged(
    read: exp.Select,
    reasons: Mapping[str, Sql],
    key: list[str],
    repeated: str,
    order: Sequence[Sql],
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
    connection.execute(exp.Create(this=table(_JUDGED), kind="TABLE", expression=judged).sql(DIALECT))
    reason = column(_REASON)
    counted = exp.select(reason, exp.Count(this=exp.Star())).from_(table(_JUDGED)).group_by(reason)
    counts = dict(connection.execute(counted.sql(DIALECT)).fetchall())
    kept = exp.select(exp.Star()).from_(table(_JUDGED)).where(is_null(reason))
    rows = connection.sql(kept.sql(DIALECT)).to_arrow_table()
    connection.execute(f"DROP TABLE {_JUDGED}")
    ours = [name for name in (_REASON, _ROW) if name in rows.column_names]
    return rows.drop_columns(ours), {reason: count for reason, count in counts.items() if reason}
