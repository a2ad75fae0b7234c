"""Forget now what the policy no longer keeps."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from rescore.pipeline.maintain import maintain as maintain_stores
from rescore.settings import Settings
from rescore.workspace import Workspace


def maintain() -> None:
    """Drop what has done its work and is older than the policy's `retention:` says; merge small files.

    The DAG of the same name does it every night. Stopped anywhere, it goes on the next time.
    """
    ws = Workspace.open(Settings.from_environment(os.environ))
    counts = maintain_stores(ws, at=datetime.now(UTC), progress=_progress)
    for name, count in sorted(counts.items()):
        print(f"{name}: {count:,}")
    if not counts:
        print("nothing to do")


def _progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")
