"""Erasing from the lake while others write and read: nobody's files are lost, and nobody trips."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from rescore.erased import Person
from rescore.errors import RetryableError
from rescore.lake.folding import Folding
from rescore.lake.lake import Lake
from rescore.lake.reading import FOLDED, WORDS
from rescore.lake.rows import activity_table
from rescore.lake.tables import ACTIVITIES, LEADS, SCHEMAS, Storage, append
from tests.lake.builders import NOON, a_lead, an_activity, brief, facts_of, land

EVE = Person.of(["crm:2"])


@pytest.fixture
def lake(tmp_path):
    lake = Lake(str(tmp_path / "lake"), buckets=2)
    for number in (1, 2, 3):
        leads = a_lead(str(number), title=f"title {number}"), an_activity(f"a{number}", str(number))
        land(lake, *leads, number=number)
    return lake


@pytest.fixture
def storage(tmp_path):
    return Storage(str(tmp_path / "lake"))


@pytest.mark.parametrize("fold", [False, True], ids=["in the inbox", "folded in"])
def test_the_others_stay_in_their_order_and_can_still_be_corrected(lake, fold):
    if fold:
        lake.fold_in()
    assert lake.erase(EVE, fences={}) == {"activities": 1, "leads": 1}
    assert brief(lake, "lead") == [("crm:1",), ("crm:3",)]
    land(lake, an_activity("a3", "3", asset="/new"), number=4)
    assert brief(lake, "asset", leads=["crm:3"]) == [("/new",)]
    lake.fold_in()
    assert brief(lake, "asset", leads=["crm:3"]) == [("/new",)]


def test_a_correction_that_waits_in_the_inbox_still_replaces_what_it_corrects(lake):
    lake.fold_in()
    land(lake, an_activity("a3", "3", asset="/new"), an_activity("a2", "2", asset="/x"), number=4)
    lake.erase(EVE, fences={})
    assert brief(lake, "lead", "asset") == [("crm:1", None), ("crm:3", "/new")]


def test_erasing_again_finds_nothing(lake):
    lake.erase(EVE, fences={"crm/everything": 9})
    assert lake.erase(EVE, fences={"crm/everything": 9}) == {}


def test_merges_keep_their_numbers(lake):
    land(lake, a_lead("1", merged=["2"]), a_lead("3", merged=["4"]), number=4)
    with lake.facts() as facts:
        seen = dict(facts.seen)
    lake.erase(Person.of(["crm:1", "crm:2"]), fences={})
    with lake.facts() as facts:
        assert facts.seen["aliases"] == seen["aliases"]
    assert lake.canonical(["crm:4", "crm:2"]) == {"crm:4": "crm:3"}
    land(lake, a_lead("3", merged=["4", "5"]), number=5)
    assert lake.canonical(["crm:5"]) == {"crm:5": "crm:3"}


def test_a_fold_under_way_cannot_bring_anybody_back(lake, storage):
    begun = Folding(storage, LEADS, storage.existing(LEADS))
    lake.erase(EVE, fences={})
    with pytest.raises(duckdb.IOException):
        begun.run()
    assert lake.fold_in()["leads folded in"] == 2
    assert [row["lead"] for row in facts_of(lake)[1]] == ["crm:1", "crm:3"]


def test_a_landing_that_looked_before_the_erasure_looks_again(lake, storage):
    looks = []

    def rows_against(table):
        looks.append(table.version())
        if len(looks) == 1:
            lake.erase(EVE, fences={})
        return pa_rows(table), {}

    append(storage, ACTIVITIES, rows_against, stream="other", number=1)
    assert len(looks) == 2


def pa_rows(table):
    """One row like those there are, of another activity."""
    row = {"bucket": "inbox", "place": 0, "revision": 0, "content": 0, "source": "crm", "lead": "crm:1"}
    row |= {"activity_id": "late", "type": "x", "occurred_at": NOON.replace(tzinfo=None)}
    row |= {"known_at": NOON.replace(tzinfo=None), "landed_by": "other", "landing": 1}
    columns = pa.schema(
        [column for column in SCHEMAS[ACTIVITIES] if not column.name.endswith((FOLDED, WORDS))]
    )
    return activity_table(pa.Table.from_pylist([row], columns))


def test_a_reader_whose_files_are_gone_is_told_to_come_again(lake):
    def read() -> None:
        with lake.facts() as facts:
            lake.erase(EVE, fences={})
            facts.connection.sql("FROM activities").fetchall()

    with pytest.raises(RetryableError, match="run this again"):
        read()
