"""Erasing a person from the lake: no Parquet file and no log keeps them, of whatever version it is.

Of each table the files that hold the person are rewritten without them, in one commit that also shuts out
landings older than the erasure, and folds under way. Then go the files of earlier versions that hold them,
and last the log's older entries, because Delta notes the smallest and largest values of every file there.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import CommitFailedError
from deltalake.fs import DeltaStorageHandler
from deltalake.transaction import AddAction, RemoveAction
from pyarrow.fs import FileSelector, FileType, PyFileSystem

from rescore.erased import Person, spellings
from rescore.errors import RetryableError
from rescore.lake.tables import (
    ACTIVITIES,
    ALIASES,
    ATTEMPTS,
    CLAIMS,
    COMPRESSION,
    LEADS,
    PARTITIONED,
    ROWS_PER_GROUP,
    SET_ASIDE,
    UNCLAIMED,
    Storage,
    fold_numbers,
)
from rescore.model import split_lead_key

_LOG = "_delta_log"
_VERSION = re.compile(r"[0-9]{20}(?=\.)")
_READ = {
    ACTIVITIES: ["lead"],
    LEADS: ["lead"],
    ALIASES: ["lead", "canonical"],
    CLAIMS: ["lead", "value"],
    SET_ASIDE: ["record_id", "detail"],
    UNCLAIMED: ["address", "activity"],
}
"""The columns of each table that say whom a row is about; accounts are about nobody."""


def erase(storage: Storage, person: Person, *, fences: Mapping[str, int]) -> Counter[str]:
    """Remove every row about a person from every table, and every file that ever held one.

    Call it again after an interruption: it goes on where it stopped.

    Args:
        storage: The lake.
        person: Whom.
        fences: By stream (`source/stream`), the landing number up to which nobody may append any more.

    Returns:
        How many rows of each table were removed.

    Raises:
        RetryableError: Others kept writing for all our attempts.
    """
    counts: Counter[str] = Counter()
    for name in _READ:
        if storage.open(name) is not None:
            counts[name] = _Erasing(storage, name, person, fences).run()
    return +counts


class _Erasing:
    """One table without the person."""

    def __init__(self, storage: Storage, name: str, person: Person, fences: Mapping[str, int]) -> None:
        self._storage, self._name, self._fences = storage, name, fences
        self._leads = pa.array(sorted(person.leads), pa.string())
        self._mention = _mention(person)
        options = dict(storage.options) if storage.options else None
        self._files = PyFileSystem(DeltaStorageHandler(storage.url(name), options))

    def run(self) -> int:
        """How many rows of the present version were removed."""
        removed = 0
        for _ in range(ATTEMPTS):
            table = self._storage.existing(self._name)
            holding = [file for file in _adds(table) if self._holds(file["path"])]
            if not holding and self._is_fenced(table):
                break
            removed += self._rewrite(table, holding)
        else:
            raise RetryableError(f"the lake's table {self._name} was too busy to erase from; try again later")
        self._delete_old_files()
        self._forget_log()
        return removed

    def _is_fenced(self, table: DeltaTable) -> bool:
        return all((table.transaction_version(s) or 0) >= number for s, number in self._fences.items())

    def _rewrite(self, table: DeltaTable, holding: list[dict[str, Any]]) -> int:
        """One commit that puts files without the person in the place of those that hold them."""
        now, removed = time.time_ns() // 1_000_000, 0
        actions: list[AddAction | RemoveAction] = []
        written: list[str] = []
        for file in holding:
            path, bucket = file["path"], file.get("partition.bucket")
            partition: dict[str, str | None] = {} if bucket is None else {"bucket": bucket}
            actions.append(RemoveAction(path, False, now, file["size_bytes"], partition))
            folder = "" if bucket is None else f"bucket={bucket}/"
            new = f"{folder}erased-{uuid4()}.parquet"
            statistics, gone = self._write_without(path, new)
            removed += gone
            if statistics is not None:
                written.append(new)
                size = self._files.get_file_info(new).size
                actions.append(AddAction(new, size, partition, now, False, json.dumps(statistics)))
        try:
            self._commit(table, actions)
        except CommitFailedError:  # somebody wrote meanwhile: from the start, on what is there now
            for path in written:
                self._delete(path)
            return 0
        return removed

    def _commit(self, table: DeltaTable, actions: list[AddAction | RemoveAction]) -> None:
        """Raises CommitFailedError when another rewrite, or a landing that we shut out, came in between."""
        numbers = {
            stream: number
            for stream, number in self._fences.items()
            if number > (table.transaction_version(stream) or 0)
        }
        if self._name in PARTITIONED:
            numbers |= fold_numbers(table)
        table.create_write_transaction(
            actions,
            mode="append",
            schema=table.schema(),
            partition_by=["bucket"] if self._name in PARTITIONED else None,
            commit_properties=CommitProperties(
                app_transactions=[Transaction(name, number) for name, number in numbers.items()]
            ),
        )

    def _write_without(self, path: str, new: str) -> tuple[dict[str, Any] | None, int]:
        """Copy a file without the person, in its order: statistics (None: nothing is left), rows left out."""
        with self._files.open_input_file(path) as source:
            rows = pq.ParquetFile(source).read()
        about = self._about(rows)
        gone = pc.sum(about).as_py() or 0
        if self._name == ALIASES:  # merges are numbered by their place, so theirs stay without the names
            for column in _READ[ALIASES]:
                place = rows.schema.get_field_index(column)
                rows = rows.set_column(place, column, pc.if_else(about, "", rows[column]))
        else:
            rows = rows.filter(pc.invert(about))
        if not rows.num_rows:
            return None, gone
        with self._files.open_output_stream(new) as stream:
            pq.write_table(rows, stream, compression=COMPRESSION, row_group_size=ROWS_PER_GROUP)
        statistics: dict[str, Any] = {"numRecords": rows.num_rows}
        if "revision" in rows.column_names:  # tells whether the inbox replaces anything
            bounds = pc.min_max(rows["revision"]).as_py()
            statistics |= {
                "minValues": {"revision": bounds["min"]},
                "maxValues": {"revision": bounds["max"]},
                "nullCount": {"revision": 0},
            }
        return statistics, gone

    def _about(self, rows: pa.RecordBatch | pa.Table) -> pa.Array | pa.ChunkedArray:
        """Of each row, whether it is about the person or names them."""
        if self._name in (SET_ASIDE, UNCLAIMED):
            said = [pc.match_substring_regex(rows[column], self._mention) for column in _READ[self._name]]
        else:
            said = [pc.is_in(rows[column], self._leads) for column in _READ[self._name]]
        about = said[0]
        for other in said[1:]:
            about = pc.or_kleene(about, other)
        return pc.fill_null(about, False)

    def _holds(self, path: str) -> bool:
        """Whether a Parquet file has a row about the person."""
        with self._files.open_input_file(path) as source:
            file = pq.ParquetFile(source)
            batches = file.iter_batches(ROWS_PER_GROUP, columns=_READ[self._name])
            return any(pc.any(self._about(batch)).as_py() for batch in batches)

    def _delete_old_files(self) -> None:
        """Files of earlier versions, and of writers that were shut out, that hold the person."""
        present = {file["path"] for file in _adds(self._storage.existing(self._name))}
        for path in self._list(""):
            old = path.endswith(".parquet") and path not in present and not path.startswith(_LOG)
            if old and self._holds(path):
                self._delete(path)
        if "://" not in self._storage.root:  # what killed writers left; a live one fails and is tried again
            for unfinished in Path(self._storage.url(self._name)).rglob("*#*"):
                unfinished.unlink(missing_ok=True)

    def _forget_log(self) -> None:
        """Begin the log anew at the present version."""
        table = self._storage.existing(self._name)
        table.create_checkpoint()
        for path in self._list(_LOG):
            version = _VERSION.match(path.rpartition("/")[2])
            if version and int(version[0]) < table.version():
                self._delete(path)

    def _list(self, folder: str) -> Iterator[str]:
        for info in self._files.get_file_info(FileSelector(folder, recursive=True, allow_not_found=True)):
            if info.type == FileType.File:
                yield info.path

    def _delete(self, path: str) -> None:
        if self._files.get_file_info(path).type == FileType.File:
            self._files.delete_file(path)


def _adds(table: DeltaTable) -> list[dict[str, Any]]:
    """The files of the present version."""
    rows: list[dict[str, Any]] = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return rows


def _mention(person: Person) -> str:
    """What finds the person's record ids and addresses, as words of their own, in a source's raw text."""
    names = {split_lead_key(lead)[1] for lead in person.leads}.union(*map(spellings, person.addresses))
    words = "|".join(re.escape(name) for name in sorted(names))
    return f"(?i)(^|[^A-Za-z0-9])({words})([^A-Za-z0-9]|$)"
