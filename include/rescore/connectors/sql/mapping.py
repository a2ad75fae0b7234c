"""The mapping of a database: which of its tables and columns mean what.

It names tables and columns and nothing else; what needs SQL of its own is a view in the database.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, StringConstraints

from rescore.connectors.tabular.mapping import ActivityColumns, Column, LeadColumns, TabularMapping
from rescore.connectors.tabular.spans import span_of
from rescore.mapping import MappingPart, Name
from rescore.strict.messages import described
from rescore.strict.model import Formed, refuse

Table = Annotated[
    str,
    StringConstraints(max_length=200),
    Formed(
        r"[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)?",
        "the name of one table or view, as `table` or `schema.table`; what needs SQL is a view",
    ),
]
"""`table` or `schema.table`."""

FIVE_MINUTES = timedelta(minutes=5)


def _overlap(value: Any) -> timedelta | int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if (span := span_of(value)) is None:
        refuse(
            f"`{{name}}` cannot be {described(value)}; write a time such as `10m` or `2h`, or a number where "
            "the cursor is one"
        )
    return span


Overlap = Annotated[timedelta | int, PlainValidator(_overlap)]


class ReadFrom(MappingPart):
    """A table or view, and the column by which what is new in it is found.

    `cursor` never goes back: a time of the last change, or a growing number. Rows appear late when a long
    transaction commits; `overlap` says how far before the newest is read again, in the cursor's own terms.
    """

    table: Table
    cursor: Column
    overlap: Overlap | None = None


class SqlLeads(ReadFrom, LeadColumns):
    """The table of leads."""


class SqlActivities(ReadFrom, ActivityColumns):
    """A table of activities."""


class SqlMapping(TabularMapping):
    """A database's mapping; each entry of `activities` is a stream."""

    connector: Literal["sql"]
    leads: SqlLeads
    activities: dict[Name, SqlActivities] = Field(default_factory=dict)
