"""What a lake holds, for those who check rules."""

from __future__ import annotations

import sys

import duckdb
from deltalake.exceptions import DeltaError

from rescore.lake.lake import Lake
from rescore.rules.lint import Census


def census_of(root: str) -> Census | None:
    """The names and words of a lake; None, and a line on stderr, when it cannot be read."""
    lake = Lake(root)
    try:
        return Census(
            activity_types=lake.activity_types(),
            activity_fields=lake.activity_fields(),
            lead_attributes=lake.lead_attributes(),
            activity_words=lake.activity_words(),
            lead_words=lake.lead_words(),
        )
    except (OSError, DeltaError, duckdb.Error):
        sys.stderr.write(f"the lake {root} cannot be read, so no name is looked up in it\n")
        return None
