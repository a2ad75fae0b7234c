"""Rows of a table as leads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import pyarrow as pa

from rescore.connectors.tabular.mapping import LeadColumns
from rescore.connectors.tabular.values import BEYOND, flag_of, moment_of, read_value, says_yes, text_of
from rescore.connectors.values import read_attributes
from rescore.lake.records import LeadRecord, Page, SetAside
from rescore.withheld import OBJECTS


def records_of(rows: pa.Table) -> list[dict[str, Any]]:
    """Rows by column; a time beyond the calendar is `BEYOND`."""
    columns = {name: _values(rows[name]) for name in rows.column_names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def read_leads(rows: Iterable[Mapping[str, Any]], leads: LeadColumns, page: Page) -> None:
    """Rows, by column, into a page; an attribute that cannot be read is set aside alone."""
    for row in rows:
        lead_id = row[leads.id]
        if lead_id is None or lead_id == "":
            page.set_aside.append(SetAside("lead", "", "id_missing", ""))
            continue
        try:
            _read(text_of(lead_id), row, leads, page)
        except ValueError as problem:
            page.set_aside.append(SetAside("lead", str(lead_id), "id_unreadable", str(problem)))


def _values(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    try:
        return column.to_pylist()  # type: ignore[no-any-return]
    except (OverflowError, ValueError):
        return [_value(scalar) for scalar in column]


def _value(scalar: pa.Scalar) -> Any:
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return BEYOND


def _read(lead_id: str, row: Mapping[str, Any], leads: LeadColumns, page: Page) -> None:
    if leads.deleted and _is_deleted(lead_id, row[leads.deleted], page):
        page.leads.append(LeadRecord(lead_id, {}, deleted=True))
        return
    attributes = read_attributes(
        leads.attributes, row.__getitem__, read_value, page, kind="lead", record_id=lead_id
    )
    if leads.objection:
        attributes[OBJECTS] = says_yes(row[leads.objection])
    email = leads.email and _known_by(lead_id, row[leads.email], "email", page)
    page.leads.append(
        LeadRecord(
            lead_id,
            attributes,
            addresses=(email,) if email else (),
            same_as=leads.same_person.keys(
                lambda column: _known_by(lead_id, row[column], "same_person", page)
            ),
        )
    )


def _known_by(lead_id: str, value: Any, said: str, page: Page) -> str | None:
    """An address, or the id of a record as its own source writes it; what cannot be one is set aside."""
    try:
        return None if value is None else text_of(value)
    except ValueError as problem:
        page.set_aside.append(SetAside("lead", lead_id, f"{said}_unreadable", f"{value!r}: {problem}"))
        return None


def _is_deleted(lead_id: str, value: Any, page: Page) -> bool:
    """A flag that is set, or a time at which it happened; what is neither is set aside."""
    if value is None or value == "":
        return False
    for reader in (flag_of, lambda given: bool(moment_of(given))):
        with suppress(ValueError):
            return reader(value)
    page.set_aside.append(SetAside("lead", lead_id, "deleted_unreadable", repr(value)))
    return False
