"""What automations do in Salesforce: a task that is found again, a field that nobody changed meanwhile."""

from datetime import UTC, datetime, timedelta

import pytest

from rescore.connectors.actions import KnownTask, NewTask
from rescore.errors import CrmFieldMissing, CrmUnavailable, RecordGone, RecordRefused, SettingsIncomplete
from sandbox_salesforce.testing import SalesforceServer
from tests.connectors.salesforce_rig import MAPPING, salesforce

DUE = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)  # already the 24th in Berlin


def task(lead: str, **changed) -> NewTask:
    said = {"title": "Call back", "due": DUE, "owner": None, "delivery": "d-1", "automation": "mql"}
    return NewTask(lead, **{**said, **changed})


@pytest.fixture
def lead(empty: SalesforceServer) -> str:
    org = empty.organisation
    return org.records.insert("Lead", "", OwnerId=org.admin, Status="Open")


def test_a_task_is_made_for_its_owner_on_its_day_and_found_again(empty: SalesforceServer, lead: str):
    crm = salesforce(empty)
    owner = crm.tasks.owner_of(lead)
    made = crm.tasks.create(task(lead, owner=owner))
    assert crm.tasks.of_lead(lead) == [KnownTask(made, True, "d-1", "mql")]
    row = empty.organisation.records.find(made)[1]
    assert (row["ActivityDate"], row["OwnerId"]) == ("2026-11-24", empty.organisation.admin)


def test_a_task_whose_answer_was_lost_is_found(empty: SalesforceServer, lead: str):
    crm = salesforce(empty)
    crm.fingerprint()
    empty.fault(path="/services/data/v64.0/sobjects/Task", cut="after")
    with pytest.raises(CrmUnavailable) as caught:
        crm.tasks.create(task(lead))
    assert caught.value.sent
    assert [one.delivery for one in crm.tasks.of_lead(lead)] == ["d-1"]


def test_somebody_elses_task_has_no_delivery_and_a_done_one_is_not_open(empty: SalesforceServer, lead: str):
    empty.organisation.records.insert("Task", "", WhoId=lead, IsClosed=True, IsArchived=True)
    [found] = salesforce(empty).tasks.of_lead(lead)
    assert (found.open, found.delivery, found.automation) == (False, None, None)


def test_a_queue_is_no_owner(empty: SalesforceServer, lead: str):
    empty.organisation.records.rows["Lead"][lead]["OwnerId"] = "00G5g000001abcdEAA"
    assert salesforce(empty).tasks.owner_of(lead) is None


def test_a_converted_leads_tasks_are_its_contacts(empty: SalesforceServer, lead: str):
    org = empty.organisation
    contact = org.records.insert("Contact", "")
    org.records.convert(lead, contact)
    crm = salesforce(empty)
    made = crm.tasks.create(task(lead))
    assert org.records.find(made)[1]["WhoId"] == contact
    assert [one.task_id for one in crm.tasks.of_lead(lead)] == [made]


def test_a_task_for_a_lead_that_is_gone_or_for_an_owner_who_is(empty: SalesforceServer, lead: str):
    org = empty.organisation
    crm = salesforce(empty)
    assert crm.fields.write(lead, {"OwnerId": "0055g00000zzzzzAAA"}).kind == "record"
    with pytest.raises(RecordRefused, match=r"refused the task: INVALID_CROSS_REFERENCE_KEY \(OwnerId\)"):
        crm.tasks.create(task(lead, owner="0055g00000zzzzzAAA"))
    org.records.delete("Lead", lead)
    with pytest.raises(RecordGone):
        crm.tasks.create(task(lead))
    with pytest.raises(RecordGone):
        crm.tasks.owner_of(lead)
    with pytest.raises(RecordGone):
        crm.tasks.of_lead("17")


def test_without_the_two_fields_no_task_is_made_and_the_way_out_is_told(empty: SalesforceServer, lead: str):
    del empty.organisation.records.objects["Task"].fields["Rescore_Delivery__c"]
    with pytest.raises(CrmFieldMissing, match="create both as custom fields of activities"):
        salesforce(empty).tasks.create(task(lead))
    with pytest.raises(CrmFieldMissing, match="no field `Rescore_Delivery__c` of `Task`"):
        salesforce(empty).tasks.of_lead(lead)


def test_a_mapping_without_tasks_says_so(empty: SalesforceServer):
    crm = salesforce(empty, MAPPING.model_copy(update={"tasks": None}))
    with pytest.raises(SettingsIncomplete, match=r"salesforce\.yaml has no `tasks`"):
        crm.tasks  # noqa: B018


def test_a_field_is_read_and_set_alone(empty: SalesforceServer, lead: str):
    crm = salesforce(empty)
    assert crm.fields.read(lead, ["Status", "Title"]) == {"Status": "Open", "Title": None}
    assert crm.fields.write(lead, {"Status": "Working"}).kind == "ok"
    assert empty.organisation.records.find(lead)[1]["Status"] == "Working"


def test_a_record_that_was_changed_since_it_was_read_is_left_alone(empty: SalesforceServer, lead: str):
    org = empty.organisation
    fields = salesforce(empty).fields
    fields.read(lead, ["Status"])
    now = org.clock()
    org.clock = lambda: now + timedelta(minutes=1)
    org.records.update("Lead", lead, {"Status": "Nurturing"}, org.admin)
    outcome = fields.write(lead, {"Status": "Working"})
    assert (outcome.kind, outcome.reason) == (
        "transient",
        "the record was changed between reading and writing it",
    )
    assert org.records.find(lead)[1]["Status"] == "Nurturing"


def test_a_field_that_is_missing_a_value_too_long_and_a_lead_that_is_gone(empty: SalesforceServer, lead: str):
    org = empty.organisation
    fields = salesforce(empty).fields
    with pytest.raises(CrmFieldMissing, match="`Nope`"):
        fields.write(lead, {"Nope": "1"})
    with pytest.raises(CrmFieldMissing, match="no field `Nope` of `Lead`"):
        fields.read(lead, ["Nope"])
    assert fields.write(lead, {"Status": "x" * 300}).kind == "record"
    org.records.delete("Lead", lead)
    assert fields.write(lead, {"Status": "Working"}).kind == "gone"
    with pytest.raises(RecordGone):
        fields.read(lead, ["Status"])
