"""The mapping of a database: which of its tables and columns mean what.

It names tables and columns and nothing else; what needs SQL of its own is a view in the database.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, StringConstraints

from rescore.connectors.tabular.mapping import ActivityColumns, Column, LeadColumns, TabularMapping
from rescore.mapping import MappingPart, Name
from rescore.strict.messages import described
from rescore.strict.model import refuse

Table = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)?$", max_length=200)]
"""`table` or `schema.table`."""

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
SPAN = re.compile(r"([0-9]{1,6})([smhd])")
FIVE_MINUTES = timedelta(minutes=5)


def _overlap(value: Any) -> timedelta | int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    found = SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        refuse(
            f"`{{name}}` cannot be {described(value)}; write a time such as `10m` or `2h`, or a number where "
            "the cursor is one"
        )
    return timedelta(**{UNITS[found[2]]: int(found[1])})


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
