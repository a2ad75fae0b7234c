"""What becomes of a value that somebody writes over one of ours: `manual_edits` of a mapping.

manual_edits: {score: {keep: 30d}, band: reassert}
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import PlainValidator

from rescore.strict.messages import described
from rescore.strict.model import refuse

REASSERT = "reassert"
DAYS = re.compile(r"([0-9]{1,3})d")


def _kept(value: Any) -> timedelta | None:
    if value == REASSERT:
        return None
    days = value.get("keep") if isinstance(value, dict) and len(value) == 1 else None
    found = DAYS.fullmatch(days) if isinstance(days, str) else None
    if found is None or int(found[1]) == 0:
        refuse(f"`{{name}}` takes `reassert` or `{{keep: 30d}}` (1 to 999 days), not {described(value)}")
    return timedelta(days=int(found[1]))


Kept = Annotated[timedelta | None, PlainValidator(_kept)]
"""How long a person's value stays; None writes ours over it."""
