"""Which activities of a batch are facts: the rules of `rescore.lake.screen`, for many rows at once.

Both say the same of the same activity, down to the hash of its content; a test holds them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa

from rescore.lake.arrivals import GIVEN
from rescore.lake.reading import connect, listed
from rescore.lake.records import BATCH, SetAside
from rescore.lake.screen import CLOCK_SKEW, ERASED, LONGEST_TEXT, content_parts, storable
from rescore.lake.tables import TIME
from rescore.model import lead_key

_NUL = "chr(0)"
Problem = tuple[str, str, str]
"""Condition, reason, and SQL for the detail."""


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
    place = batch.schema.get_field_index("occurred_at")
    plain = batch.set_column(place, "occurred_at", batch["occurred_at"].cast(TIME))
    bits = pa.chunked_array([chunk.view(pa.int64()) for chunk in batch["value"].chunks], pa.int64())
    plain = plain.append_column("value bits", bits)
    plain = plain.append_column("place", pa.array(np.arange(batch.num_rows)))
    known = f"TIMESTAMP '{known_at.astimezone(UTC).replace(tzinfo=None)}'"
    problems = _problems(fields, known)
    with connect() as connection:
        connection.register("batch", plain)
        connection.execute("CREATE TEMP TABLE judged AS " + _judged(source, fields, problems))
        texts = ["asset", "channel", *fields]
        kept = connection.sql(
            f"SELECT activity_id, lead, type, least(occurred_at, {known}) AS occurred_at, value, content, "
            f"{', '.join(f'''nullif({_q(name)}, '') AS {_q(name)}''' for name in texts)} "
            "FROM judged WHERE problem IS NULL ORDER BY place"
        ).to_arrow_table()
        return kept.select([*GIVEN.names, *fields]), _set_aside(connection, problems)


def _judged(source: str, fields: Iterable[str], problems: list[Problem]) -> str:
    """Each row with its content's hash, and the number of the first problem that it has."""
    texts = ["asset", "channel", *fields]
    prefix = lead_key(source, "").replace("'", "''")
    parts = content_parts(
        lead=f"'{prefix}' || lead_id",
        type_="type",
        occurred_at="epoch_us(occurred_at)",
        value='"value bits"',
        texts={name: f"nullif({_q(name)}, '')" for name in texts},
    )
    said = ", ".join(f"'{name}=' || {value}" for name, value in parts)
    branches = " ".join(f"WHEN {wrong} THEN {number}" for number, (wrong, _, _) in enumerate(problems))
    return (
        f"SELECT *, '{prefix}' || lead_id AS lead, "
        f"(md5_number(concat_ws({_NUL}, {said})) & {2**63 - 1})::BIGINT AS content, "
        f"CASE {branches} END AS problem FROM batch"
    )


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
        (f"contains({_q(column)}, {_NUL})", "NUL byte", f"'{called}'"),
        # a text has no more characters than bytes, and those need no counting
        (
            f"strlen({_q(column)}) > {LONGEST_TEXT} AND length({_q(column)}) > {LONGEST_TEXT}",
            "text too long",
            f"'{called}'",
        ),
    ]


def _set_aside(connection: duckdb.DuckDBPyConnection, problems: list[Problem]) -> list[SetAside]:
    found = []
    numbers = connection.execute("SELECT DISTINCT problem FROM judged WHERE problem IS NOT NULL ORDER BY 1")
    for (number,) in numbers.fetchall():
        _, reason, detail = problems[number]
        rows = connection.execute(
            f"SELECT coalesce(activity_id, ''), {detail} FROM judged WHERE problem = {number} ORDER BY place"
        )
        found += [SetAside("activity", storable(id_), reason, told) for id_, told in rows.fetchall()]
    return found


def _q(name: str) -> str:
    return listed([name])
