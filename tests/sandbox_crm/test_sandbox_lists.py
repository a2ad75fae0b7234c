"""Lists that are paged by token: page views, e-mail events, form submissions."""

from datetime import datetime

import pytest

from sandbox_crm.store import milliseconds
from tests.sandbox_crm.client import EMAIL, EVENTS, SUBMISSIONS, Crm


@pytest.mark.parametrize("sort", ["occurredAt", "-occurredAt"])
def test_page_views_are_paged_without_gaps_or_repeats(reading: Crm, sort):
    views = list(reading.paged(EVENTS, limit=97, sort=sort))
    assert (
        len({view["id"] for view in views}) == len(views) == reading.status()["rows"]["page_views"]["visible"]
    )
    times = [view["occurredAt"] for view in views]
    assert times == sorted(times, reverse=sort.startswith("-"))


def test_a_span_of_page_views_includes_its_start_and_not_its_end(reading: Crm):
    times = sorted(view["occurredAt"] for view in reading.paged(EVENTS, limit=1000))
    since, until = times[10], times[50]
    found = reading.paged(EVENTS, occurredAfter=since, occurredBefore=until, sort="occurredAt", limit=1000)
    assert [view["occurredAt"] for view in found] == [time for time in times if since <= time < until]


def test_page_views_can_be_asked_for_one_contact(reading: Crm):
    one = next(reading.paged(EVENTS))["objectId"]
    assert {view["objectId"] for view in reading.paged(EVENTS, objectId=one)} == {one}


def test_page_views_that_appear_meanwhile_do_not_shift_the_next_page(crm: Crm):
    first = crm.get(EVENTS, limit=50).json()
    expected = list(crm.paged(EVENTS, limit=1000))[50:60]
    crm.post("/sandbox/release")
    second = crm.get(EVENTS, limit=10, after=first["paging"]["next"]["after"]).json()
    assert second["results"] == expected


def test_e_mail_events_are_paged_newest_first_without_gaps_or_repeats(reading: Crm):
    events = list(reading.emails(limit=31))
    assert (
        len({event["id"] for event in events})
        == len(events)
        == reading.status()["rows"]["email_events"]["visible"]
    )
    times = [event["created"] for event in events]
    assert times == sorted(times, reverse=True)


def test_e_mail_events_can_be_asked_for_by_time_and_type(reading: Crm):
    events = list(reading.emails(limit=1000))
    since, until = events[60]["created"], events[20]["created"]
    found = list(reading.emails(limit=1000, startTimestamp=since, endTimestamp=until, eventType="CLICK"))
    assert found == [e for e in events if since <= e["created"] <= until and e["type"] == "CLICK"]
    assert all(event["url"].startswith("https://") for event in found)


def test_form_submissions_are_paged_newest_first_and_fifty_at_most(reading: Crm):
    guid = reading.forms()["Webinar registration"]
    submissions = list(reading.paged(f"{SUBMISSIONS}/{guid}", limit=50))
    assert len(submissions) > 50
    assert len({submission["conversionId"] for submission in submissions}) == len(submissions)
    times = [submission["submittedAt"] for submission in submissions]
    assert times == sorted(times, reverse=True)
    assert reading.get(f"{SUBMISSIONS}/{guid}", limit=51).status_code == 400


def test_an_unknown_form_is_404(reading: Crm):
    assert reading.get(f"{SUBMISSIONS}/not-a-form").status_code == 404


@pytest.mark.parametrize(
    ("path", "params"),
    [
        pytest.param(EVENTS, {"limit": 1001}, id="too many page views"),
        pytest.param(EVENTS, {"after": "nonsense"}, id="a token of somebody else"),
        pytest.param(EVENTS, {"after": "WzEsMiwzXQ"}, id="a token with too much in it"),
        pytest.param(EVENTS, {"objectId": "9" * 40}, id="a number out of range"),
        pytest.param(EVENTS, {"sort": "hs_url"}, id="an unknown sort"),
        pytest.param(EVENTS, {"occurredAfter": "yesterday"}, id="not a date"),
        pytest.param(EVENTS, {"objectType": "company"}, id="another object type"),
        pytest.param(EMAIL, {"limit": 1001}, id="too many e-mail events"),
        pytest.param(EMAIL, {"startTimestamp": "2026-11-01"}, id="not milliseconds"),
    ],
)
def test_a_list_the_vendor_would_refuse_is_a_400(reading: Crm, path, params):
    answer = reading.get(path, **params)
    assert answer.status_code == 400
    assert answer.json()["category"] == "VALIDATION_ERROR"


def test_a_reader_that_continues_from_the_newest_fact_seen_finds_what_is_released(crm: Crm):
    seen = list(crm.paged(EVENTS, limit=1000))
    crm.post("/sandbox/release")
    newest = seen[0]["occurredAt"]
    fresh = [
        v
        for v in crm.paged(EVENTS, occurredAfter=newest, limit=1000)
        if v["id"] not in {s["id"] for s in seen}
    ]
    assert len(fresh) + len(seen) == crm.status()["rows"]["page_views"]["visible"]
    assert min(milliseconds(datetime.fromisoformat(view["occurredAt"])) for view in fresh) > 0
