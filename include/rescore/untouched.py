"""Folders that nobody has written to for a while."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path


def drop_untouched(path: Path, *, before: datetime) -> int:
    """Delete a file, or a folder with all that is in it, unless something there is younger; how many.

    It may vanish meanwhile: others clear away, too.
    """
    latest = 0.0
    for part in (path, *path.rglob("*")):
        with suppress(FileNotFoundError):
            latest = max(latest, part.stat().st_mtime)
    if not latest or latest >= before.timestamp():
        return 0
    with suppress(FileNotFoundError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return 1
