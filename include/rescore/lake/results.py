"""What a run computed: one Parquet file per run, kept until its deltas are staged."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from rescore.errors import TerminalError
from rescore.lake.tables import Storage
from rescore.untouched import drop_untouched


def results_path(storage: Storage, run_key: str) -> str:
    """Where a run's results go; the folder is there when this returns.

    Any text is a fine run key: what a file name cannot hold is replaced, and a hash keeps keys apart.
    """
    folder = _folder(run_key)
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
    with suppress(FileNotFoundError):
        shutil.rmtree(Path(results_path(storage, run_key)).parent)


def drop_old(storage: Storage, *, before: datetime, but: Collection[str]) -> int:
    """Forget the results that nobody has written to since a moment, but for those of these runs; how many."""
    if "://" in storage.root:
        return 0  # results are files of this machine
    kept = set(map(_folder, but))
    folders = [path for path in sorted(Path(storage.url("runs")).glob("*")) if path.name not in kept]
    return sum(drop_untouched(folder, before=before) for folder in folders)


def erase(storage: Storage, is_erased: Callable[[str], bool]) -> int:
    """Rewrite every run's results that have rows of leads of which this is true; how many files.

    What a killed run left half written goes altogether.
    """
    if "://" in storage.root:
        return 0  # results are files of this machine
    paths = sorted(path for path in Path(storage.url("runs")).rglob("*") if path.is_file())
    return sum(_erase(path, is_erased) for path in paths)


def erase_from(storage: Storage, run_key: str, is_erased: Callable[[str], bool]) -> None:
    """The same of one run's results."""
    _erase(Path(results_path(storage, run_key)), is_erased)


def _folder(run_key: str) -> str:
    readable = re.sub(r"[^A-Za-z0-9_-]+", "_", run_key)[:80]
    return f"{readable}-{blake2b(run_key.encode(), digest_size=6).hexdigest()}"


def _erase(path: Path, is_erased: Callable[[str], bool]) -> bool:
    try:
        rows = pq.read_table(path)
    except pa.ArrowInvalid:
        path.unlink(missing_ok=True)
        return True
    kept = rows.filter(pa.array([not is_erased(lead) for lead in rows["lead"].to_pylist()], pa.bool_()))
    if kept.num_rows == rows.num_rows:
        return False
    unfinished = path.with_name("unfinished.parquet")
    pq.write_table(kept, unfinished, compression="zstd")
    unfinished.replace(path)
    return True
