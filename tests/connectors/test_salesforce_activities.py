"""What people did, as Salesforce keeps it: tasks, events, campaign members, roles in opportunities."""

from datetime import UTC, datetime, timedelta

import pytest

from rescore.connectors.salesforce import Salesforce
from rescore.connectors.still_to_come import MOST
from sandbox_salesforce.testing import SalesforceServer
from tests.connectors.salesforce_rig import salesforce

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
DONE = "2026-11-20T09:30:00.000+0000"


@pytest.fixture
def lead(empty: SalesforceServer) -> str:
    empty.organisation.clock = lambda: NOW - timedelta(days=3)
    return empty.organisation.records.insert("Lead", "")


def read(crm: Salesforce, stream: str, cursor=None, until=NOW):
    pages = list(crm.pages(stream, cursor, until=until))
    found = [one for page in pages for one in page.activities]
    return found, [one.reason for page in pages for one in page.set_aside], pages[-1].cursor


def test_a_call_says_when_by_which_way_and_about_what(empty: SalesforceServer, lead: str):
    task = empty.organisation.records.insert(
        "Task",
        "",
        WhoId=lead,
        Subject="Intro",
        TaskSubtype="Call",
        IsClosed=True,
        CompletedDateTime=DONE,
        CallDurationInSeconds=90.0,
        CallType="Outbound",
    )
    [call], _, _ = read(salesforce(empty), "tasks")
    assert (call.activity_id, call.lead_id, call.type) == (f"tasks:{task}", lead, "call")
    assert call.occurred_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    assert (call.asset, call.value, call.fields) == ("Intro", 90.0, {"direction": "Outbound"})


def test_a_task_that_is_open_is_nothing_yet_and_an_archived_one_still_counts(
    empty: SalesforceServer, lead: str
):
    insert = empty.organisation.records.insert
    insert("Task", "", WhoId=lead, Subject="open")
    insert("Task", "", WhoId=lead, Subject="old", IsClosed=True, IsArchived=True)
    gone = insert("Task", "", WhoId=lead, Subject="gone", IsClosed=True)
    empty.organisation.records.delete("Task", gone)
    found, _, _ = read(salesforce(empty), "tasks")
    assert [one.asset for one in found] == ["old"]


@pytest.mark.parametrize(
    ("day", "moment"),
    [
        pytest.param("2026-07-01", datetime(2026, 7, 1, 10, tzinfo=UTC), id="summer"),
        pytest.param("2026-11-02", datetime(2026, 11, 2, 11, tzinfo=UTC), id="winter"),
    ],
)
def test_a_day_without_time_is_noon_in_the_organisations_zone(
    empty: SalesforceServer, lead: str, day, moment
):
    insert = empty.organisation.records.insert
    campaign = insert("Campaign", "", Name="Webinar", Type="Online")
    insert("CampaignMember", "", CampaignId=campaign, LeadId=lead, HasResponded=True, FirstRespondedDate=day)
    [found], _, _ = read(salesforce(empty), "campaign_responses")
    assert (found.occurred_at, found.type, found.asset) == (moment, "campaign_response", "Webinar")
    assert found.fields["kind"] == "Online"


def test_a_member_who_has_not_responded_did_nothing(empty: SalesforceServer, lead: str):
    empty.organisation.records.insert("CampaignMember", "", LeadId=lead, Status="Sent")
    assert read(salesforce(empty), "campaign_responses")[0] == []


def test_a_meeting_to_come_waits_and_counts_when_it_has_begun(empty: SalesforceServer, lead: str):
    insert = empty.organisation.records.insert
    insert("Event", "", WhoId=lead, Subject="Demo", StartDateTime="2026-11-22T10:00:00.000+0000")
    cancelled = insert("Event", "", WhoId=lead, Subject="Off", StartDateTime="2026-11-22T10:00:00.000+0000")
    crm = salesforce(empty)
    found, aside, cursor = read(crm, "events")
    assert (found, aside) == ([], ["not_yet", "not_yet"])
    empty.organisation.records.delete("Event", cancelled)
    found, _, cursor = read(crm, "events", cursor, LATER)
    assert [one.asset for one in found] == ["Demo"]
    assert "waiting" not in cursor


def test_of_more_meetings_than_are_remembered_none_is_forgotten(empty: SalesforceServer, lead: str):
    for number in range(MOST + 50):
        start = (NOW + timedelta(minutes=10 + number)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        empty.organisation.records.insert("Event", "", WhoId=lead, StartDateTime=start)
    crm, found, cursor = salesforce(empty), [], None
    for hours in (0, 6, 24):
        *due, last = crm.pages("events", cursor, until=NOW + timedelta(hours=hours))
        found += [one for page in (*due, last) for one in page.activities]
        cursor = last.cursor
        assert len(cursor.get("waiting", {})) <= MOST
    assert last.again == last.rows == MOST + 50, "no measure of what a day brings"
    assert len({one.activity_id for one in found}) == MOST + 50
    assert {*cursor} == {"records"}


def test_an_invitations_copy_of_a_meeting_does_not_count_twice(empty: SalesforceServer, lead: str):
    for copy in (False, True):
        empty.organisation.records.insert(
            "Event", "", WhoId=lead, StartDateTime="2026-11-20T10:00:00.000+0000", IsChild=copy
        )
    assert len(read(salesforce(empty), "events")[0]) == 1


def test_what_an_automation_made_is_no_activity(empty: SalesforceServer, lead: str):
    empty.organisation.records.insert(
        "Task", "", WhoId=lead, IsClosed=True, CompletedDateTime=DONE, Rescore_Delivery__c="d-1"
    )
    assert read(salesforce(empty), "tasks")[:2] == ([], ["made_by_rescore"])


def test_a_record_about_nobody_or_about_an_account_is_set_aside(empty: SalesforceServer, lead: str):
    insert = empty.organisation.records.insert
    insert("Task", "", WhoId=None, IsClosed=True)
    insert("Task", "", WhoId=insert("Account", ""), IsClosed=True)
    assert read(salesforce(empty), "tasks")[:2] == ([], ["no_lead", "no_lead"])


def test_winning_an_opportunity_is_news_of_everybody_with_a_role_in_it(empty: SalesforceServer):
    org = empty.organisation
    org.clock = lambda: NOW - timedelta(days=3)
    contacts = [org.records.insert("Contact", "") for _ in range(2)]
    deal = org.records.insert("Opportunity", "", Name="Big", Amount=5000.0, CloseDate="2026-11-22")
    for contact in contacts:
        org.records.insert("OpportunityContactRole", "", OpportunityId=deal, ContactId=contact, Role="Buyer")
    crm = salesforce(empty, overlap=60)
    opened, _, cursor = read(crm, "opportunities")
    assert {one.lead_id for one in opened} == set(contacts)
    closed, _, closed_cursor = read(crm, "closed_opportunities")
    assert closed == []
    org.clock = lambda: LATER
    org.records.update("Opportunity", deal, {"IsClosed": True, "IsWon": True, "Amount": 6000.0}, org.admin)
    won, _, _ = read(crm, "closed_opportunities", closed_cursor, LATER)
    assert {(one.lead_id, one.type, one.value) for one in won} == {
        (contact, "opportunity_won", 6000.0) for contact in contacts
    }
    again, _, _ = read(crm, "opportunities", cursor, LATER)
    assert {one.activity_id for one in again} == {one.activity_id for one in opened}
    assert {one.value for one in again} == {6000.0}


def test_a_conversion_brings_what_was_planned_with_the_lead_along(empty: SalesforceServer, lead: str):
    org = empty.organisation
    task = org.records.insert("Task", "", WhoId=lead, IsClosed=True, CompletedDateTime=DONE)
    contact = org.records.insert("Contact", "")
    crm = salesforce(empty)
    _, _, cursor = read(crm, "tasks")
    org.clock = lambda: LATER
    org.records.convert(lead, contact)
    [found], _, _ = read(crm, "tasks", cursor, LATER)
    assert (found.activity_id, found.lead_id) == (f"tasks:{task}", contact)
