"""Looks for a person in every copy: bytes of files, cells of Parquet files, rows of the ledger."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from rescore.ledger import tables
from rescore.ledger.transaction import Ledger


def found_in_files(home: Path, names: Sequence[str]) -> list[str]:
    """Files below `home` that hold one of the names, compressed or not."""
    return [str(path.relative_to(home)) for path in files(home) if any(name in said(path) for name in names)]


def found_in_rows(ledger: Ledger, names: Sequence[str]) -> list[str]:
    """Tables of the ledger with a row that holds one of the names."""
    with ledger.reading() as connection:
        return [
            table.name
            for table in tables.metadata.sorted_tables
            for row in connection.execute(select(table))
            if any(name in str(tuple(row)) for name in names)
        ]


def files(home: Path) -> Iterator[Path]:
    return (path for path in sorted(home.rglob("*")) if path.is_file())


def said(path: Path) -> str:
    """A file's text, and of Parquet what its compressed columns say too."""
    text = path.read_bytes().decode("utf-8", "replace")
    if path.suffix == ".parquet":
        with contextlib.suppress(pa.ArrowInvalid):
            text += str(pq.read_table(path, partitioning=None).to_pylist())
    return text
