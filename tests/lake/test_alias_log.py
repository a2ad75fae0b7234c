"""The log of aliases says of some leads what all of it says of them, and tells nobody else's story."""

import random

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from rescore.lake.aliases import MERGE, PERSON, AliasLog, follow
from rescore.lake.tables import ALIASES, SCHEMAS, Storage
from tests.lake.builders import NOON, naive

LEADS = [f"crm:{number}" for number in range(40)]


def an_entry(ordinal, lead, canonical, kind=MERGE, rank=0):
    told = {"lead": lead, "canonical": canonical, "kind": kind, "rank": rank, "state": "live"}
    return {"ordinal": ordinal, "known_at": naive(NOON), **told}


def log_of(folder, entries):
    storage = Storage(str(folder))
    table = storage.create(ALIASES, buckets=1)
    write_deltalake(table, pa.Table.from_pylist(entries, SCHEMAS[ALIASES]), mode="append")
    return AliasLog(storage.existing(ALIASES))


def any_entries(seed, count=30):
    """Merges, circles, persons joined, moved and parted again, and entries of which only a number is left."""
    chance = random.Random(seed)
    for ordinal in range(count):
        lead, other = chance.sample(LEADS, 2)
        match chance.choice(["merge", "merge", "join", "part", "erased"]):
            case "merge":
                yield an_entry(ordinal, lead, other)
            case "join":
                yield an_entry(ordinal, lead, other, PERSON, 1)
            case "part":
                yield an_entry(ordinal, lead, lead, PERSON)
            case "erased":
                yield an_entry(ordinal, "", "")


@pytest.mark.parametrize("seed", range(6))
def test_of_every_lead_it_says_the_same_as_the_whole_log(tmp_path, seed):
    log = log_of(tmp_path, list(any_entries(seed)))
    whole = follow(log.all())
    everybody, joined, lost = whole.all(), whole.joined(), whole.lost()
    for lead in LEADS:
        some = follow(log.about([lead]))
        left = whole.canonical(lead)
        assert (some.canonical(lead), some.record(lead)) == (left, whole.record(lead))
        assert {gone for gone, into in some.all().items() if into == left} == {
            gone for gone, into in everybody.items() if into == left
        }
        assert some.joined().items() <= joined.items()
        assert {r: p for r, p in some.joined().items() if p.lead == left} == {
            r: p for r, p in joined.items() if p.lead == left
        }
        assert some.lost().get(left) == lost.get(left)
    assert log.entries == 30


def test_only_entries_that_are_linked_with_the_leads_asked_for_are_read_out(tmp_path):
    entries = [
        an_entry(0, "crm:1", "crm:2"),
        an_entry(1, "crm:8", "crm:9"),
        an_entry(2, "", ""),
        an_entry(3, "crm:3", "crm:2", PERSON, 1),
    ]
    log = log_of(tmp_path, entries)
    assert [merge.ordinal for merge in log.about(["crm:1"])] == [0, 3]
    assert log.about(["crm:7", ""]) == []
    assert [merge.ordinal for merge in log.all()] == [0, 1, 2, 3]


def test_entries_that_are_met_again_do_not_undo_what_came_after_them(tmp_path):
    log = log_of(tmp_path, [an_entry(0, "crm:1", "crm:2"), an_entry(1, "crm:8", "crm:9")])
    aliases = follow(log.about(["crm:1"]))
    aliases.merge("crm:2", "crm:1")
    aliases.follow(log.about(["crm:2", "crm:8"]))
    assert aliases.all() == {"crm:2": "crm:1", "crm:8": "crm:9"}


def test_a_lake_without_a_log_has_no_entries():
    assert (AliasLog(None).entries, AliasLog(None).about(["crm:1"])) == (0, [])
