"""Folding in: rows change their place, never what they say, and end up sorted by lead."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
from deltalake.exceptions import CommitFailedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rescore.errors import ConfigurationError
from rescore.lake.folding import Folding
from rescore.lake.lake import Lake
from rescore.lake.records import ActivityRecord, LeadRecord
from rescore.lake.tables import (
    ACTIVITIES,
    INBOX,
    LEADS,
    PAST,
    ROWS_PER_GROUP,
    Storage,
    bucket_of,
    files,
    place_of,
)
from tests.lake.builders import NOON, a_lead, an_activity, brief, facts_of, land

BUCKETS = 3


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "lake"))


@pytest.fixture
def lake(storage):
    return Lake(storage.root, buckets=BUCKETS)


def some(number, *, leads=20):
    """Activities of many leads in no particular order, and every third lead's attributes."""
    activities = [
        an_activity(f"{number}-{i}", str(i * 7 % leads), at=NOON - timedelta(hours=i)) for i in range(60)
    ]
    return [*activities, *(a_lead(str(i), number=number) for i in range(number % 3, leads, 3))]


def test_every_bucket_is_one_file_in_lead_order_and_holds_only_its_own_leads(lake, storage):
    for number in (1, 2):
        land(lake, *some(number), number=number)
        lake.fold_in()
    land(lake, *some(3), number=3)
    counts = lake.fold_in()
    assert counts["activities folded in"] == 60
    for name in (ACTIVITIES, LEADS):
        table = storage.existing(name)
        assert files(table, [INBOX]) == []
        for bucket in range(BUCKETS):
            [file] = files(table, [str(bucket)])
            leads = pq.read_table(file, columns=["lead"])["lead"].to_pylist()
            assert leads == sorted(leads, key=lambda lead: (place_of(lead), lead))
            assert {bucket_of(lead, BUCKETS) for lead in leads} == {bucket}


def test_only_buckets_with_news_are_rewritten(lake, storage):
    land(lake, *some(1), number=1)
    lake.fold_in()
    before = {b: files(storage.existing(ACTIVITIES), [str(b)]) for b in range(BUCKETS)}
    land(lake, an_activity("new", "1"), number=2)
    assert lake.fold_in() == {"activities folded in": 1, "activities buckets rewritten": 1}
    after = {b: files(storage.existing(ACTIVITIES), [str(b)]) for b in range(BUCKETS)}
    assert [b for b in range(BUCKETS) if before[b] != after[b]] == [bucket_of("crm:1", BUCKETS)]


def test_row_groups_are_small_enough_to_be_skipped(lake, storage):
    lake = Lake(storage.root, buckets=1)
    land(lake, *(an_activity(str(i), str(i)) for i in range(ROWS_PER_GROUP + 1)), number=1)
    lake.fold_in()
    [file] = files(storage.existing(ACTIVITIES))
    assert pq.ParquetFile(file).num_row_groups == 2


def test_a_small_inbox_is_left_alone_when_asked(lake):
    land(lake, an_activity(), number=1)
    assert not lake.fold_in(at_least=2)
    land(lake, an_activity("a2"), number=2)
    assert lake.fold_in(at_least=2)["activities folded in"] == 2


def test_what_was_replaced_is_kept_apart_with_when_it_was_known(lake, storage):
    land(lake, an_activity("a1", "1", asset="/old"), number=1)
    lake.fold_in()
    land(lake, an_activity("a1", "2", asset="/new"), number=2, known_at=NOON + timedelta(hours=1))
    lake.fold_in()
    [past] = files(storage.existing(ACTIVITIES), [PAST])
    [row] = pq.read_table(past).to_pylist()
    assert (row["lead"], row["asset"], row["known_at"]) == ("crm:1", "/old", NOON.replace(tzinfo=None))
    assert brief(lake, "lead", "asset") == [("crm:2", "/new")]


@pytest.mark.parametrize("name", [ACTIVITIES, LEADS])
def test_of_two_processes_that_fold_in_the_same_version_one_gives_up_and_leaves_nothing(lake, storage, name):
    land(lake, *some(1), number=1)
    before = facts_of(lake)
    first, second = (Folding(storage, name, storage.existing(name)) for _ in range(2))
    first.run()
    with pytest.raises(CommitFailedError):
        second.run()
    assert facts_of(lake) == before


def test_what_lands_while_folding_in_stays_in_the_inbox(lake, storage):
    land(lake, an_activity("a1", asset="/old"), number=1)
    folding = Folding(storage, ACTIVITIES, storage.existing(ACTIVITIES))
    land(lake, an_activity("a1", asset="/new"), an_activity("a2"), number=2)
    folding.run()
    assert brief(lake, "activity_id", "asset") == [("a1", "/new"), ("a2", None)]
    lake.fold_in()
    assert brief(lake, "activity_id", "asset") == [("a1", "/new"), ("a2", None)]


def test_landing_reading_and_folding_in_side_by_side_lose_and_double_nothing(lake):
    land(lake, an_activity("0"), number=1)

    def land_more(stream):
        for number in range(1, 6):
            land(lake, an_activity(f"{stream}{number}"), number=number, stream=stream)

    def fold_often():
        for _ in range(6):
            lake.fold_in()

    def read_often():
        return [len(ids) == len(set(ids)) for ids in (brief(lake, "activity_id") for _ in range(6))]

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(land_more, "a"), pool.submit(land_more, "b"), pool.submit(fold_often)]
        assert all(pool.submit(read_often).result())
        for job in jobs:
            job.result()
    assert len(brief(lake, "activity_id")) == 11


def test_facts_of_some_leads_are_those_of_everybody_filtered(lake):
    land(lake, *some(1), number=1)
    lake.fold_in()
    land(lake, *some(2), a_lead("3", merged=["5"]), number=2)
    activities, leads = facts_of(lake)
    for asked in ({"crm:3"}, {"crm:1", "crm:2", "crm:17"}, {"crm:nobody"}, set()):
        assert facts_of(lake, asked) == (
            [row for row in activities if row["lead"] in asked],
            [row for row in leads if row["lead"] in asked],
        )


def test_a_table_with_deletion_vectors_is_refused(lake, storage):
    land(lake, an_activity(), number=1)
    table = storage.existing(ACTIVITIES)
    table.alter.set_table_properties({"delta.enableDeletionVectors": "true"})
    with pytest.raises(ConfigurationError, match="deletionVectors"), lake.facts():
        pass


LEAD_IDS = st.sampled_from("12345")
PAGES = st.lists(
    st.one_of(
        st.builds(LeadRecord, LEAD_IDS, st.fixed_dictionaries({}, optional={"a": st.sampled_from("xy")})),
        st.builds(
            ActivityRecord,
            st.sampled_from("abcdef"),
            LEAD_IDS,
            st.sampled_from(["view", "click"]),
            st.sampled_from([NOON - timedelta(days=d) for d in (1, 2)]),
            st.sampled_from([None, "/p", "/Q"]),
        ),
    ),
    max_size=8,
)
STEPS = st.lists(st.one_of(PAGES, st.just("fold in"), st.integers(0, 5)), min_size=1, max_size=7)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_any_order_of_pages_repeats_and_fold_ins_gives_the_facts_of_a_plain_dict(tmp_path_factory, steps):
    lake = Lake(str(tmp_path_factory.mktemp("lake")), buckets=2)
    activities, leads, pages = {}, {}, []
    for number, step in enumerate(steps, start=1):
        if step == "fold in":
            lake.fold_in()
            continue
        page = pages[step % len(pages)] if isinstance(step, int) and pages else step
        if isinstance(page, int):
            continue
        pages.append(page)
        said_activities = {r.activity_id: r for r in page if isinstance(r, ActivityRecord)}
        said_leads = {r.lead_id: r for r in page if isinstance(r, LeadRecord)}
        former = {activities[a].lead_id for a in said_activities if a in activities}
        activities |= said_activities
        leads |= said_leads
        now = {record.lead_id for record in said_activities.values()} | set(said_leads)
        landed = land(lake, *page, number=number)
        assert set(landed.leads) >= {f"crm:{lead_id}" for lead_id in former | now}
    read, known = facts_of(lake)
    assert {(row["activity_id"], row["lead"], row["type"], row["asset"]) for row in read} == {
        (a.activity_id, f"crm:{a.lead_id}", a.type, a.asset) for a in activities.values()
    }
    assert {row["lead"]: row.get("a") for row in known} == {
        f"crm:{lead.lead_id}": lead.attributes.get("a") for lead in leads.values()
    }
    assert (len(read), len(known)) == (len(activities), len(leads))
