"""Clears reports away whose time is over; they hold lead data, and can be made again."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from rescore.untouched import drop_untouched

OF_A_PLAN = re.compile(r"[0-9a-f]{64}")
LISTS = ("verify", "shadow")
"""Folders whose files come one by one: scores that differ, and leads that a shadow scores otherwise."""


def drop_old_reports(folder: Path, *, before: datetime, but: Collection[str]) -> int:
    """Delete what nobody has written to since a moment, but for the reports of these plans; how many.

    Only what Rescore writes there is looked at.
    """
    plans = [path for path in folder.glob("*") if OF_A_PLAN.fullmatch(path.name) and path.name not in but]
    lists = [path for name in LISTS for path in (folder / name).glob("*")]
    return sum(drop_untouched(path, before=before) for path in sorted((*plans, *lists)))
