"""The lake stays small: few files, none that nobody reads, and whoever reads or writes is left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from deltalake.exceptions import CommitFailedError

from rescore.errors import Fenced
from rescore.lake.folding import Folding
from rescore.lake.housekeeping import drop_old_files, forget, merge_past
from rescore.lake.lake import Lake
from rescore.lake.records import ActivityRecord, Page, SetAside, Unclaimed
from rescore.lake.tables import ACTIVITIES, LEADS, PAST, SET_ASIDE, UNCLAIMED, Storage, files, place_of
from tests.lake.builders import NOON, a_lead, an_activity, facts_of, land
from tests.maintain.aging import age, files_in

DAY = timedelta(days=1)
KEEP = 2 * DAY
TODAY = datetime.now(UTC)  # as the files that these tests make


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(str(tmp_path / "lake"))


@pytest.fixture
def lake(storage: Storage) -> Lake:
    """Six landings, each corrected by the next and folded in."""
    lake = Lake(storage.root, buckets=2)
    for number in range(1, 7):
        land(
            lake,
            *(an_activity(f"a{lead}", str(lead), asset=f"/{number}") for lead in range(9)),
            *(a_lead(str(lead), size=number) for lead in range(9)),
            number=number,
            known_at=NOON + number * DAY,
        )
        lake.fold_in()
    return lake


def history(lake: Lake, storage: Storage):
    """The facts as they were known after every landing, by time and by number."""
    known = [NOON + number * DAY for number in range(1, 7)]
    known += [{"activities": number, "leads": number, "aliases": 0} for number in range(1, 7)]
    found = []
    for moment in known:
        with lake.facts(known_as_of=moment) as facts:
            query = f"SELECT lead, activity_id, asset FROM {facts.activities} ORDER BY ALL"
            sizes = f"SELECT lead, size FROM {facts.leads} ORDER BY ALL"
            found.append([facts.connection.sql(each).fetchall() for each in (query, sizes)])
    return found


def sweep(storage: Storage, at: datetime = TODAY + timedelta(hours=1)):
    return drop_old_files(storage, at=at, keep=KEEP)


def data_files(storage: Storage) -> set[Path]:
    return {path for path in files_in(Path(storage.root)) if "_delta_log" not in path.parts}


def test_what_was_replaced_two_days_ago_goes_and_facts_of_any_time_stay(lake, storage):
    before, old = (facts_of(lake), history(lake, storage)), data_files(storage)
    age(Path(storage.root), 3 * DAY)

    counts = sweep(storage)

    named = {Path(file) for name in (ACTIVITIES, LEADS) for file in files(storage.existing(name))}
    assert data_files(storage) == named
    assert counts["files dropped"] == len(old - named) > 20
    assert counts["bytes dropped"] > 0
    assert (facts_of(lake), history(Lake(storage.root), storage)) == before
    assert not sweep(storage)["files dropped"]


def test_a_reader_that_began_before_a_fold_reads_on_while_old_files_are_dropped(lake, storage):
    land(lake, an_activity("new", "3"), number=7)
    age(Path(storage.root), 3 * DAY)  # however old a file is: it is replaced only now
    with lake.facts() as facts:
        lake.fold_in()
        assert sweep(storage)["files dropped"]
        [(count,)] = facts.connection.sql(f"SELECT count(*) FROM {facts.activities}").fetchall()
    assert count == 10


def test_files_of_killed_writers_go_when_no_live_writer_can_be_at_them(lake, storage):
    folder = Path(storage.root) / ACTIVITIES / "bucket=inbox"
    folder.mkdir(exist_ok=True)
    made = [folder / "part-never-committed.parquet", folder / "part-half-written.parquet#1"]
    for path in made:
        path.write_bytes(b"half a file")
    sweep(storage)
    assert all(path.exists() for path in made)
    age(folder, 3 * DAY)
    sweep(storage)
    assert not any(path.exists() for path in made)


def test_the_log_is_shortened_and_still_shuts_out_zombies(lake, storage):
    log = Path(storage.root) / ACTIVITIES / "_delta_log"
    sweep(storage)  # makes a checkpoint, and leaves what is younger than any reader
    assert len(list(log.glob("*.json"))) > 10
    land(lake, an_activity("later", "1"), number=7)
    age(log, 3 * DAY)
    counts = sweep(storage)
    assert counts["log entries dropped"] > 10
    assert len(list(log.glob("0*"))) < 6

    fresh = Lake(storage.root)
    with pytest.raises(Fenced):
        land(fresh, an_activity("zombie", "1"), number=6)
    land(fresh, an_activity("next", "1"), number=8)
    with fresh.facts() as facts:
        assert facts.seen == {"activities": 8, "leads": 6, "aliases": 0}


def test_the_past_becomes_one_sorted_file_and_says_what_it_said(lake, storage):
    before = history(lake, storage)
    assert len(files(storage.existing(ACTIVITIES), [PAST])) == 10

    assert merge_past(storage) == {"activities past files merged": 10, "leads past files merged": 10}

    for name in (ACTIVITIES, LEADS):
        [file] = files(storage.existing(name), [PAST])
        leads = pq.read_table(file, columns=["lead"])["lead"].to_pylist()
        assert leads == sorted(leads, key=lambda lead: (place_of(lead), lead))
    assert history(lake, storage) == before
    assert not merge_past(storage)


def test_a_large_file_of_the_past_is_not_written_again(lake, storage):
    largest = max(Path(file).stat().st_size for file in files(storage.existing(LEADS), [PAST]))
    assert merge_past(storage, large_enough=largest + 1)
    assert not merge_past(storage, large_enough=largest)


def test_of_two_processes_that_merge_the_same_files_one_gives_up_and_leaves_nothing(lake, storage):
    before = history(lake, storage)
    first, second = (Folding(storage, LEADS, storage.existing(LEADS)) for _ in range(2))
    past = [file for file in first.files() if file["partition.bucket"] == PAST]
    first.merge(past, PAST)
    there = data_files(storage)
    with pytest.raises(CommitFailedError):
        second.merge(past, PAST)
    assert data_files(storage) == there
    assert history(lake, storage) == before


def test_what_waited_too_long_and_what_was_set_aside_long_ago_is_forgotten(lake, storage):
    for number, known_at in ((7, NOON), (8, NOON + 9 * DAY)):
        opened = ActivityRecord(f"open-{number}", "", "email_open", NOON)
        page = Page(
            unclaimed=[Unclaimed(f"{number}@person.example", opened)],
            set_aside=[SetAside("lead", str(number), "no_id", "{}")],
        )
        lake.land("crm", page, stream="everything", number=number, known_at=known_at)
    for name in (UNCLAIMED, SET_ASIDE):
        assert forget(storage, name, before=NOON + DAY) == 1
        version = storage.existing(name).version()
        assert forget(storage, name, before=NOON + DAY) == 0
        assert storage.existing(name).version() == version
    assert lake.waiting() == 1
    assert lake.set_aside() == {"no_id": 1}


def test_an_empty_lake_is_no_trouble(tmp_path):
    lake = Lake(str(tmp_path / "nothing"))
    assert not +lake.tidy(at=TODAY, old_files=KEEP, waiting=DAY, set_aside=DAY)
    assert lake.drop_old_results(before=TODAY, but=()) == 0
