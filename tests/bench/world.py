"""A synthetic CRM's facts for measuring: skewed, seeded, kept in a temporary folder between runs."""

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rescore.scoring.facts import Facts, open_connection, with_text_forms

AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)
SEED = 20261101
BUCKETS = 64
PART = 2_500_000  # activities that are scored at a time
ZIPF = 0.8
TYPES = [f"type_{index:02}" for index in range(12)]
SIZES = {"xs": (2_000, 40_000), "s": (100_000, 2_000_000), "m": (1_000_000, 20_000_000)}


@dataclass(frozen=True)
class World:
    """Lead-sorted Parquet files in buckets, as the lake keeps them."""

    folder: Path
    leads: int
    activities: int

    def facts(self, asked: list[str] | None = None) -> Facts:
        """Everybody's facts in parts of some buckets, or only those of the leads asked for."""
        connection = open_connection()
        everything = range(BUCKETS)
        self._views(connection, everything, "")
        if asked is None:
            size = max(1, BUCKETS * PART // self.activities)
            parts = [everything[first : first + size] for first in everything[::size]]
            names = [self._views(connection, part, f"_{number}") for number, part in enumerate(parts)]
            return Facts(connection, "activities", "leads", parts=names if len(names) > 1 else ())
        connection.from_arrow(pa.table({"lead": asked})).create("asked")
        for name in ("activities", "leads"):
            rows = connection.table(name).join(connection.table("asked"), "lead", how="semi")
            rows.create_view(f"asked_{name}")
        return Facts(connection, "asked_activities", "asked_leads")

    def _views(self, connection: duckdb.DuckDBPyConnection, buckets: range, suffix: str) -> tuple[str, str]:
        for name in ("activities", "leads"):
            files = [str(self.folder / name / f"{bucket:02}.parquet") for bucket in buckets]
            connection.read_parquet(files).create_view(name + suffix)
        return f"activities{suffix}", f"leads{suffix}"

    def some_leads(self, share: float) -> list[str]:
        """A share of all leads, at least one, chosen evenly."""
        count = max(1, int(self.leads * share))
        return _keys(np.random.default_rng(SEED).choice(self.leads, count, replace=False)).to_pylist()


def make_world(size: str) -> World:
    """The world of a size; made on first use."""
    leads, activities = SIZES[size]
    folder = Path(tempfile.gettempdir()) / f"rescore-bench-{SEED}-{size}"
    world = World(folder, leads, activities)
    if not folder.exists():
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        _write(unfinished, leads, activities)
        unfinished.rename(folder)
    return world


def _write(folder: Path, leads: int, activities: int) -> None:
    random = np.random.default_rng(SEED)
    weights = 1 / np.arange(1, leads + 1) ** ZIPF
    ranks = np.searchsorted(np.cumsum(weights / weights.sum()), random.random(activities))
    owners = np.sort(random.permutation(leads)[np.minimum(ranks, leads - 1)])
    for name in ("activities", "leads"):
        (folder / name).mkdir(parents=True)
    for bucket in range(BUCKETS):
        first, last = (-(-leads * edge // BUCKETS) for edge in (bucket, bucket + 1))
        begin, end = np.searchsorted(owners, [first, last])
        for name, table in (
            ("leads", _leads(random, range(first, last))),
            ("activities", _activities(random, owners[begin:end], int(begin))),
        ):
            pq.write_table(table, folder / name / f"{bucket:02}.parquet", compression="zstd")


def _keys(numbers: np.ndarray | range) -> pa.Array:
    return pa.array([f"crm:{number:08}" for number in numbers])


def _activities(random: np.random.Generator, owners: np.ndarray, begin: int) -> pa.Table:
    count = len(owners)
    seconds = random.exponential(120 * 86_400, count) % (730 * 86_400)
    occurred_at = np.datetime64(AS_OF.replace(tzinfo=None), "us") - (seconds * 1e6).astype("timedelta64[us]")
    assets = [f"/Section{index % 20}/page-{index}" for index in range(400)]
    chosen = np.minimum(random.zipf(1.3, count), 400) - 1
    table = pa.table(
        {
            "source": pa.repeat("crm", count),
            "activity_id": pa.array([f"{begin + index:010}" for index in range(count)]),
            "lead": _keys(owners),
            "type": pa.array(TYPES).take(random.integers(0, len(TYPES), count)),
            "occurred_at": occurred_at,
            "known_at": occurred_at,
            "asset": pa.array(assets).take(chosen),
            "channel": pa.array(["web", "mail", "ads"]).take(random.integers(0, 3, count)),
            "value": random.integers(0, 1000, count) / 10,
        }
    )
    return with_text_forms(table, ["asset", "channel"])


def _leads(random: np.random.Generator, numbers: range) -> pa.Table:
    count = len(numbers)
    titles = ["CTO", "VP of Sales", "Director Marketing", "Head of Data", "Engineer", "", "Student", "Owner"]
    countries = ["Germany", "France", "Brazil", "Nepal", "United States", "Samoa"]
    table = pa.table(
        {
            "lead": _keys(numbers),
            "job_title": pa.array(titles).take(random.integers(0, len(titles), count)),
            "country": pa.array(countries).take(random.integers(0, len(countries), count)),
            "employees": pa.array(
                random.integers(1, 5000, count).astype(float), mask=random.random(count) < 0.2
            ),
            "opted_out": random.random(count) < 0.1,
        }
    )
    return with_text_forms(table, ["job_title", "country"])
