"""Things that several leads may have: a merge makes no second activity of one that is known."""

from dataclasses import replace

import pytest

from rescore.lake.lake import Lake
from tests.lake.builders import a_lead, an_activity, brief, land


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path), buckets=2)


def a_call(lead_id, thing="calls:5", **given):
    return replace(an_activity(f"{thing}:{lead_id}", lead_id, type="call", **given), shared=thing)


def calls(lake):
    return [name for (name,) in brief(lake, "activity_id")]


def told(landed):
    return {name: landed.counts.get(name, 0) for name in ("activities", "corrected", "duplicate")}


def test_a_call_of_a_lost_record_is_the_same_call_when_the_one_that_is_left_has_it(lake):
    land(lake, a_lead("7"), a_lead("8"), a_call("7"), number=1)
    land(lake, a_lead("8", merged=["7"]), number=2)
    landed = land(lake, a_call("8"), number=3, committed=2)
    assert told(landed) == {"activities": 0, "corrected": 1, "duplicate": 0}
    assert calls(lake) == ["calls:5:7"]
    again = land(lake, a_call("8"), number=4, committed=3)
    assert told(again) == {"activities": 0, "corrected": 0, "duplicate": 1}


def test_a_merge_and_its_call_on_one_page_are_no_different_on_the_next(lake):
    land(lake, a_lead("7"), a_call("7"), number=1)
    land(lake, a_lead("8", merged=["7"]), number=2)
    land(lake, a_lead("9", merged=["8", "7"]), number=3)
    land(lake, a_call("9"), a_call("9", "calls:6"), number=4)
    assert calls(lake) == ["calls:5:7", "calls:6:9"]


def test_a_call_that_both_had_keeps_both_names(lake):
    land(lake, a_lead("7"), a_lead("8"), a_call("7"), a_call("8"), number=1)
    land(lake, a_lead("8", merged=["7"]), number=2)
    landed = land(lake, a_call("8"), number=3, committed=2)
    assert told(landed) == {"activities": 0, "corrected": 0, "duplicate": 1}


def test_somebody_elses_part_in_the_call_is_their_own(lake):
    land(lake, a_lead("7"), a_lead("8"), a_lead("9"), a_call("7"), number=1)
    land(lake, a_lead("8", merged=["7"]), number=2)
    land(lake, a_call("9"), number=3)
    assert calls(lake) == ["calls:5:7", "calls:5:9"]
