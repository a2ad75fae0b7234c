"""Lets files be as old as a night's work finds them: nobody waits for two days in a test."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

REPLACED_AT = re.compile(r'("deletionTimestamp":)(\d+)')


def age(folder: Path, by: timedelta) -> None:
    """Everything in a folder is older by so much, and in the logs of its tables so is what was replaced."""
    milliseconds = int(by / timedelta(milliseconds=1))
    for path in folder.rglob("*"):
        written = path.stat().st_mtime
        if path.suffix == ".json" and path.parent.name == "_delta_log":
            text = path.read_text()
            path.write_text(REPLACED_AT.sub(lambda found: f"{found[1]}{int(found[2]) - milliseconds}", text))
        if path.name.endswith(".checkpoint.parquet"):
            pq.write_table(_replaced_earlier(pq.read_table(path), milliseconds), path)
        os.utime(path, (written, written - by.total_seconds()))


def _replaced_earlier(checkpoint: pa.Table, milliseconds: int) -> pa.Table:
    if "remove" not in checkpoint.column_names:
        return checkpoint
    removed = checkpoint["remove"].combine_chunks()
    kinds = list(removed.type)
    fields = [removed.field(kind.name) for kind in kinds]
    place = removed.type.get_field_index("deletionTimestamp")
    fields[place] = pc.subtract(fields[place], milliseconds)
    older = pa.StructArray.from_arrays(fields, fields=kinds, mask=removed.is_null())
    return checkpoint.set_column(
        checkpoint.column_names.index("remove"), checkpoint.schema.field("remove"), older
    )


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in files_in(folder))
