"""Folding the inbox in: rows go to their lead's bucket, rewritten in lead order, in one commit a table.

Inbox and buckets are partitions of the same Delta table, so one commit adds the new files and removes
those they were made of: a reader sees a row before or after its move, never twice and never not at all.
Landings that happen meanwhile only add files, and stay in the inbox for the next time.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from deltalake.fs import DeltaStorageHandler
from deltalake.transaction import AddAction, RemoveAction
from pyarrow.fs import PyFileSystem

from rescore.errors import RetryableError
from rescore.lake.reading import (
    IDENTITY,
    at_home_in,
    connect,
    listed,
    older_than,
    replacements,
    rows_in,
    still_there,
)
from rescore.lake.tables import (
    ACCOUNTS,
    ACTIVITIES,
    ALIASES,
    CLAIMS,
    COMPRESSION,
    INBOX,
    LEADS,
    PARTITIONED,
    PAST,
    ROWS_PER_GROUP,
    SET_ASIDE,
    UNCLAIMED,
    Storage,
    bucket_at,
    buckets_of,
    columns_of,
    files,
    fold_transaction,
)

_ORDER = {
    ACTIVITIES: "place, lead, occurred_at, activity_id",
    LEADS: "place, lead",
    ACCOUNTS: "place, account",
}
_ATTEMPTS = 3


def fold_in(storage: Storage, *, at_least: int = 1) -> Counter[str]:
    """Fold in every table whose inbox has at least so many files.

    Returns:
        Counts by name: `<table> folded in` (rows), `<table> buckets rewritten`.

    Raises:
        RetryableError: Others folded in at the same time, again and again.
    """
    counts: Counter[str] = Counter()
    for name in PARTITIONED:
        for _ in range(_ATTEMPTS):
            table = storage.open(name)
            if table is None or len(files(table, [INBOX])) < at_least:
                break
            try:
                with still_there():
                    counts += Folding(storage, name, table).run()
            except (CommitFailedError, RetryableError):
                continue
            break
        else:
            raise RetryableError(f"the lake's table {name} was being folded in by others; try again later")
    for name in (ALIASES, CLAIMS, SET_ASIDE, UNCLAIMED):
        table = storage.open(name)
        if table is not None and len(files(table)) > max(at_least, 1):
            with suppress(CommitFailedError):  # somebody landed there meanwhile; small files can wait
                table.optimize.compact()
    return counts


class Folding:
    """One rewrite of one version of a table."""

    def __init__(self, storage: Storage, name: str, table: DeltaTable) -> None:
        self._storage, self._table, self._name = storage, table, name
        self._columns = [c for c in columns_of(table) if c.name != "bucket"]
        options = dict(storage.options) if storage.options else None
        self._files = PyFileSystem(DeltaStorageHandler(storage.url(name), options))
        self._added: list[AddAction] = []

    def run(self) -> Counter[str]:
        """Write the new files, then let one commit put them in the place of the old."""
        with connect() as connection:
            landed = rows_in(self._columns, files(self._table, [INBOX]))
            connection.execute(f"CREATE TEMP TABLE landed AS {landed} ORDER BY place")
            newer = replacements(connection, self._table, self._name)
            homes = self._homes(connection, "SELECT DISTINCT place FROM landed")
            if newer is not None:
                homes |= self._homes_of_replaced(connection, newer)
            for home in sorted(homes):
                rows = self._rows_at_home(home)
                if newer is not None:
                    self._write(connection, PAST, self._replaced(rows))
                    rows = self._older(rows, newer, "ANTI")
                self._write(connection, str(home), rows)
            [(rows_landed,)] = connection.execute("SELECT count(*) FROM landed").fetchall()
        self._commit([file for file in self.files() if file["partition.bucket"] in {INBOX, *map(str, homes)}])
        return Counter(
            {f"{self._name} folded in": rows_landed, f"{self._name} buckets rewritten": len(homes)}
        )

    def files(self) -> list[dict[str, Any]]:
        """The files of the version that is rewritten: `path`, `size_bytes`, `partition.bucket`."""
        found: list[dict[str, Any]] = pa.table(self._table.get_add_actions(flatten=True)).to_pylist()
        return found

    def merge(self, some: Sequence[Mapping[str, Any]], bucket: str) -> None:
        """Make one sorted file of several of a bucket.

        Raises:
            CommitFailedError: Another process has rewritten the table since we looked.
        """
        uris = [self._storage.url(self._name, file["path"]) for file in some]
        with connect() as connection:
            self._write(connection, bucket, rows_in(self._columns, uris))
        self._commit(some)

    def _rows_at_home(self, home: int) -> str:
        settled = rows_in(self._columns, files(self._table, [str(home)]))
        landed = listed(column.name for column in self._columns)
        there = at_home_in(self._table, range(home, home + 1))
        return f"{settled} UNION ALL SELECT {landed} FROM landed WHERE {there}"

    def _homes_of_replaced(self, connection: duckdb.DuckDBPyConnection, newer: str) -> set[int]:
        """A correction may have moved an activity to another lead, and so away from its old home."""
        partitions = {partition["bucket"] for partition in self._table.partitions()} - {PAST, INBOX}
        columns = [c for c in self._columns if c.name in (*IDENTITY[self._name], "revision", "place")]
        settled = rows_in(columns, files(self._table, partitions))
        return self._homes(connection, f"SELECT DISTINCT place FROM ({self._older(settled, newer, 'SEMI')})")

    def _homes(self, connection: duckdb.DuckDBPyConnection, places: str) -> set[int]:
        count = buckets_of(self._table)
        return {bucket_at(place, count) for (place,) in connection.execute(places).fetchall()}

    def _replaced(self, rows: str) -> str:
        """The rows whose next revision has landed, each with when that was."""
        same = " AND ".join(f"r.{key} = next.{key}" for key in IDENTITY[self._name])
        return (
            "SELECT r.* REPLACE (next.serial AS next_serial, next.known_at AS next_known_at) "
            f"FROM ({rows}) AS r JOIN landed AS next ON {same} AND next.revision = r.revision + 1"
        )

    def _older(self, rows: str, newer: str, join: str) -> str:
        return f"SELECT r.* FROM ({rows}) AS r {join} JOIN {newer} ON {older_than(newer, self._name)}"

    def _write(self, connection: duckdb.DuckDBPyConnection, bucket: str, rows: str) -> None:
        """One file, sorted, written row group by row group; the engine sorts on disk what is too large."""
        batches = connection.sql(f"{rows} ORDER BY {_ORDER[self._name]}").to_arrow_reader(ROWS_PER_GROUP)
        first = next(batches, None)
        if first is None:
            return
        path, count = f"bucket={bucket}/folded-{uuid4()}.parquet", 0
        with (
            self._files.open_output_stream(path) as stream,
            pq.ParquetWriter(stream, batches.schema, compression=COMPRESSION) as writer,
        ):
            for batch in chain([first], batches):
                writer.write_batch(batch)
                count += batch.num_rows
        statistics = {"numRecords": count}
        size = self._files.get_file_info(path).size
        self._added.append(
            AddAction(path, size, {"bucket": bucket}, _milliseconds(), False, json.dumps(statistics))
        )

    def _commit(self, replaced: Sequence[Mapping[str, Any]]) -> None:
        """Raises CommitFailedError, and leaves no file, when somebody rewrote the table since we looked."""
        now = _milliseconds()
        removed = [
            RemoveAction(file["path"], False, now, file["size_bytes"], {"bucket": file["partition.bucket"]})
            for file in replaced
        ]
        try:
            self._table.create_write_transaction(
                [*self._added, *removed],
                mode="append",
                schema=self._table.schema(),
                partition_by=["bucket"],
                commit_properties=fold_transaction(self._table),
            )
        except CommitFailedError:
            for added in self._added:
                with suppress(FileNotFoundError):  # an erasure may have deleted it already
                    self._files.delete_file(added.path)
            raise


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000  # file times in Delta's log, nothing that scoring sees
