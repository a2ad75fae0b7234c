"""Screened rows as Arrow tables with the columns that the lake's tables have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from rescore.errors import MappingInvalid
from rescore.lake.arrivals import GIVEN
from rescore.lake.names import OF_ACTIVITIES, OF_LEADS, is_taken
from rescore.lake.screen import Screened
from rescore.lake.tables import ACCOUNTS, ACTIVITIES, LEADS, SCHEMAS, TIME
from rescore.scoring.facts import with_text_forms

ATTRIBUTE_TYPES: Mapping[str, pa.DataType] = {
    "text": pa.string(),
    "flag": pa.bool_(),
    "number": pa.float64(),
    "time": TIME,
    "date": pa.date32(),
}
"""How an attribute of each kind is kept, in a column `<name>__<kind>`."""

_COLUMN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def attribute_table(rows: list[dict[str, Any]], kind: str) -> pa.Table:
    """Rows of leads or accounts, whose `attributes`, by (name, kind), become columns."""
    columns = sorted({column for row in rows for column in row["attributes"]})
    table = pa.Table.from_pylist(rows, SCHEMAS[kind])
    for attribute, kind in columns:
        values = [row["attributes"].get((attribute, kind)) for row in rows]
        column = pa.array(values, ATTRIBUTE_TYPES[kind])
        if kind == "text":
            forms = with_text_forms(pa.table({attribute: column}), [attribute]).drop_columns([attribute])
            for form in forms.column_names:
                table = table.append_column(form, forms[form])
        table = table.append_column(f"{attribute}__{kind}", column)
    return table


def given_activities(rows: list[dict[str, Any]], fields: Iterable[str]) -> pa.Table:
    """Screened activities as columns, with one for each of the source's further `fields`."""
    further = [pa.field(name, pa.string()) for name in sorted(fields)]
    return pa.Table.from_pylist(rows, pa.schema([*GIVEN, *further]))


def activity_table(rows: pa.Table) -> pa.Table:
    """Activities with the text forms of all their texts."""
    columns = {*SCHEMAS[ACTIVITIES].names}
    further = sorted(name for name in rows.column_names if name not in columns)
    return with_text_forms(rows, ["asset", "channel", *further])


def check_names(screened: Screened, fields: Iterable[str] = ()) -> None:
    """Refuse names that a table cannot keep apart from its own columns; `fields` are a batch's."""
    for field in {*screened.fields, *fields}:
        _check_name(field, "activity field", OF_ACTIVITIES)
    for kind, told in ((LEADS, screened.leads), (ACCOUNTS, screened.accounts)):
        for attribute, _ in {column for attributes in told.values() for column in attributes}:
            _check_name(attribute, f"{kind[:-1]} attribute", OF_LEADS)


def _check_name(given: str, what: str, own: frozenset[str]) -> None:
    if not _COLUMN_NAME.fullmatch(given) or is_taken(given, own):
        raise MappingInvalid(
            f"the {what} {given!r} cannot be a column of the lake; give it another name in the mapping "
            "(letters, digits and underscores, and not one of the lake's own)"
        )
