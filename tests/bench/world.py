"""A synthetic CRM in a lake, for measuring: skewed, seeded, kept in a temporary folder between runs."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rescore.lake.lake import Lake
from rescore.lake.records import ActivityRecord, Page
from rescore.lake.tables import (
    ACTIVITIES,
    DEFAULT_BUCKETS,
    INBOX,
    LEADS,
    PLACES,
    ROWS_PER_GROUP,
    SCHEMAS,
    Storage,
    append,
    files,
    place_of,
)
from rescore.scoring.facts import with_text_forms

AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)
SEED = 20261101
LAYOUT = 7  # change it when the same seed makes other files
TABLES = blake2b(repr(SCHEMAS).encode(), digest_size=4).hexdigest()
FILES = f"{DEFAULT_BUCKETS}x{ROWS_PER_GROUP}-{TABLES}"  # a lake of earlier tables or files is another lake
ZIPF = 0.8
TYPES = [f"type_{index:02}" for index in range(12)]
SIZES = {"xs": (2_000, 40_000), "s": (100_000, 2_000_000), "m": (1_000_000, 20_000_000)}
SHARE = 0.001
NEWS = 10  # activities of each lead in SHARE that have just landed
LANDING = 2_500_000  # activities that are folded in at a time


@dataclass(frozen=True)
class World:
    """A lake whose history is folded in, with one landing of news in its inbox."""

    size: str
    folder: Path
    leads: int
    activities: int

    @property
    def lake(self) -> Lake:
        """The lake, opened anew."""
        return Lake(str(self.folder))

    def files(self, name: str) -> list[str]:
        """The Parquet files of one of its tables."""
        return files(Storage(str(self.folder)).existing(name))

    def some_leads(self, share: float) -> list[str]:
        """A share of all leads, at least one, chosen evenly."""
        count = max(1, int(self.leads * share))
        return _keys(np.random.default_rng(SEED).choice(self.leads, count, replace=False)).to_pylist()


def make_world(size: str, say: Callable[[str], None] = lambda line: None) -> World:
    """The world of a size; made on first use."""
    leads, activities = SIZES[size]
    folder = Path(tempfile.gettempdir()) / f"rescore-bench-{SEED}-{LAYOUT}-{FILES}-{size}"
    if not folder.exists():
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        _write(World(size, unfinished, leads, activities), say)
        unfinished.rename(folder)
    return World(size, folder, leads, activities + NEWS * max(1, int(leads * SHARE)))


def _write(world: World, say: Callable[[str], None]) -> None:
    """The history lands some buckets at a time, so that folding it in rewrites no bucket twice."""
    random = np.random.default_rng(SEED)
    storage = Storage(str(world.folder))
    for name in SCHEMAS:
        storage.create(name, buckets=DEFAULT_BUCKETS)
    weights = 1 / np.arange(1, world.leads + 1) ** ZIPF
    counts = random.permutation(random.multinomial(world.activities, weights / weights.sum()))
    places = np.array([place_of(key) for key in _keys(np.arange(world.leads)).to_pylist()])
    buckets = places * DEFAULT_BUCKETS // PLACES
    landings = -(-world.activities // LANDING)
    for landing in range(landings):
        say(f"  landing {landing + 1} of {landings} and folding it in ...")
        chosen = np.flatnonzero(buckets * landings // DEFAULT_BUCKETS == landing)
        owners = np.repeat(chosen, counts[chosen])
        _land(storage, LEADS, _leads(random, chosen), places[chosen], landing + 1)
        _land(
            storage,
            ACTIVITIES,
            _activities(random, owners, landing * world.activities),
            places[owners],
            landing + 1,
        )
        world.lake.fold_in()
    say("  landing a page of news ...")
    world.lake.land("crm", _news(random, world), stream="news", number=1, known_at=AS_OF)


def _land(storage: Storage, name: str, rows: pa.Table, places: np.ndarray, number: int) -> None:
    """Append rows the way a landing does, without making a record of each first."""
    count = len(rows)
    kept = {
        "bucket": pa.repeat(INBOX, count),
        "place": pa.array(places, pa.int64()),
        "revision": pa.repeat(pa.scalar(0, pa.int32()), count),
        "content": pa.array(range(count), pa.int64()),
        "landed_by": pa.repeat("crm/history", count),
        "landing": pa.repeat(pa.scalar(number, pa.int64()), count),
        "source": pa.repeat("crm", count),
    }
    for column, values in kept.items():
        rows = rows.append_column(column, values)
    append(storage, name, lambda table: (rows, Counter()), stream="crm/history", number=number)


def _news(random: np.random.Generator, world: World) -> Page:
    given = []
    for lead in world.some_leads(SHARE):
        for number in range(NEWS):
            kind, page, minutes = (int(random.integers(0, most)) for most in (len(TYPES), 400, 1440))
            at = AS_OF - timedelta(minutes=minutes)
            given.append(
                ActivityRecord(
                    f"new-{lead}-{number}", lead.removeprefix("crm:"), TYPES[kind], at, asset=_asset(page)
                )
            )
    return Page(activities=given)


def _asset(number: int) -> str:
    return f"/Section{number % 20}/page-{number}"


def _keys(numbers: np.ndarray) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 8, "0")
    return pc.binary_join_element_wise("crm:", digits, "")


def _activities(random: np.random.Generator, owners: np.ndarray, begin: int) -> pa.Table:
    count = len(owners)
    seconds = random.exponential(120 * 86_400, count) % (730 * 86_400)
    occurred_at = np.datetime64(AS_OF.replace(tzinfo=None), "us") - (seconds * 1e6).astype("timedelta64[us]")
    chosen = np.minimum(random.zipf(1.3, count), 400) - 1
    table = pa.table(
        {
            "activity_id": pc.utf8_lpad(pa.array(np.arange(begin, begin + count)).cast(pa.string()), 10, "0"),
            "lead": _keys(owners),
            "type": pa.array(TYPES).take(random.integers(0, len(TYPES), count)),
            "occurred_at": occurred_at,
            "known_at": occurred_at,
            "asset": pa.array(map(_asset, range(400))).take(chosen),
            "channel": pa.array(["web", "mail", "ads"]).take(random.integers(0, 3, count)),
            "value": random.integers(0, 1000, count) / 10,
        }
    )
    return with_text_forms(table, ["asset", "channel"])


def _leads(random: np.random.Generator, numbers: np.ndarray) -> pa.Table:
    count = len(numbers)
    titles = ["CTO", "VP of Sales", "Director Marketing", "Head of Data", "Engineer", "", "Student", "Owner"]
    countries = ["Germany", "France", "Brazil", "Nepal", "United States", "Samoa"]
    known_at = pa.repeat(pa.scalar(AS_OF.replace(tzinfo=None), pa.timestamp("us")), count)
    table = pa.table(
        {
            "lead": _keys(numbers),
            "known_at": known_at,
            "job_title": pa.array(titles).take(random.integers(0, len(titles), count)),
            "country": pa.array(countries).take(random.integers(0, len(countries), count)),
            "employees__number": pa.array(
                random.integers(1, 5000, count).astype(float), mask=random.random(count) < 0.2
            ),
            "opted_out__flag": random.random(count) < 0.1,
        }
    )
    table = with_text_forms(table, ["job_title", "country"])
    return table.rename_columns({"job_title": "job_title__text", "country": "country__text"})
