"""What a database offers: its tables and views, and the columns of those that the mapping names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Boolean, Date, DateTime, Numeric, String
from sqlalchemy.types import Integer, NullType, TypeEngine

from rescore.connectors.describing import Holds, Listing, Offered, Use
from rescore.connectors.sql.database import Database
from rescore.connectors.sql.mapping import SqlMapping
from rescore.connectors.tabular.describing import uses_of

HOLDS: tuple[tuple[type[TypeEngine[Any]], Holds], ...] = (
    (Boolean, "flag"),
    (Integer, "number"),
    (Numeric, "number"),
    (DateTime, "timestamp"),
    (Date, "date"),
    (String, "text"),
)


def listings(database: Database, mapping: SqlMapping) -> Iterator[Listing]:
    """See `Describable.describe`; no row is read."""
    reads = {"leads": mapping.leads} | {f"activities.{name}": at for name, at in mapping.activities.items()}
    uses: dict[str, list[Use]] = {}
    for place, read in reads.items():
        uses.setdefault(read.table, []).extend(uses_of(read, place))
    columns = {table: database.columns(table) for table in uses}
    schemas = dict.fromkeys(["", *(table.rpartition(".")[0] for table in uses)])
    there = dict(kind for schema in schemas for kind in database.tables(schema).items())
    there |= {table: "table" for table, found in columns.items() if found and table not in there}
    yield Listing(
        "tables and views",
        [Offered(name, "", "other", kind) for name, kind in there.items()],
        [Use(read.table, f"{place}.table") for place, read in reads.items()],
    )
    for table, found in columns.items():
        if found:
            yield Listing(f"{table} columns", [_offered(*one) for one in found.items()], uses[table])


def _offered(name: str, kind: TypeEngine[Any]) -> Offered:
    holds: Holds = next((holds for known, holds in HOLDS if isinstance(kind, known)), "other")
    return Offered(name, "", holds, "" if isinstance(kind, NullType) else type(kind).__name__.lower())
