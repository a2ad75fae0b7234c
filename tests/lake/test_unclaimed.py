"""Activities known by an address only: they wait, come with their lead, and are never counted twice."""

from datetime import timedelta

import pytest

from rescore.lake.lake import Lake
from rescore.lake.records import LeadRecord, Page, Unclaimed
from tests.lake.builders import NOON, an_activity, brief


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path / "lake"), buckets=3)


def ann(lead_id="1", *addresses, **attributes):
    return LeadRecord(lead_id, attributes, addresses=addresses or ("ann@x.example",))


def waits(activity_id, address="ann@x.example", **given):
    return Unclaimed(address, an_activity(activity_id, "", **given))


def land(lake, *records, number, stream="everything", source="crm", known_at=NOON, committed=0):
    page = Page(
        leads=[r for r in records if isinstance(r, LeadRecord)],
        activities=[r for r in records if not isinstance(r, LeadRecord | Unclaimed)],
        unclaimed=[r for r in records if isinstance(r, Unclaimed)],
    )
    return lake.land(source, page, stream=stream, number=number, known_at=known_at, committed=committed)


def test_they_wait_and_come_with_the_lead_that_has_their_address(lake):
    first = land(
        lake, waits("a", at=NOON - timedelta(days=3)), waits("b"), waits("c", "bob@x.example"), number=1
    )
    assert (first.leads, first.counts) == ({}, {"unclaimed": 3})
    assert brief(lake, "activity_id") == []

    second = land(lake, ann(), number=2, known_at=NOON + timedelta(hours=1))

    assert brief(lake, "lead", "activity_id") == [("crm:1", "a"), ("crm:1", "b")]
    assert second.leads == {"crm:1": NOON - timedelta(days=1)}, "marked until its latest activity"
    assert second.counts == {"claimed": 2, "leads": 1}


def test_nothing_of_an_activity_is_lost_while_it_waits(lake):
    given = {
        "asset": "/Preise",
        "channel": "web",
        "value": 0.1,
        "fields": {"query": "Ä 'b\""},
        "type": "form",
    }
    land(lake, waits("a", **given), number=1)
    land(lake, ann(), number=2)
    land(lake, an_activity("b", "1", **given), number=3)
    columns = ("type", "occurred_at", "asset", "channel", "value", "query", "query__words")
    a, b = brief(lake, "activity_id", *columns)
    assert a[1:] == b[1:]


@pytest.mark.parametrize("address", ["ann@x.example", " Ann@X.Example "])
@pytest.mark.parametrize("known_as", [("ANN@x.example",), ("new@x.example", "ann@x.example")])
def test_addresses_are_compared_without_case_and_a_lead_may_have_several(lake, address, known_as):
    land(lake, waits("a", address), number=1)
    assert land(lake, ann("1", *known_as), number=2).counts["claimed"] == 1


def test_the_same_activity_waits_once_and_counts_once(lake):
    land(lake, waits("a"), number=1)
    assert land(lake, waits("a"), waits("a"), number=2).counts == {}
    assert lake.waiting() == 1
    land(lake, ann(), number=3)
    # the source shows it again, once by its lead and once by its address alone
    assert land(lake, an_activity("a", "1"), number=4).counts["duplicate"] == 1
    assert land(lake, waits("a"), number=5).counts == {}
    assert brief(lake, "activity_id") == [("a",)]


def test_what_the_source_says_last_of_a_waiting_activity_counts(lake):
    hour = timedelta(hours=1)
    land(lake, waits("a", asset="/old"), waits("b"), number=1)
    corrected = [waits("a", asset="/new"), waits("b", "bob@x.example")]
    assert land(lake, *corrected, number=2, known_at=NOON + hour).counts == {"unclaimed": 2}
    assert lake.waiting() == 2
    assert land(lake, ann(), number=3, known_at=NOON + 2 * hour).counts == {"claimed": 1, "leads": 1}
    assert brief(lake, "activity_id", "asset") == [("a", "/new")]


def test_what_was_claimed_is_let_go_of_and_the_rest_goes_on_waiting(lake):
    land(lake, waits("it's"), waits("b", "bob@x.example"), number=1)
    land(lake, waits("it's"), number=1, source="other")
    landed = land(lake, ann(), number=2)
    assert (landed.claimed, lake.drop_claimed("crm")) == (1, 1)
    assert lake.waiting() == 2, "bob's, and that of the other source"
    assert land(lake, ann(), number=3).counts == {"leads unchanged": 1}
    assert lake.drop_claimed("crm") == 0


def test_a_landing_that_was_never_committed_is_repeated_and_marks_the_lead_again(lake):
    land(lake, ann("1", "old@x.example", title="CTO"), number=1, stream="contacts")
    land(lake, waits("a"), number=1, stream="events")
    page = [ann("1", "ann@x.example", title="CTO")]  # only the address is new, and that is no attribute
    land(lake, *page, number=2, stream="contacts", committed=1)  # and then the process was killed

    again = land(lake, *page, number=3, stream="contacts", committed=1)

    assert again.leads == {"crm:1": NOON - timedelta(days=1)}
    assert (again.claimed, again.counts) == (1, {"duplicate": 1, "leads unchanged": 1})


def test_addresses_of_another_source_claim_nothing(lake):
    land(lake, waits("a"), number=1)
    assert land(lake, ann(), number=1, source="other").counts == {"leads": 1}


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        pytest.param(waits("a", at=NOON + timedelta(hours=1)), "in the future", id="in the future"),
        pytest.param(waits("a", asset="x\0"), "NUL byte", id="NUL"),
        pytest.param(waits("a", " "), "empty id", id="no address"),
        pytest.param(waits(""), "empty id", id="no id"),
    ],
)
def test_what_could_never_be_a_fact_does_not_wait(lake, one, reason):
    assert land(lake, one, number=1).counts == {f"set aside: {reason}": 1}
    assert lake.waiting() == 0
