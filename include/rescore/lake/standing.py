"""What the lake holds of some leads or accounts at present: attributes, or whether an objection was noted."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from rescore.lake.reading import IDENTITY, CurrentRows, attribute_kinds, connect, keep, listed, texts
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


def current_attributes(table: DeltaTable, keys: Collection[str], kind: str = LEADS) -> dict[str, Attributes]:
    """The attributes of each of the leads, or accounts, that is known: of a lead those of its own."""
    kinds = attribute_kinds(columns_of(table))
    columns = {f"{name}__{kind}": (name, kind) for name, of_name in kinds.items() for kind in of_name}
    also = ["carried"] if kind == LEADS else []
    [key] = IDENTITY[kind]
    found = {}
    for row in _rows(table, keys, [*columns, *also], kind):
        carried = json.loads(row.get("carried") or "[]")
        found[row[key]] = {
            column: row[name]
            for name, column in columns.items()
            if row[name] is not None and column[0] not in carried
        }
    return found


def _rows(
    table: DeltaTable, keys: Collection[str], columns: list[str], kind: str = LEADS
) -> list[dict[str, Any]]:
    [key] = IDENTITY[kind]
    with connect() as connection:
        keep(connection, "asked_keys", pa.table({key: texts(keys)}))
        buckets = {bucket_of(one, buckets_of(table)) for one in keys}
        rows = CurrentRows(connection, table, kind, {key, "revision", *columns}).read(buckets)
        found = f"SELECT {listed([key, *columns])} FROM ({rows}) SEMI JOIN asked_keys USING ({key})"
        told: list[dict[str, Any]] = connection.sql(found).to_arrow_table().to_pylist()
    return told
