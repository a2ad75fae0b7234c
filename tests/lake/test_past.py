"""Time travel: the facts as they were known at any earlier moment, whatever has landed since."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from rescore.lake.lake import Lake
from rescore.lake.records import ActivityRecord, LeadRecord
from tests.lake.builders import NOON, a_lead, an_activity, land

HOUR = timedelta(hours=1)


def read(lake, leads=None, **when):
    """Both relations without columns that are null everywhere: to scoring those are not there."""
    with lake.facts(leads, **when) as facts:
        tables = [
            facts.connection.sql(f"FROM {relation}").to_arrow_table().to_pylist()
            for relation in (facts.activities, facts.leads)
        ]
    return [
        sorted(
            ({name: value for name, value in row.items() if value is not None} for row in rows),
            key=lambda row: (row["lead"], row.get("source"), row.get("activity_id")),
        )
        for rows in tables
    ]


def seen(lake):
    with lake.facts([]) as facts:
        return facts.seen


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path / "lake"), buckets=4)


def titles(lake, **when):
    return {row["lead"]: row.get("title") for row in read(lake, **when)[1]}


@pytest.mark.parametrize("folded", [False, True], ids=["in the inbox", "folded in"])
def test_an_attribute_is_what_it_was_then(lake, folded):
    land(lake, a_lead("1", title="Engineer"), number=1)
    land(lake, a_lead("1", title="CTO"), number=2, known_at=NOON + HOUR)
    if folded:
        lake.fold_in()
    assert titles(lake, known_as_of=NOON) == {"crm:1": "Engineer"}
    assert titles(lake, known_as_of=NOON + HOUR) == {"crm:1": "CTO"}


def test_an_activity_given_to_another_lead_was_the_first_ones_until_then(lake):
    land(lake, a_lead("1"), a_lead("2"), an_activity("a", "1"), number=1)
    lake.fold_in()
    land(lake, an_activity("a", "2"), number=2, known_at=NOON + HOUR)
    lake.fold_in()
    for leads, known_as_of, expected in [
        (["crm:1"], NOON, ["crm:1"]),
        (["crm:2"], NOON, []),
        (["crm:1"], NOON + HOUR, []),
        (["crm:2"], NOON + HOUR, ["crm:2"]),
    ]:
        activities, _ = read(lake, leads, known_as_of=known_as_of)
        assert [activity["lead"] for activity in activities] == expected


def test_merged_leads_were_two_before(lake):
    land(lake, a_lead("1"), a_lead("2"), an_activity("a", "2"), number=1)
    land(lake, a_lead("1", merged=["2"]), number=2, known_at=NOON + HOUR)
    assert [row["lead"] for row in read(lake, known_as_of=NOON)[1]] == ["crm:1", "crm:2"]
    assert [row["lead"] for row in read(lake, ["crm:1"], known_as_of=NOON + HOUR)[0]] == ["crm:1"]


def test_nothing_was_known_before_the_first_landing(lake):
    assert read(lake, known_as_of=NOON) == [[], []]
    land(lake, a_lead("1"), an_activity("a", "1"), number=1)
    assert read(lake, known_as_of=NOON - HOUR) == [[], []]


def test_a_reader_between_the_tables_of_a_landing_can_be_followed(lake):
    """Landings of the same moment differ in their numbers only."""
    land(lake, a_lead("1"), an_activity("a", "1"), number=1)
    earlier, before = seen(lake), read(lake)
    land(lake, an_activity("a", "1", asset="/new"), an_activity("b", "1"), number=2)
    lake.fold_in()
    assert read(lake, known_as_of=earlier) == before
    assert read(lake, known_as_of=seen(lake)) == read(lake)


def test_a_correction_that_calls_itself_older_than_what_it_corrects_still_comes_after_it(lake):
    land(lake, an_activity("a", "1", asset="/old"), number=1, known_at=NOON)
    land(lake, an_activity("a", "1", asset="/new"), number=2, known_at=NOON - HOUR)
    assert read(lake, known_as_of=NOON - HOUR)[0] == []
    assert [row["asset"] for row in read(lake, known_as_of=NOON)[0]] == ["/new"]


LEADS = st.sampled_from(["1", "2", "3", "4"])
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["title", "size"]), st.sampled_from(["CTO", "12", 12, True, ""]), max_size=2
)
LEAD = st.builds(LeadRecord, LEADS, ATTRIBUTES, st.lists(LEADS, max_size=1).map(tuple))
ACTIVITY = st.builds(
    ActivityRecord,
    st.sampled_from(["a", "b", "c", "d"]),
    LEADS,
    st.sampled_from(["page_view", "form_submit"]),
    st.integers(1, 3).map(lambda days: NOON - timedelta(days=days)),
    asset=st.sampled_from([None, "/a", "/b"]),
    fields=st.sampled_from([{}, {"form": "demo"}]),
)


@dataclass(frozen=True)
class Moment:
    """What the lake said when something had just landed."""

    known_at: datetime
    seen: dict[str, int]
    facts: list[list[dict[str, Any]]]
    of_some: list[list[dict[str, Any]]]


class AnyHistory(RuleBasedStateMachine):
    """Landings, corrections, merges and folds; every moment stays as it was."""

    folder = ""

    def __init__(self) -> None:
        super().__init__()
        AnyHistory.made += 1
        self.lake = Lake(f"{self.folder}/{AnyHistory.made}", buckets=3)
        self.now, self.number = NOON, 0
        self.moments: list[Moment] = []

    made = 0

    @rule(records=st.lists(LEAD | ACTIVITY, min_size=1, max_size=6), later=st.booleans())
    def land(self, records, later):
        self.now += later * HOUR
        self.number += 1
        land(self.lake, *records, number=self.number, known_at=self.now)
        facts, some = read(self.lake), read(self.lake, ["crm:1", "crm:3"])
        if self.moments and not later:
            self.moments[-1] = Moment(self.now, seen(self.lake), facts, some)
        else:
            self.moments.append(Moment(self.now, seen(self.lake), facts, some))

    @rule()
    def fold_in(self):
        self.lake.fold_in()

    @invariant()
    def every_moment_can_be_read_again(self):
        for moment in self.moments[-3:]:
            for known in (moment.known_at, moment.seen):
                assert read(self.lake, known_as_of=known) == moment.facts
                assert read(self.lake, ["crm:1", "crm:3"], known_as_of=known) == moment.of_some


def test_any_history_can_be_read_as_of_any_moment(tmp_path):
    AnyHistory.folder = str(tmp_path)
    run_state_machine_as_test(
        AnyHistory, settings=settings(max_examples=8, stateful_step_count=8, deadline=None, derandomize=True)
    )
