"""Keeps the lake small: few files, none that nobody reads, and a log that does not grow for ever.

Nothing that a reader may still have in hand goes: a file that a table no longer names stays for as long as
the longest task may read it, and so does the part of the log that a reader may be in. No row of a fact goes:
time travel reads rows, never older versions of a table.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from deltalake.fs import DeltaStorageHandler
from pyarrow.fs import FileInfo, FileSelector, FileType, PyFileSystem

from rescore.lake.folding import Folding
from rescore.lake.reading import still_there
from rescore.lake.tables import PARTITIONED, PAST, SCHEMAS, Storage

LARGE_ENOUGH = 32 * 2**20
"""Files of the past are merged until they have so many bytes, so that none is rewritten for ever."""

_LOG = "_delta_log"
_VERSION = re.compile(r"[0-9]{20}(?=\.)")


def merge_past(storage: Storage, *, large_enough: int = LARGE_ENOUGH) -> Counter[str]:
    """Make one file of the small ones that every fold leaves of replaced rows; they are read for causes.

    Returns:
        Counts by name: `<table> past files merged`.
    """
    counts: Counter[str] = Counter()
    for name in PARTITIONED:
        table = storage.open(name)
        if table is None:
            continue
        folding = Folding(storage, name, table)
        small = [
            file
            for file in folding.files()
            if file["partition.bucket"] == PAST and file["size_bytes"] < large_enough
        ]
        if len(small) > 1:
            with still_there(), suppress(CommitFailedError):  # somebody rewrote them: tomorrow, then
                folding.merge(small, PAST)
                counts[f"{name} past files merged"] += len(small)
    return counts


def forget(storage: Storage, name: str, *, before: datetime) -> int:
    """Delete rows of `unclaimed` or `set_aside` that have been known since before a moment; how many."""
    table = storage.open(name)
    if table is None or not table.count():
        return 0
    moment = before.astimezone(UTC).replace(tzinfo=None)
    with suppress(CommitFailedError):  # somebody landed there meanwhile: tomorrow, then
        return int(table.delete(f"known_at < '{moment.isoformat(sep=' ')}'")["num_deleted_rows"])
    return 0


def drop_old_files(storage: Storage, *, at: datetime, keep: timedelta) -> Counter[str]:
    """Delete what no table names: since longer than `keep` where the log knows that, else so old itself.

    That is what folds and erasures replaced, and what killed writers left.

    Returns:
        Counts by name: `files dropped`, `bytes dropped`, `log entries dropped`.
    """
    counts: Counter[str] = Counter()
    for name in SCHEMAS:
        if (table := storage.open(name)) is not None:
            counts += _Room(storage, name, table, at=at, keep=keep).sweep()
    return counts


class _Room:
    """The files of one table."""

    def __init__(
        self, storage: Storage, name: str, table: DeltaTable, *, at: datetime, keep: timedelta
    ) -> None:
        self._storage, self._name, self._table = storage, name, table
        self._keep, self._before = keep, at - keep
        options = dict(storage.options) if storage.options else None
        self._files = PyFileSystem(DeltaStorageHandler(storage.url(name), options))

    def sweep(self) -> Counter[str]:
        """Counts of what went."""
        return self._drop_files() + self._drop_log()

    def _drop_files(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        there = {info.path: info for info in self._list("") if not info.path.startswith(_LOG)}
        hours = math.ceil(self._keep / timedelta(hours=1))
        # Delta says which; it would note every look in the log, and count what has long been gone
        unnamed = self._table.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True)
        for path in sorted(there.keys() & set(unnamed)):
            self._delete(path)
            counts += Counter({"files dropped": 1, "bytes dropped": there[path].size})
        if "://" not in self._storage.root:
            for unfinished in Path(self._storage.url(self._name)).rglob("*#*"):  # of killed writers
                if unfinished.stat().st_mtime < self._before.timestamp():
                    unfinished.unlink(missing_ok=True)
                    counts["files dropped"] += 1
        return counts

    def _drop_log(self) -> Counter[str]:
        """What comes before a checkpoint older than any reader; one is made for the days to come."""
        entries = [
            (int(found[0]), info)
            for info in self._list(_LOG)
            if (found := _VERSION.match(info.base_name)) is not None
        ]
        checkpoints = {version: info for version, info in entries if ".checkpoint" in info.base_name}
        if self._table.version() > max(checkpoints, default=0):
            self._table.create_checkpoint()
        settled = max(
            (version for version, info in checkpoints.items() if info.mtime < self._before), default=0
        )
        gone = [info for version, info in entries if version < settled]
        for info in gone:
            self._delete(info.path)
        return Counter({"log entries dropped": len(gone)})

    def _list(self, folder: str) -> Iterator[FileInfo]:
        for info in self._files.get_file_info(FileSelector(folder, recursive=True, allow_not_found=True)):
            if info.type == FileType.File:
                yield info

    def _delete(self, path: str) -> None:
        with suppress(FileNotFoundError):  # an erasure or another sweep was here
            self._files.delete_file(path)
