"""Clears reports away whose time is over; they hold lead data, and can be made again."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

OF_A_PLAN = re.compile(r"[0-9a-f]{64}")
LISTS = ("verify", "shadow")
"""Folders whose files come one by one: scores that differ, and leads that a shadow scores otherwise."""


def drop_old_reports(folder: Path, *, before: datetime, but: Collection[str]) -> int:
    """Delete what nobody has written to since a moment, but for the reports of these plans; how many.

    Only what Rescore writes there is looked at.
    """
    count = 0
    for path in sorted(folder.glob("*")):
        if not OF_A_PLAN.fullmatch(path.name) or path.name in but or not path.is_dir():
            continue
        if max(part.stat().st_mtime for part in (path, *path.rglob("*"))) < before.timestamp():
            shutil.rmtree(path)
            count += 1
    for path in (path for name in LISTS for path in sorted((folder / name).glob("*"))):
        if path.is_file() and path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)
            count += 1
    return count
