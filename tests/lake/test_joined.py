"""One person in several sources: what all records did is one lead's, and so is what is known of them."""

from datetime import timedelta

import pytest

from rescore.lake.lake import Lake
from rescore.lake.reading import connect, rows_in
from rescore.lake.records import LeadRecord
from rescore.lake.tables import CLAIMS, SCHEMAS, Storage, files
from rescore.same_person import Matching
from tests.lake.builders import NOON, a_lead, an_activity, facts_of, land

HOUR = timedelta(hours=1)
MATCHING = Matching(("salesforce", "hubspot"), frozenset({"salesforce", "hubspot"}), b"salt")


class Two:
    """A lake that two sources land in, each under numbers of its own."""

    def __init__(self, path):
        self.path = str(path)
        self.lake = Lake(self.path, buckets=4)
        self.numbers = {"hubspot": 0, "salesforce": 0}
        self.committed = True

    def land(self, source, *records, hours=0):
        before = self.numbers[source]
        self.numbers[source] += 1
        return land(
            self.lake,
            *records,
            number=before + 1,
            source=source,
            known_at=NOON + hours * HOUR,
            committed=before if self.committed else 0,
            matching=MATCHING,
        )

    def people(self, **when):
        with self.lake.facts(**when) as facts:
            rows = facts.connection.sql(f"FROM {facts.leads}").to_arrow_table().to_pylist()
        kept = ("title", "city", "rescore_deleted", "rescore_objection")
        return {row["lead"]: tuple(row.get(name) for name in kept) for row in rows}

    def owners(self):
        activities, _ = facts_of(self.lake)
        return {row["activity_id"]: row["lead"] for row in activities}


@pytest.fixture
def two(tmp_path):
    two = Two(tmp_path / "lake")
    two.land("hubspot", a_lead("1", title="CTO", city="Bonn"), an_activity("h", "1"))
    two.land("salesforce", a_lead("A", title="Chief"), an_activity("s", "A"), hours=1)
    return two


def link(two, *ids, **also):
    return two.land("hubspot", a_lead("1", same_as=ids, title="CTO", city="Bonn", **also), hours=2)


@pytest.mark.parametrize("folded", [False, True], ids=["in the inbox", "folded in"])
def test_records_that_are_one_person_share_activities_and_attributes_the_first_sources_first(two, folded):
    landed = link(two, "salesforce:A")
    if folded:
        two.lake.fold_in()
    assert two.people() == {"hubspot:1": ("Chief", "Bonn", None, None)}
    assert two.owners() == {"h": "hubspot:1", "s": "hubspot:1"}
    assert landed.counts["records joined"] == 1
    assert two.lake.canonical(["salesforce:A"]) == {"salesforce:A": "hubspot:1"}
    assert two.lake.family(["salesforce:A"]) == {"hubspot:1", "salesforce:A"}


def test_of_the_leads_asked_for_and_part_by_part_it_is_the_same(two):
    link(two, "salesforce:A")
    two.land("hubspot", *[a_lead(str(n), title="x") for n in range(50, 80)], an_activity("x", "60"))
    with two.lake.facts(["hubspot:1"], fields={"title", "city"}) as facts:
        assert facts.connection.sql(f"SELECT lead, title, city FROM {facts.leads}").fetchall() == [
            ("hubspot:1", "Chief", "Bonn")
        ]
        assert len(facts.connection.sql(f"FROM {facts.activities}").fetchall()) == 2
    with two.lake.facts(part=1) as facts:
        found = [
            facts.connection.sql(f"SELECT lead, title, city FROM {leads}").fetchall()
            for _, leads in facts.parts
        ]
    assert len(found) > 1
    rows = [row for part in found for row in part]
    assert len(rows) == 31
    assert ("hubspot:1", "Chief", "Bonn") in rows


def test_before_they_were_joined_they_were_two(two):
    with two.lake.facts([]) as facts:
        seen = facts.seen
    link(two, "salesforce:A")
    apart = {"hubspot:1": ("CTO", "Bonn", None, None), "salesforce:A": ("Chief", None, None, None)}
    assert two.people(known_as_of=seen) == apart
    assert two.people(known_as_of=NOON + HOUR) == apart


def test_a_withdrawn_id_parts_them_and_each_has_its_own_again(two):
    link(two, "salesforce:A")
    landed = link(two)
    assert landed.counts["records parted"] == 1
    assert two.people().keys() == {"hubspot:1", "salesforce:A"}
    assert two.owners() == {"h": "hubspot:1", "s": "salesforce:A"}
    assert {record: place.lead for record, place in landed.places.items()} == {
        "hubspot:1": "hubspot:1",
        "salesforce:A": "salesforce:A",
    }


def test_an_address_joins_and_is_kept_as_a_hash_only(two):
    two.land("hubspot", a_lead("1", addresses=["Ada@Example.com "], title="CTO"))
    two.land("salesforce", a_lead("A", addresses=["ada@example.com"], title="Chief"))
    assert two.people().keys() == {"hubspot:1"}
    with connect() as connection:
        uris = files(Storage(two.path).existing(CLAIMS))
        values = connection.execute(f"SELECT value FROM ({rows_in(SCHEMAS[CLAIMS], uris)})").fetchall()
    assert values
    assert not any("ada" in value or "@" in value for (value,) in values)


def test_an_ambiguous_address_joins_nobody_until_it_is_clear_and_is_set_aside(two):
    two.land("hubspot", a_lead("1", addresses=["a@x.org"]), a_lead("2", addresses=["a@x.org"]))
    landed = two.land("salesforce", a_lead("A", addresses=["a@x.org"]))
    assert landed.counts["set aside: ambiguous person"] == 3
    assert two.lake.set_aside() == {"ambiguous person": 3}
    assert two.people().keys() == {"hubspot:1", "hubspot:2", "salesforce:A"}
    landed = two.land("hubspot", a_lead("2", addresses=["b@x.org"]))
    assert landed.counts["records joined"] == 1
    assert {place.state for place in landed.places.values()} == {"live"}
    assert two.people().keys() == {"hubspot:1", "hubspot:2"}


def test_a_person_is_deleted_when_every_record_is_and_objects_when_one_does(two):
    link(two, "salesforce:A")
    two.land("hubspot", LeadRecord("1", {}, deleted=True))
    assert two.people() == {"hubspot:1": ("Chief", None, False, None)}
    two.land("salesforce", a_lead("A", title="Chief", rescore_objection=True))
    assert two.people() == {"hubspot:1": ("Chief", None, False, True)}
    two.land("salesforce", LeadRecord("A", {}, deleted=True))
    assert two.people() == {"hubspot:1": (None, None, True, None)}


def test_a_merge_in_one_source_takes_the_person_along(two):
    link(two, "salesforce:A")
    two.land("hubspot", a_lead("2", merged=["1"], same_as=["salesforce:A"], title="Boss"))
    assert two.people() == {"hubspot:2": ("Chief", None, None, None)}
    assert set(two.owners().values()) == {"hubspot:2"}
    assert two.lake.family(["salesforce:A"]) == {"hubspot:1", "hubspot:2", "salesforce:A"}


def test_a_landing_that_a_crash_cut_off_is_landed_again_and_tells_the_same_places(two):
    first = link(two, "salesforce:A")
    again = link(two, "salesforce:A")
    assert (again.places, again.entries) == (first.places, first.entries)
    assert "records joined" not in again.counts


def test_records_read_in_the_other_order_are_joined_by_whoever_comes_last(tmp_path):
    two = Two(tmp_path / "lake")
    two.land("hubspot", a_lead("1", same_as=["salesforce:A"], title="CTO"))
    assert two.people().keys() == {"hubspot:1"}
    two.land("salesforce", a_lead("A", title="Chief"))
    assert two.people() == {"hubspot:1": ("Chief", None, None, None)}
