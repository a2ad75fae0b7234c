"""Who has colleagues in the same account, now or once: their scores may change with what a lead does."""

from __future__ import annotations

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from rescore.lake.accounts import account_of
from rescore.lake.aliases import Aliases
from rescore.lake.past import History
from rescore.lake.reading import attributes, keep, texts
from rescore.lake.tables import LEADS, TIME, bucket_of, buckets_of
from rescore.lake.views import Views

MARKS = pa.schema(
    [("lead", pa.string()), ("input_ver", pa.int64()), ("facts_until", TIME), ("history", pa.bool_())]
)
"""Leads with news: the input version that brought it, how late it happened (naive UTC, or null), and whether
some of it is of a history that is being read."""


def colleagues(
    connection: duckdb.DuckDBPyConnection, leads: DeltaTable | None, aliases: Aliases, marks: pa.Table
) -> pa.Table:
    """Everybody who is now in an account that one of the marked leads is or ever was in, as `MARKS`.

    Each has the latest of the marks of its account. An account that somebody left has lost what they did.
    """
    if leads is None or not marks.num_rows:
        return MARKS.empty_table()
    asked = set(marks["lead"].to_pylist())
    records = {record: left for record, left in aliases.all().items() if left in asked}
    records |= {lead: lead for lead in asked}
    keep(connection, "marks", marks.cast(MARKS))
    keep(connection, "records", pa.table({"record": texts(records), "lead": texts(records.values())}))
    history = History(connection, leads, LEADS)
    values = attributes(history.schema)
    if (account := account_of(values)) is None:
        return MARKS.empty_table()
    count = buckets_of(leads)
    rows = history.read({bucket_of(record, count) for record in records})
    own = ", ".join(f'{value} AS "{name}"' for name, value in values.items() if name in account.columns)
    ever = f"SELECT lead AS record, {account.key} AS account FROM (SELECT lead, {own} FROM ({rows}))"
    merged, joined = aliases.all(), aliases.joined()
    now = Views(connection, None, leads, merged=merged, joined=joined).accounts()
    found = connection.sql(
        f"""
        WITH woken AS (
            SELECT e.account, max(m.input_ver) AS input_ver, max(m.facts_until) AS facts_until,
                bool_or(m.history) AS history
            FROM ({ever}) AS e JOIN records AS r USING (record) JOIN marks AS m ON m.lead = r.lead
            WHERE e.account IS NOT NULL GROUP BY e.account
        )
        SELECT n.lead, w.input_ver, w.facts_until, w.history FROM ({now}) AS n JOIN woken AS w USING (account)
        """
    )
    return found.to_arrow_table().cast(MARKS)
