"""Landing: what a source said is in the lake once, whatever happens on the way."""

import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import count

import pytest

from rescore.errors import Fenced, MappingInvalid
from rescore.lake.lake import Lake
from rescore.lake.landing import Landing
from rescore.lake.records import Page, SetAside
from rescore.lake.tables import Storage
from tests.lake.builders import NOON, a_lead, an_activity, brief, facts_of, land, naive


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path / "lake"), buckets=3)


def test_an_empty_lake_gives_empty_relations_with_their_fixed_columns(lake):
    with lake.facts() as facts:
        activities = facts.connection.sql("FROM activities")
        assert set(activities.columns) >= {
            "source", "activity_id", "lead", "type", "occurred_at", "known_at", "asset", "channel", "value"
        }  # fmt: skip
        assert activities.fetchall() == []
        assert facts.connection.sql("FROM leads").columns == ["lead"]
    assert lake.canonical(["crm:1"]) == {}
    assert lake.activity_types() == lake.activity_fields() == lake.lead_attributes() == lake.set_aside() == {}
    assert not lake.fold_in()


def test_what_lands_is_read_back_with_its_types_and_text_forms(lake):
    born, seen = date(1990, 5, 1), datetime(2026, 10, 1, 9, tzinfo=timezone(timedelta(hours=2)))
    land(
        lake,
        a_lead("1", title="VP  Sales", size=250, opted_out=False, born=born, seen=seen, empty="", none=None),
        an_activity("a1", "1", asset="/Pricing", channel="web", value=2.5, fields={"query": "Ä b"}),
        number=1,
    )
    [activity], [lead] = facts_of(lake)
    assert activity == {
        "source": "crm", "activity_id": "a1", "lead": "crm:1", "type": "page_view",
        "occurred_at": naive(NOON - timedelta(days=1)), "value": 2.5,
        "asset": "/Pricing", "asset__folded": "/pricing", "asset__words": " pricing ",
        "channel": "web", "channel__folded": "web", "channel__words": " web ",
        "query": "Ä b", "query__folded": "ä b", "query__words": " ä b ",
    }  # fmt: skip
    assert lead == {
        "lead": "crm:1", "title": "VP  Sales", "title__folded": "vp  sales", "title__words": " vp sales ",
        "size": 250.0, "opted_out": False, "born": born, "seen": naive(seen.astimezone(UTC)),
    }  # fmt: skip


def test_the_same_page_again_adds_nothing_and_still_names_all_its_leads(lake):
    page = [a_lead("1", title="CTO"), an_activity("a1", "1"), an_activity("a2", "2")]
    first = land(lake, *page, number=1)
    before = facts_of(lake)
    again = land(lake, *page, number=2, known_at=NOON + timedelta(hours=1))
    assert facts_of(lake) == before
    assert (
        again.leads == first.leads == {"crm:1": NOON - timedelta(days=1), "crm:2": NOON - timedelta(days=1)}
    )
    assert first.counts == {"activities": 2, "leads": 1, "unknown lead": 1}
    assert again.counts == {"duplicate": 2, "leads unchanged": 1, "unknown lead": 1}


def test_a_lead_with_attributes_alone_has_no_latest_activity(lake):
    assert land(lake, a_lead("1"), number=1).leads == {"crm:1": None}


@pytest.mark.parametrize("fold", [False, True], ids=["in the inbox", "folded in"])
def test_a_correction_replaces_the_activity_even_back_to_what_it_was(lake, fold):
    for number, asset in enumerate(["/a", "/b", "/a"], start=1):
        landed = land(lake, an_activity("a1", asset=asset), number=number)
        if fold:
            lake.fold_in()
        assert brief(lake, "activity_id", "asset") == [("a1", asset)]
        assert brief(lake, "asset", leads=["crm:1"]) == [(asset,)]
    assert landed.counts == {"corrected": 1, "unknown lead": 1}


@pytest.mark.parametrize("fold", [False, True], ids=["in the inbox", "folded in"])
def test_an_activity_given_to_another_lead_names_both_even_when_landed_again(lake, fold):
    land(lake, an_activity("a1", "1"), number=1)
    for number in (2, 3):
        if fold:
            lake.fold_in()
        assert set(land(lake, an_activity("a1", "2"), number=number).leads) == {"crm:1", "crm:2"}
    assert brief(lake, "activity_id", "lead") == [("a1", "crm:2")]
    assert brief(lake, "lead", leads=["crm:1"]) == []


def test_within_a_page_the_last_word_counts(lake):
    landed = land(
        lake,
        an_activity("a1", asset="/old"),
        an_activity("a1", asset="/new"),
        an_activity("a1", asset="/new"),
        a_lead("1", title="clerk"),
        a_lead("1", title="chief"),
        number=1,
    )
    activities, leads = facts_of(lake)
    assert [row["asset"] for row in activities] == ["/new"]
    assert [row["title"] for row in leads] == ["chief"]
    assert landed.counts == {"activities": 1, "leads": 1, "corrected": 1, "duplicate": 2}


def test_the_same_id_from_two_sources_is_two_activities_and_two_leads(lake):
    land(lake, a_lead("1"), an_activity("a1"), number=1)
    land(lake, a_lead("1"), an_activity("a1"), number=1, source="shop")
    assert brief(lake, "lead", "activity_id") == [("crm:1", "a1"), ("shop:1", "a1")]


def test_an_attribute_that_a_source_cleared_is_missing(lake):
    land(lake, a_lead("1", title="CTO", city="Ulm"), number=1)
    assert land(lake, a_lead("1", title="", city="Ulm"), number=2).counts == {"leads": 1}
    assert facts_of(lake)[1][0]["title"] is None


def test_an_attribute_whose_type_changed_is_read_as_text(lake):
    land(lake, a_lead("1", size=50), a_lead("2", size=1.5), a_lead("3"), number=1)
    land(lake, a_lead("4", size="Fifty People"), number=2)
    rows = facts_of(lake)[1]
    assert [row["size"] for row in rows] == ["50", "1.5", None, "Fifty People"]
    assert [row["size__folded"] for row in rows] == ["50", "1.5", None, "fifty people"]
    assert [row["size__words"] for row in rows] == [" 50 ", " 1.5 ", None, " fifty people "]


def test_a_new_field_is_missing_where_it_was_not_known_yet(lake):
    land(lake, an_activity("a1"), number=1)
    lake.fold_in()
    land(lake, an_activity("a2", fields={"page": "x"}), number=2)
    assert brief(lake, "activity_id", "page", "page__words") == [("a1", None, None), ("a2", "x", " x ")]
    assert lake.activity_fields() == {"asset": 0, "channel": 0, "value": 0, "page": 1}


@pytest.mark.parametrize("name", ["lead", "Type", "asset__folded", "a b", ""])
def test_a_field_that_cannot_be_a_column_is_a_mistake_in_the_mapping(lake, name):
    with pytest.raises(MappingInvalid, match="mapping"):
        land(lake, an_activity("a1", fields={name: "x"}), number=1)


BAD_ACTIVITIES = {
    "in the future": an_activity(at=NOON + timedelta(minutes=5, seconds=1)),
    "NUL byte": an_activity(asset="a\0b"),
    "empty id": an_activity(""),
    "no type": an_activity(type=""),
    "text too long": an_activity(fields={"body": "x" * 10_001}),
    "broken text": an_activity(asset="\ud800"),
    "impossible number": an_activity(value=float("nan")),
    "unreadable time": an_activity(at=datetime(2026, 1, 1)),  # noqa: DTZ001 - that is the point
    "unreadable value": an_activity(asset=7),
}
BAD_LEADS = {
    "empty id": a_lead(""),
    "NUL byte": a_lead("1", title="a\0"),
    "impossible number": a_lead("1", size=10**400),
    "unreadable time": a_lead("1", seen=datetime.max.replace(tzinfo=timezone(-timedelta(hours=1)))),
    "unreadable value": a_lead("1", tags=["a"]),
    "text too long": a_lead("1", bio="x" * 10_001),
}


BAD = [
    *(pytest.param(reason, bad, id=f"activity: {reason}") for reason, bad in BAD_ACTIVITIES.items()),
    *(pytest.param(reason, bad, id=f"lead: {reason}") for reason, bad in BAD_LEADS.items()),
]


@pytest.mark.parametrize(("reason", "bad"), BAD)
def test_a_bad_record_is_set_aside_with_its_reason_and_the_good_ones_go_on(lake, reason, bad):
    good = [an_activity("good", "2"), a_lead("2")]
    for number in (1, 2):
        landed = land(lake, bad, *good, number=number)
        assert landed.counts[f"set aside: {reason}"] == 1
        assert set(landed.leads) == {"crm:2"}
    assert lake.set_aside() == {reason: 1}
    assert brief(lake, "activity_id") == [("good",)]


def test_what_the_source_set_aside_is_kept_and_counted_too(lake):
    given = SetAside("lead", "x\0", "no e-mail", "raw\ud800")
    assert land(lake, given, number=1).counts == {"set aside: no e-mail": 1}
    assert lake.set_aside() == {"no e-mail": 1}


def test_a_clock_that_is_a_little_ahead_is_taken_back_to_when_we_knew(lake):
    ahead = an_activity(at=NOON + timedelta(minutes=5))
    landed = land(lake, ahead, number=1)
    assert brief(lake, "occurred_at") == [(naive(NOON),)]
    assert landed.leads == {"crm:1": NOON}
    assert land(lake, ahead, number=2, known_at=NOON + timedelta(hours=1)).counts["duplicate"] == 1


def test_activities_of_an_unknown_lead_wait_in_the_lake_until_it_appears(lake):
    assert land(lake, an_activity("a1", "7"), number=1).counts["unknown lead"] == 1
    assert facts_of(lake)[1] == []
    assert land(lake, a_lead("7", title="CTO"), number=2).counts == {"leads": 1}
    activities, leads = facts_of(lake, ["crm:7"])
    assert (activities[0]["lead"], leads[0]["lead"]) == ("crm:7", "crm:7")


def test_a_merged_lead_lives_on_in_the_one_that_is_left(lake):
    land(
        lake, a_lead("1"), a_lead("2"), a_lead("3"), an_activity("a1", "1"), an_activity("a2", "2"), number=1
    )
    land(lake, a_lead("2", merged=["1"]), number=2)
    landed = land(lake, a_lead("3", merged=["2"]), an_activity("a3", "1"), number=3)
    assert set(landed.leads) == {"crm:3"}
    assert lake.canonical(["crm:1", "crm:2", "crm:3"]) == {"crm:1": "crm:3", "crm:2": "crm:3"}
    for asked in (None, ["crm:3"]):
        activities, leads = facts_of(lake, asked)
        assert [row["lead"] for row in activities] == ["crm:3"] * 3
        assert [row["lead"] for row in leads] == ["crm:3"]


def test_a_merge_that_closes_a_circle_follows_what_was_said_last(lake):
    land(lake, a_lead("2", merged=["1"]), number=1)
    land(lake, a_lead("1", merged=["2"]), number=2)
    assert lake.canonical(["crm:1", "crm:2"]) == {"crm:2": "crm:1"}


@pytest.mark.parametrize("number", [4, 5])
def test_a_landing_that_is_not_newer_than_the_last_is_refused_and_writes_nothing(lake, number):
    land(lake, an_activity("a1"), number=5)
    with pytest.raises(Fenced, match="landing 5"):
        land(lake, an_activity("a2"), a_lead("9"), number=number)
    assert brief(lake, "activity_id") == [("a1",)]
    assert facts_of(lake)[1] == []
    land(lake, an_activity("a3"), number=1, stream="another")


class Stops(Exception):
    pass


class StorageThatStops(Storage):
    """A store that is gone after some looks at its tables, as for a process that dies there."""

    def __init__(self, root, looks):
        super().__init__(root)
        object.__setattr__(self, "_left", iter(range(looks)))

    def open(self, name):
        if next(self._left, None) is None:
            raise Stops
        return super().open(name)


def test_a_crash_anywhere_and_the_same_page_under_the_next_number_gives_the_same_facts(tmp_path):
    page = Page(
        [a_lead("1", title="chief", merged=["2"]), a_lead("3")],
        [an_activity("a1", "3", asset="/new"), an_activity("a3", "1", type="click")],
        [SetAside("lead", "x", "odd", "")],
    )
    before = Lake(str(tmp_path / "before"), buckets=3)
    land(before, a_lead("1", title="clerk"), a_lead("2"), number=1)
    land(before, an_activity("a1", "1", asset="/old"), an_activity("a2", "2"), number=2)

    def land_page(root, number, storage=None):
        storage = storage or Storage(str(root))
        return Landing(
            storage, "crm", page, stream="everything", number=number, committed={}, known_at=NOON
        ).land(buckets=3)

    undisturbed = shutil.copytree(tmp_path / "before", tmp_path / "undisturbed")
    whole, facts = land_page(undisturbed, 3), facts_of(Lake(str(undisturbed)))
    for looks in count():
        root = shutil.copytree(tmp_path / "before", tmp_path / str(looks))
        try:
            land_page(root, 3, StorageThatStops(str(root), looks))
        except Stops:
            assert land_page(root, 4).leads == whole.leads, looks
            assert facts_of(Lake(str(root))) == facts, looks
        else:
            break
    assert looks > 10


LANDER = """
import sys
from datetime import UTC, datetime
from rescore.errors import Fenced
from rescore.lake.lake import Lake
from rescore.lake.records import ActivityRecord, LeadRecord, Page
root, stream, number, name = sys.argv[1:]
now = datetime(2026, 1, 1, tzinfo=UTC)
page = Page([LeadRecord("1", {name: "x"})], [ActivityRecord(name, "1", "t", now)])
print("ready", flush=True)
sys.stdin.readline()
try:
    Lake(root, buckets=2).land("crm", page, stream=stream, number=int(number), known_at=now)
    print("landed")
except Fenced:
    print("fenced")
"""


def together(root, *landings):
    command = [sys.executable, "-c", LANDER, str(root)]
    processes = [
        subprocess.Popen([*command, *landing], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for landing in landings
    ]
    assert [process.stdout.readline() for process in processes] == ["ready\n"] * len(landings)
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    return sorted(process.communicate()[0].strip() for process in processes)


def test_of_two_processes_with_the_same_landing_one_is_refused(tmp_path):
    assert together(tmp_path / "lake", ("s", "1", "a"), ("s", "1", "b")) == ["fenced", "landed"]
    assert len(brief(Lake(str(tmp_path / "lake")), "activity_id")) <= 1


def test_two_streams_may_land_the_same_new_lead_at_once(tmp_path):
    assert together(tmp_path / "lake", ("s", "1", "a"), ("t", "1", "b")) == ["landed", "landed"]
    lake = Lake(str(tmp_path / "lake"))
    activities, leads = facts_of(lake)
    assert [row["activity_id"] for row in activities] == ["a", "b"]
    assert len(leads) == 1
