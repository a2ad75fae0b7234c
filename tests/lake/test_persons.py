"""Which records are one person: what they say of each other decides, and nobody guesses."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rescore.lake.persons import Record, places
from rescore.same_person import Matching

ORDER = Matching(("salesforce", "hubspot", "tryton"))


def a_record(*ids, at=(), since=1, deleted=False):
    return Record(frozenset(ids), frozenset(at), since, deleted)


def persons(records):
    """The groups of several, and the ambiguous ones."""
    found, rivals = places(records, ORDER)
    groups = {}
    for record, place in found.items():
        groups.setdefault(place.lead, set()).add(record)
    return sorted(map(sorted, (group for group in groups.values() if len(group) > 1))), sorted(rivals)


CASES = {
    "an id that one of them names": (
        {"hubspot:1": a_record("salesforce:A"), "salesforce:A": a_record()},
        [["hubspot:1", "salesforce:A"]],
        [],
    ),
    "an id of a record that nobody has read": ({"hubspot:1": a_record("salesforce:A")}, [], []),
    "the same address": (
        {"hubspot:1": a_record(at="a"), "salesforce:A": a_record(at="ab")},
        [["hubspot:1", "salesforce:A"]],
        [],
    ),
    "an address that two records of one source share": (
        {"hubspot:1": a_record(at="a"), "hubspot:2": a_record(at="a"), "salesforce:A": a_record(at="a")},
        [],
        ["hubspot:1", "hubspot:2", "salesforce:A"],
    ),
    "an address that only records of one source share": (
        {"hubspot:1": a_record(at="a"), "hubspot:2": a_record(at="a")},
        [],
        [],
    ),
    "an id counts before an address": (
        {
            "hubspot:1": a_record("salesforce:A", at="a"),
            "hubspot:2": a_record(at="a"),
            "salesforce:A": a_record(at="a"),
        },
        [["hubspot:1", "salesforce:A"]],
        ["hubspot:2"],
    ),
    "an id that two records claim": (
        {
            "hubspot:1": a_record("salesforce:A"),
            "hubspot:2": a_record("salesforce:A"),
            "salesforce:A": a_record(),
        },
        [],
        ["hubspot:1", "hubspot:2", "salesforce:A"],
    ),
    "an address against an id of a record that nobody has read": (
        {"hubspot:1": a_record("salesforce:B", at="a"), "salesforce:A": a_record(at="a")},
        [],
        ["hubspot:1", "salesforce:A"],
    ),
    "two ids of one source, one of them never read": (
        {"hubspot:1": a_record("salesforce:A", "salesforce:B"), "salesforce:B": a_record()},
        [["hubspot:1", "salesforce:B"]],
        [],
    ),
    "a circle that comes back to another record": (
        {
            "hubspot:1": a_record("salesforce:A"),
            "salesforce:A": a_record("tryton:7"),
            "tryton:7": a_record("hubspot:2"),
            "hubspot:2": a_record(),
        },
        [],
        ["hubspot:1", "hubspot:2", "salesforce:A", "tryton:7"],
    ),
    "a circle that closes": (
        {
            "hubspot:1": a_record("salesforce:A"),
            "salesforce:A": a_record("tryton:7"),
            "tryton:7": a_record("hubspot:1"),
        },
        [["hubspot:1", "salesforce:A", "tryton:7"]],
        [],
    ),
    "a deleted record is no rival": (
        {
            "hubspot:1": a_record(at="a"),
            "hubspot:2": a_record(at="a", deleted=True),
            "salesforce:A": a_record(at="a"),
        },
        [["hubspot:1", "salesforce:A"]],
        [],
    ),
    "a deleted record still belongs to its person": (
        {"hubspot:1": a_record(at="a", deleted=True), "salesforce:A": a_record(at="a")},
        [["hubspot:1", "salesforce:A"]],
        [],
    ),
}


@pytest.mark.parametrize(("records", "together", "ambiguous"), CASES.values(), ids=CASES.keys())
def test_records_are_one_person_when_it_is_clear(records, together, ambiguous):
    assert persons(records) == (together, ambiguous)


def test_the_record_that_was_known_first_is_the_lead_and_the_order_of_sources_says_whose_values_count():
    records = {"hubspot:1": a_record("salesforce:A", since=3), "salesforce:A": a_record(since=5)}
    found, _ = places(records, ORDER)
    assert {record: (place.lead, place.rank) for record, place in found.items()} == {
        "hubspot:1": ("hubspot:1", 1),
        "salesforce:A": ("hubspot:1", 0),
    }


def test_a_record_that_two_addresses_put_in_doubt_is_told_apart_from_all_it_shares_either_with():
    records = {
        "salesforce:0": a_record(at="ab"),
        "hubspot:0": a_record("salesforce:0", at="a"),
        "salesforce:1": a_record(at="a"),
        "salesforce:2": a_record(at="ab"),
    }
    everybody = frozenset(records)
    assert places(records, ORDER)[1] == {"salesforce:1": everybody, "salesforce:2": everybody}


KEYS = [f"{source}:{number}" for source in ORDER.sources for number in range(3)]
RECORDS = st.dictionaries(
    st.sampled_from(KEYS),
    st.builds(
        Record,
        st.frozensets(st.sampled_from(KEYS), max_size=2),
        st.frozensets(st.sampled_from("abc"), max_size=2),
        st.integers(1, 3),
        st.booleans(),
    ),
)


@given(RECORDS, st.randoms())
def test_whatever_they_say_a_person_has_one_record_of_each_source_and_no_order_of_arrival_matters(
    records: dict[str, Record], rnd: random.Random
):
    records = {
        key: Record(
            frozenset(each for each in one.ids if each.split(":")[0] != key.split(":")[0]),
            one.addresses,
            one.since,
            one.deleted,
        )
        for key, one in records.items()
    }
    found, rivals = places(records, ORDER)
    assert found.keys() == records.keys()
    shuffled = list(records.items())
    rnd.shuffle(shuffled)
    assert places(dict(shuffled), ORDER) == (found, rivals)
    for lead in {place.lead for place in found.values()}:
        members = [record for record, place in found.items() if place.lead == lead]
        assert lead in members
        assert len({record.split(":")[0] for record in members}) == len(members)
        assert len(members) == 1 or not rivals.keys() & set(members)
