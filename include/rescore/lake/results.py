"""What a run computed: one Parquet file per run, kept until its deltas are staged."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from rescore.errors import TerminalError
from rescore.lake.tables import Storage


def results_path(storage: Storage, run_key: str) -> str:
    """Where a run's results go; the folder is there when this returns.

    Any text is a fine run key: what a file name cannot hold is replaced, and a hash keeps keys apart.
    """
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", run_key)[:80]
    folder = f"{readable}-{blake2b(run_key.encode(), digest_size=6).hexdigest()}"
    if "://" not in storage.root:
        Path(storage.url("runs", folder)).mkdir(parents=True, exist_ok=True)
    return storage.url("runs", folder, "scores.parquet")


def read_results(storage: Storage, run_key: str, columns: Sequence[str] | None = None) -> pa.Table:
    """A run's results.

    Raises:
        TerminalError: The run has none (any more).
    """
    path = results_path(storage, run_key)
    try:
        return pq.read_table(path, columns=None if columns is None else list(columns))
    except FileNotFoundError:
        raise TerminalError(f"run {run_key} has no results in the lake; score it again") from None


def drop_results(storage: Storage, run_key: str) -> None:
    """Forget a run's results; nothing happens when there are none."""
    shutil.rmtree(Path(results_path(storage, run_key)).parent)
