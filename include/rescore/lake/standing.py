"""What the lake holds of some leads at present: all their attributes, or whether an objection was noted."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from rescore.lake.reading import CurrentRows, attribute_kinds, connect, keep, listed, texts
from rescore.lake.tables import LEADS, bucket_of, buckets_of, columns_of
from rescore.withheld import OBJECTED_HERE

Attributes = dict[tuple[str, str], Any]
"""Values by (name, kind); what has none is not there."""


def noted_objections(table: DeltaTable, leads: Collection[str]) -> list[str]:
    """Those of the leads of whom somebody noted here that they object to profiling."""
    column = f"{OBJECTED_HERE}__flag"
    if column not in columns_of(table).names:
        return []
    return [row["lead"] for row in _rows(table, leads, [column]) if row[column]]


def current_attributes(table: DeltaTable, leads: Collection[str]) -> dict[str, Attributes]:
    """The attributes of each of the leads that is known."""
    kinds = attribute_kinds(columns_of(table))
    columns = {f"{name}__{kind}": (name, kind) for name, of_name in kinds.items() for kind in of_name}
    return {
        row["lead"]: {columns[name]: row[name] for name in columns if row[name] is not None}
        for row in _rows(table, leads, list(columns))
    }


def _rows(table: DeltaTable, leads: Collection[str], columns: list[str]) -> list[dict[str, Any]]:
    with connect() as connection:
        keep(connection, "asked_leads", pa.table({"lead": texts(leads)}))
        buckets = {bucket_of(lead, buckets_of(table)) for lead in leads}
        rows = CurrentRows(connection, table, LEADS, {"lead", "revision", *columns}).read(buckets)
        found = f"SELECT {listed(['lead', *columns])} FROM ({rows}) SEMI JOIN asked_leads USING (lead)"
        told: list[dict[str, Any]] = connection.sql(found).to_arrow_table().to_pylist()
    return told
