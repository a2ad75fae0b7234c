"""Keeps a generated script as Parquet files, so that a second start does not simulate again."""

import json
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from sandbox_crm.shapes import (
    Change,
    Contact,
    Deal,
    EmailEvent,
    Engagement,
    PageView,
    Script,
    Slot,
    Submission,
)

SHAPES: Final[dict[str, type]] = {
    "contacts": Contact,
    "engagements": Engagement,
    "deals": Deal,
    "page_views": PageView,
    "email_events": EmailEvent,
    "submissions": Submission,
}
JSON_FIELDS: Final = ("properties", "changes")


def cached(folder: Path | None, name: str, make: Callable[[], Script]) -> Script:
    """The script kept under `name`, made and kept first when it is not there; no folder, no keeping."""
    if folder is None:
        return make()
    place = folder / name
    if not place.exists():
        script = make()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as unfinished:
            for table in SHAPES:
                pq.write_table(_table(getattr(script, table)), Path(unfinished) / f"{table}.parquet")
            # a whole world or none: an interrupted start leaves no half one, of two at once the first wins
            with suppress(OSError):
                Path(unfinished).rename(place)
        return script
    return Script(**{table: _rows(shape, place / f"{table}.parquet") for table, shape in SHAPES.items()})


def _table(rows: Iterable[Any]) -> pa.Table:
    return pa.Table.from_pylist([_flat(row) for row in rows])


def _flat(row: Any) -> dict[str, Any]:
    flat: dict[str, Any] = row._asdict()
    flat |= flat.pop("slot")._asdict()
    return flat | {name: json.dumps(flat[name]) for name in JSON_FIELDS if name in flat}


def _rows(shape: Any, path: Path) -> list[Any]:
    rows = pq.read_table(path).to_pylist()
    for row in rows:
        row["slot"] = Slot(*(row.pop(name) for name in Slot._fields))
        for name in JSON_FIELDS:
            if name in row:
                row[name] = json.loads(row[name])
        if "changes" in row:
            row["changes"] = [Change(Slot(*slot), properties) for slot, properties in row["changes"]]
    return [shape(**row) for row in rows]
