"""Activities that come as columns land exactly as they would have landed one by one."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rescore.erased import Erased, hash_of_lead
from rescore.errors import MappingInvalid
from rescore.lake.batches import screen_batch
from rescore.lake.lake import Lake
from rescore.lake.records import BATCH, UNREADABLE, ActivityRecord, Page
from rescore.lake.rows import given_activities
from rescore.lake.screen import screen
from tests.lake.builders import NOON, facts_of

FIELDS = ("campaign", "Query")
LONG = "ä" * 10_000

texts = st.one_of(
    st.none(),
    st.sampled_from(["", "/pricing", "Ä = b", "a\0b", UNREADABLE, LONG, LONG + "x", "it's", 'a "b"', "%s"]),
    st.text(st.characters(codec="utf-8"), max_size=4),
)
ids = st.one_of(
    st.sampled_from(["", "1", "2", "a\0", UNREADABLE, LONG + "y"]), st.text(st.characters(codec="utf-8"))
)
times = st.one_of(
    st.integers(-62 * 10**9, 250 * 10**9).map(lambda seconds: NOON + timedelta(seconds=seconds)),
    st.timedeltas(timedelta(minutes=-6), timedelta(minutes=6)).map(lambda ahead: NOON + ahead),
    st.none(),
)
records = st.builds(
    ActivityRecord,
    activity_id=ids,
    lead_id=ids,
    type=st.one_of(st.sampled_from(["click", ""]), texts),
    occurred_at=times,
    asset=texts,
    channel=texts,
    value=st.one_of(st.none(), st.floats()),
    fields=st.fixed_dictionaries(dict.fromkeys(FIELDS, texts)).map(
        lambda fields: {name: fields[name] for name in FIELDS if fields[name] is not None}
    ),
)


def as_batch(given_records: list[ActivityRecord]) -> pa.Table:
    columns = {name: [getattr(one, name) for one in given_records] for name in BATCH.names}
    columns |= {name: [one.fields.get(name) for one in given_records] for name in FIELDS}
    schema = pa.schema([*BATCH, *((name, pa.string()) for name in FIELDS)])
    return pa.table(columns, schema)


@given(st.lists(records, max_size=25))
@settings(max_examples=60)
def test_the_same_activities_are_facts_and_the_same_are_set_aside_for_the_same_reason(some):
    one_by_one = screen("crm", Page(activities=some), known_at=NOON)
    expected = given_activities(one_by_one.activities, FIELDS)
    rows, aside = screen_batch("crm", as_batch(some), known_at=NOON)
    assert rows.select(expected.column_names).to_pylist() == expected.to_pylist()
    assert sorted(map(str, aside)) == sorted(map(str, one_by_one.set_aside))


def some_activities(seed: int, count: int = 120) -> list[ActivityRecord]:
    """Activities of which some are repeated, some corrected, some given to another lead, some unusable."""
    chance = random.Random(seed)
    return [
        ActivityRecord(
            f"a{chance.randrange(60)}",
            str(chance.randrange(12)),
            chance.choice(["click", "view", "view", ""]),
            NOON - timedelta(minutes=chance.randrange(-8, 30)),
            asset=chance.choice([None, "/A", "/b"]),
            value=chance.choice([None, 1.5, math.inf]),
            fields={"campaign": "Spring", "Query": "b"} if chance.random() < 0.5 else {},
        )
        for _ in range(count)
    ]


def land_all(lake: Lake, pages: list[Page], erased: Erased, *, committed: int = 0):
    landed = []
    for number, page in enumerate(pages, start=1):
        options = {"stream": "s", "number": number, "known_at": NOON, "erased": erased}
        landed.append(lake.land("crm", page, committed=min(committed, number - 1), **options))
    return landed


@pytest.mark.parametrize("seed", [1, 2])
def test_pages_of_columns_leave_the_lake_and_the_counts_that_pages_of_records_leave(tmp_path, seed):
    erased = Erased(b"salt", frozenset({hash_of_lead(b"salt", "crm:3")}))
    given_records = [some_activities(seed * 10 + turn) for turn in range(3)]
    pages = {
        "rows": [Page(activities=some) for some in given_records],
        "columns": [Page(batch=as_batch(some)) for some in given_records],
        "both": [Page(activities=some[:50], batch=as_batch(some[50:])) for some in given_records],
    }
    lakes = {name: Lake(str(tmp_path / name), buckets=3) for name in pages}
    landed = {name: land_all(lake, pages[name], erased) for name, lake in lakes.items()}
    facts = {name: facts_of(lake) for name, lake in lakes.items()}
    aside = {name: lake.set_aside() for name, lake in lakes.items()}
    for name in ("columns", "both"):
        assert landed[name] == landed["rows"], name
        assert facts[name] == facts["rows"], name
        assert aside[name] == aside["rows"], name
    assert all(count for one in landed["rows"] for count in one.counts.values())
    assert sum((Counter(one.counts) for one in landed["rows"]), Counter())["erased"] > 0


@pytest.mark.parametrize("order", [("activities", "batch"), ("batch", "activities")], ids=str)
def test_an_activity_that_came_as_a_record_is_known_when_it_comes_as_a_row_of_columns(tmp_path, order):
    some = [
        replace(one, activity_id=f"u{number}", type="view", value=0.1 + 0.2, occurred_at=NOON)
        for number, one in enumerate(some_activities(5, 20))
    ]
    pages = {"activities": Page(activities=some), "batch": Page(batch=as_batch(some))}
    first, again = land_all(
        Lake(str(tmp_path / "lake"), buckets=3), [pages[name] for name in order], Erased(), committed=1
    )
    assert first.counts["activities"] == again.counts["duplicate"] == 20
    assert again.leads == {}, "a landing whose marks are committed wakes nobody"


def test_a_batch_with_a_field_that_cannot_be_a_column_is_a_mistake_in_the_mapping(tmp_path):
    batch = as_batch(some_activities(1, 3)).append_column('a" b', pa.array(["x"] * 3))
    with pytest.raises(MappingInvalid, match="mapping"):
        land_all(Lake(str(tmp_path / "lake")), [Page(batch=batch)], Erased())


def test_an_empty_batch_lands_nothing_and_its_number_is_taken(tmp_path):
    lake = Lake(str(tmp_path / "lake"), buckets=3)
    [landed] = land_all(lake, [Page(batch=as_batch([]))], Erased())
    assert (landed.leads, landed.counts) == ({}, {})
    assert lake.landings([("crm", "s")]) == {("crm", "s"): 1}
