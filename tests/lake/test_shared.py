"""Things that several leads may have: a merge makes no second activity of one that is known."""

from dataclasses import replace

import pytest

from rescore.lake.lake import Lake
from rescore.lake.shared import TOLD_TWICE
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


def counting(lake):
    return [name for name, kind in brief(lake, "activity_id", "type") if kind != TOLD_TWICE]


@pytest.mark.parametrize("merged", ["together", "after"])
def test_a_call_that_both_had_counts_once_however_often_it_is_told(lake, merged):
    """Both took part, or the call was read behind a merge that the leads were read before."""
    land(lake, a_lead("7"), a_lead("8"), a_call("7"), number=1)
    land(lake, a_call("8"), number=2)
    assert counting(lake) == ["calls:5:7", "calls:5:8"]
    land(lake, a_lead("8", merged=["7"]), *([a_call("8")] if merged == "together" else []), number=3)
    if merged == "after":
        assert counting(lake) == ["calls:5:7"]
    for number in (4, 5, 6):
        land(lake, a_lead("8", merged=["7"]), a_call("8"), number=number)
        assert counting(lake) == ["calls:5:7"]
    land(lake, a_lead("1", merged=["8", "7"]), number=7)
    land(lake, a_call("1"), number=8)
    assert counting(lake) == ["calls:5:7"]


def test_different_calls_of_two_that_are_merged_both_count(lake):
    land(lake, a_lead("7"), a_lead("8"), a_call("7"), a_call("8", "calls:6"), number=1)
    land(lake, an_activity("page_views:1", "7"), an_activity("page_views:2", "8"), number=2)
    land(lake, a_lead("9", merged=["7", "8"]), number=3)
    assert counting(lake) == ["calls:5:7", "calls:6:8", "page_views:1", "page_views:2"]


def test_somebody_elses_part_in_the_call_is_their_own(lake):
    land(lake, a_lead("7"), a_lead("8"), a_lead("9"), a_call("7"), number=1)
    land(lake, a_lead("8", merged=["7"]), number=2)
    land(lake, a_call("9"), number=3)
    assert calls(lake) == ["calls:5:7", "calls:5:9"]
