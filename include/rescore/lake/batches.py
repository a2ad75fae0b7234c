"""Which activities of a batch are facts: the rules of `rescore.lake.screen`, for many rows at once.

Both say the same of the same activity, down to the hash of its content; a test holds them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rescore.lake.arrivals import GIVEN
from rescore.lake.reading import connect, keep, listed
from rescore.lake.records import BATCH, UNREADABLE, SetAside
from rescore.lake.screen import CLOCK_SKEW, ERASED, LONGEST_TEXT, content_parts, storable
from rescore.lake.tables import TIME
from rescore.model import lead_key

_NUL = "chr(0)"
_UNREADABLE = f"chr({ord(UNREADABLE)})"
Problem = tuple[str, str, str]
"""Condition, reason, and SQL for the detail."""

Numbers = npt.NDArray[np.int64]
_FINE = -1  # the number of no problem


def fields_of(batch: pa.Table) -> list[str]:
    """The names of a batch's text fields."""
    return [name for name in batch.column_names if name not in BATCH.names]


def without_erased(
    source: str, batch: pa.Table, is_erased: Callable[[str], bool]
) -> tuple[pa.Table, Counter[str]]:
    """The batch without activities of leads that were erased, by their ids, and how many those were."""
    encoded = batch["lead_id"].combine_chunks().dictionary_encode()
    gone = [lead_id for lead_id in encoded.dictionary.to_pylist() if is_erased(lead_key(source, lead_id))]
    if not gone:
        return batch, Counter()
    with connect() as connection:
        connection.register("gone", pa.table({"lead_id": pa.array(gone, pa.string())}))
        connection.register("batch", batch)
        kept = connection.sql("SELECT b.* FROM batch AS b ANTI JOIN gone USING (lead_id)").to_arrow_table()
    return kept.cast(batch.schema), Counter({ERASED: batch.num_rows - kept.num_rows})


def screen_batch(source: str, batch: pa.Table, *, known_at: datetime) -> tuple[pa.Table, list[SetAside]]:
    """What of a batch can be a fact, as `GIVEN` and its text fields, in its order; and what is set aside.

    The names of its fields have been checked.
    """
    fields = fields_of(batch)
    known = known_at.astimezone(UTC).replace(tzinfo=None)
    problems = _problems(fields, f"TIMESTAMP '{known}'")
    place = batch.schema.get_field_index("occurred_at")
    rows = batch.set_column(place, "occurred_at", batch["occurred_at"].cast(TIME))
    with connect() as connection:
        content, problem = _judged(connection, source, rows, fields, problems)
        usable = problem == _FINE
        aside = [] if usable.all() else _set_aside(connection, rows, problem, problems)
    rows = rows.append_column("content", pa.array(content))
    if aside:
        rows = rows.filter(pa.array(usable))
    leads = pc.binary_join_element_wise(lead_key(source, ""), rows["lead_id"], "")
    moments = pc.min_element_wise(rows["occurred_at"], pa.scalar(known, TIME))
    columns = {name: _not_empty(rows[name]) for name in ("asset", "channel", *fields)}
    columns |= {name: rows[name] for name in ("activity_id", "type", "value", "content")}
    given = pa.table(columns | {"lead": leads, "occurred_at": moments})
    return given.select([*GIVEN.names, *fields]), aside


def _judged(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    rows: pa.Table,
    fields: Iterable[str],
    problems: list[Problem],
) -> tuple[Numbers, Numbers]:
    """In the order of the rows: the hash of each one's content, and the number of the first problem it has.

    Only these numbers leave the engine, which would take as long again to copy the texts.
    """
    bits = pa.chunked_array([chunk.view(pa.int64()) for chunk in rows["value"].chunks], pa.int64())
    rows = rows.append_column("value bits", bits)
    rows = rows.append_column("place", pa.array(np.arange(rows.num_rows)))
    prefix = lead_key(source, "").replace("'", "''")
    placed, named = content_parts(
        lead=f"'{prefix}', lead_id",
        type_="type",
        occurred_at="epoch_us(occurred_at)",
        value='"value bits"',
        texts={name: _q(name) for name in ("asset", "channel", *fields)},
    )
    said = f", {_NUL}, ".join(placed)
    said += "".join(f", {_NUL} || '{name}=' || nullif({text}, '')" for name, text in named)
    branches = " ".join(f"WHEN {wrong} THEN {number}" for number, (wrong, _, _) in enumerate(problems))
    connection.register("batch", rows)
    found = connection.execute(
        f"SELECT place, (md5_number(concat({said})) & {2**63 - 1})::BIGINT AS content, "
        f"CASE {branches} ELSE {_FINE} END AS problem FROM batch"
    ).fetchnumpy()
    connection.unregister("batch")
    content, problem = np.empty(rows.num_rows, np.int64), np.empty(rows.num_rows, np.int64)
    content[found["place"]], problem[found["place"]] = found["content"], found["problem"]
    return content, problem


def _not_empty(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _problems(fields: Iterable[str], known: str) -> list[Problem]:
    """In the order in which one at a time they would be found."""
    future = "'occurred_at ' || strftime(occurred_at, '%Y-%m-%dT%H:%M:%SZ')"
    skew = int(CLOCK_SKEW.total_seconds())
    problems = [
        ("occurred_at IS NULL", "unreadable time", "'occurred_at'"),
        (f"occurred_at > {known} + INTERVAL {skew} SECOND", "in the future", future),
        ("type IS NULL", "unreadable value", "'type'"),
        *_unfit("type", "type"),
        ("type = ''", "no type", "''"),
        ("lead_id IS NULL OR lead_id = ''", "empty id", "''"),
        *_unfit("lead_id", "id"),
        ("NOT isfinite(value)", "impossible number", "'value'"),
    ]
    for name in ("asset", "channel", *fields):
        problems += _unfit(name, name)
    return [
        *problems,
        ("activity_id IS NULL OR activity_id = ''", "empty id", "''"),
        *_unfit("activity_id", "id"),
    ]


def _unfit(column: str, called: str) -> list[Problem]:
    return [
        (f"{_q(column)} = {_UNREADABLE}", "unreadable value", f"'{called}'"),
        (f"contains({_q(column)}, {_NUL})", "NUL byte", f"'{called}'"),
        # a text has no more characters than bytes, and those need no counting
        (
            f"strlen({_q(column)}) > {LONGEST_TEXT} AND length({_q(column)}) > {LONGEST_TEXT}",
            "text too long",
            f"'{called}'",
        ),
    ]


def _set_aside(
    connection: duckdb.DuckDBPyConnection, rows: pa.Table, problem: Numbers, problems: list[Problem]
) -> list[SetAside]:
    wrong = problem != _FINE
    numbered = rows.filter(pa.array(wrong)).append_column("problem", pa.array(problem[wrong]))
    keep(connection, "judged", numbered.append_column("place", pa.array(np.flatnonzero(wrong))))
    found = []
    for number in np.unique(problem[wrong]).tolist():
        _, reason, detail = problems[number]
        told = connection.execute(
            f"SELECT coalesce(activity_id, ''), {detail} FROM judged WHERE problem = {number} ORDER BY place"
        )
        found += [SetAside("activity", storable(id_), reason, text) for id_, text in told.fetchall()]
    return found


def _q(name: str) -> str:
    return listed([name])
