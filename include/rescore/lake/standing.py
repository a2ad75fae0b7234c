"""What the lake holds of some leads or accounts at present: attributes, and what was noted here."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from rescore.lake.reading import IDENTITY, CurrentRows, attribute_kinds, connect, keep, listed, texts
from rescore.lake.tables import LEADS, bucket_of, buckets_of, columns_of
from rescore.withheld import NOTED_HERE

ACCOUNT = ("account", "text")
"""The attribute of a lead that says whose it is, by (name, kind)."""

Attributes = dict[tuple[str, str], Any]
"""Values by (name, kind); what has none is not there."""


def noted_here(table: DeltaTable, leads: Collection[str]) -> dict[str, Attributes]:
    """What somebody noted here, of those of the leads of whom there is anything."""
    flags = [(name, "flag") for name in sorted(NOTED_HERE)]
    columns = {"__".join(flag): flag for flag in flags if "__".join(flag) in columns_of(table).names}
    if not columns:
        return {}
    found = {
        row["lead"]: {flag: True for column, flag in columns.items() if row[column]}
        for row in _rows(table, leads, [*columns])
    }
    return {lead: noted for lead, noted in found.items() if noted}


def current_attributes(table: DeltaTable, keys: Collection[str], kind: str = LEADS) -> dict[str, Attributes]:
    """The attributes of each of the leads, or accounts, that is known: of a lead those of its own.

    One whose account is gone still names it here.
    """
    kinds = attribute_kinds(columns_of(table))
    columns = {f"{name}__{kind}": (name, kind) for name, of_name in kinds.items() for kind in of_name}
    also = ["carried", "lost_account"] if kind == LEADS else []
    [key] = IDENTITY[kind]
    found = {}
    for row in _rows(table, keys, [*columns, *also], kind):
        carried = json.loads(row.get("carried") or "[]")
        found[row[key]] = {
            column: row[name]
            for name, column in columns.items()
            if row[name] is not None and column[0] not in carried
        }
        if lost := row.get("lost_account"):
            found[row[key]][ACCOUNT] = lost
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
