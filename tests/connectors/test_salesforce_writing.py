"""Scores into Salesforce: few calls, a result for each record, nothing twice and nobody created."""

import csv
import io

import pytest

from rescore.connectors.base import ScoreUpdate
from rescore.connectors.salesforce import Salesforce
from rescore.errors import CrmFieldMissing, CrmRateLimited, CrmUnavailable
from sandbox_salesforce.testing import SalesforceServer
from tests.connectors.salesforce_rig import salesforce

SCORE, BAND, REASONS = "Rescore_Score__c", "Rescore_Band__c", "Rescore_Reasons__c"


def leads(server: SalesforceServer, count: int, kind: str = "Lead") -> list[str]:
    return [server.organisation.records.insert(kind, "") for _ in range(count)]


def shown(server: SalesforceServer, lead_id: str, name: str = SCORE):
    return server.organisation.records.find(lead_id)[1][name]


def kinds(crm: Salesforce, ids: list[str], **fields: object) -> list[str]:
    return [result.kind for result in crm.write([ScoreUpdate(one, fields or {SCORE: 7}) for one in ids])]


def calls(server: SalesforceServer, part: str) -> int:
    return sum(count for call, count in server.organisation.calls.items() if part in call)


def test_two_hundred_records_make_a_call_leads_and_contacts_together(empty: SalesforceServer):
    people = [
        one for pair in zip(leads(empty, 200), leads(empty, 200, "Contact"), strict=True) for one in pair
    ]
    crm = salesforce(empty)
    results = crm.write([ScoreUpdate(one, {SCORE: number}) for number, one in enumerate(people)])
    assert [result.lead_id for result in results] == people
    assert {result.kind for result in results} == {"ok"}
    assert [shown(empty, one) for one in people] == list(range(400))
    assert calls(empty, "composite/sobjects") == 2


def test_a_score_does_not_hand_a_lead_to_somebody_else(empty: SalesforceServer):
    org = empty.organisation
    org.queue = "00G5g000001abcdEAA"
    [lead] = leads(empty, 1)
    owner = shown(empty, lead, "OwnerId")
    crm = salesforce(empty)
    assert kinds(crm, [lead]) == ["ok"]
    crm.fields.write(lead, {"Status": "Working"})
    assert shown(empty, lead, "OwnerId") == owner


def test_each_record_has_a_result_of_its_own(empty: SalesforceServer):
    org = empty.organisation
    fine, gone, not_ours, locked = leads(empty, 4)
    org.records.delete("Lead", gone)
    org.not_ours.add(not_ours)
    org.locked.add(locked)
    never = fine[:-4] + "zAAA"
    crm = salesforce(empty)
    results = crm.write([ScoreUpdate(one, {SCORE: 1}) for one in (gone, not_ours, fine, locked, never, "17")])
    assert [result.kind for result in results] == ["gone", "record", "ok", "transient", "gone", "gone"]
    assert "ENTITY_IS_DELETED" in results[0].reason
    assert results[1].reason == (
        "Salesforce refused this record: INSUFFICIENT_ACCESS_OR_READONLY; give our user edit access to it"
    )
    assert org.written == 1


def test_a_reason_names_the_field_and_not_its_value(empty: SalesforceServer):
    [lead] = leads(empty, 1)
    [result] = salesforce(empty).write([ScoreUpdate(lead, {REASONS: "secret" * 100})])
    assert (result.kind, result.reason) == (
        "record",
        f"Salesforce refused this record: STRING_TOO_LONG ({REASONS})",
    )


def test_a_converted_lead_is_written_as_its_contact_and_read_back_there(empty: SalesforceServer):
    [lead, other], [contact] = leads(empty, 2), leads(empty, 1, "Contact")
    empty.organisation.records.convert(lead, contact)
    crm = salesforce(empty)
    assert kinds(crm, [lead, other]) == ["ok", "ok"]
    assert (shown(empty, contact), shown(empty, lead)) == (7, None)
    assert crm.read([lead], [SCORE]) == {lead: {SCORE: "7"}}


def test_a_converted_lead_beside_its_contact_waits_for_the_contacts_own_score(empty: SalesforceServer):
    [lead], [contact] = leads(empty, 1), leads(empty, 1, "Contact")
    empty.organisation.records.convert(lead, contact)
    crm = salesforce(empty)
    results = crm.write([ScoreUpdate(lead, {SCORE: 1}), ScoreUpdate(contact, {SCORE: 2})])
    assert [result.kind for result in results] == ["transient", "ok"]
    assert shown(empty, contact) == 2


def test_a_converted_lead_whose_contact_is_deleted_is_gone(empty: SalesforceServer):
    [lead], [contact] = leads(empty, 1), leads(empty, 1, "Contact")
    empty.organisation.records.convert(lead, contact)
    empty.organisation.records.delete("Contact", contact)
    assert kinds(salesforce(empty), [lead]) == ["gone"]


def test_a_value_that_spoils_a_whole_call_is_found_by_halving(empty: SalesforceServer):
    people = leads(empty, 9)
    values: list[object] = [3] * 9
    values[4] = "not a number"
    crm = salesforce(empty)
    results = crm.write([ScoreUpdate(one, {SCORE: value}) for one, value in zip(people, values, strict=True)])
    assert [result.kind for result in results] == ["ok"] * 4 + ["record"] + ["ok"] * 4
    assert "JSON_PARSER_ERROR" in results[4].reason


@pytest.mark.parametrize("why", ["not there", "hidden", "read only"])
def test_a_field_that_is_not_ours_to_write_is_named(empty: SalesforceServer, why):
    about = empty.organisation.records.objects["Lead"]
    if why == "not there":
        del about.fields[BAND]
    (about.read_only if why == "read only" else about.hidden).add(BAND)
    with pytest.raises(CrmFieldMissing, match=f"lets our user write no field `{BAND}`: create it"):
        salesforce(empty).write([ScoreUpdate(leads(empty, 1)[0], {SCORE: 1, BAND: "A"})])


def test_what_is_known_is_not_lost_when_a_later_call_fails(empty: SalesforceServer):
    people = leads(empty, 450)
    crm = salesforce(empty)
    crm.fingerprint()
    empty.fault(path="/services/data/v64.0/composite", skip=1, cut="after")
    assert kinds(crm, people) == ["ok"] * 200 + ["unknown"] * 200 + ["ok"] * 50
    empty.organisation.daily = empty.organisation.used + 1
    assert kinds(crm, people) == ["ok"] * 200 + ["quota"] * 250


def test_the_first_call_that_fails_is_an_error(empty: SalesforceServer):
    crm = salesforce(empty)
    crm.fingerprint()
    empty.organisation.daily = empty.organisation.used
    with pytest.raises(CrmRateLimited, match="REQUEST_LIMIT_EXCEEDED") as caught:
        kinds(crm, leads(empty, 3))
    assert caught.value.retry_after == 900


def test_more_than_two_thousand_go_as_a_job_of_each_kind(empty: SalesforceServer):
    people = leads(empty, 25) + leads(empty, 10, "Contact")
    org = empty.organisation
    org.records.delete("Lead", people[3])
    org.not_ours.add(people[5])
    crm = salesforce(empty, bulk_above=30)
    crm.write([ScoreUpdate(people[0], {BAND: "old"})])
    updates = [ScoreUpdate(one, {SCORE: number, REASONS: 'a, "b"\nc'}) for number, one in enumerate(people)]
    updates[0] = ScoreUpdate(people[0], {SCORE: 5, BAND: None})
    results = crm.write([*updates, ScoreUpdate("17", {SCORE: 1})])
    said = {result.lead_id: result.kind for result in results}
    assert [result.lead_id for result in results] == [*people, "17"]
    assert (said.pop(people[3]), said.pop(people[5]), said.pop("17")) == ("gone", "record", "gone")
    assert set(said.values()) == {"ok"}
    assert (shown(empty, people[0]), shown(empty, people[0], BAND)) == (5, None)
    assert shown(empty, people[1], REASONS) == 'a, "b"\nc'
    assert [(job.object, job.state) for job in org.jobs.values()] == [
        ("Lead", "JobComplete"),
        ("Contact", "JobComplete"),
    ]


def test_an_empty_cell_leaves_a_field_as_it_is(empty: SalesforceServer):
    people = leads(empty, 3)
    crm = salesforce(empty, bulk_above=2)
    crm.write([ScoreUpdate(one, {BAND: "A"}) for one in people])
    crm.write([ScoreUpdate(people[0], {SCORE: 1})] + [ScoreUpdate(one, {BAND: None}) for one in people[1:]])
    assert [shown(empty, one, BAND) for one in people] == ["A", None, None]
    table = list(csv.reader(io.StringIO([*empty.organisation.jobs.values()][-1].table)))
    assert table[0] == ["Id", BAND, SCORE]


def test_a_converted_lead_in_a_job_is_written_as_its_contact(empty: SalesforceServer):
    people, [contact] = leads(empty, 4), leads(empty, 1, "Contact")
    empty.organisation.records.convert(people[2], contact)
    assert kinds(salesforce(empty, bulk_above=3), people) == ["ok"] * 4
    assert shown(empty, contact) == 7


def test_a_job_that_names_a_missing_field_says_which(empty: SalesforceServer):
    del empty.organisation.records.objects["Lead"].fields[BAND]
    with pytest.raises(CrmFieldMissing, match=f"write no field `{BAND}`"):
        kinds(salesforce(empty, bulk_above=3), leads(empty, 4), **{SCORE: 1, BAND: "A"})
    assert empty.organisation.written == 0


def test_a_job_that_takes_too_long_is_aborted_and_its_outcome_unknown(empty: SalesforceServer):
    empty.organisation.bulk_looks = 10**9
    crm = salesforce(empty, bulk_above=3, bulk_seconds=1e-9, poll=1e-9)
    assert kinds(crm, leads(empty, 4)) == ["unknown"] * 4
    assert [job.state for job in empty.organisation.jobs.values()] == ["Aborted"]


def test_a_job_that_was_aborted_there_did_not_come_to_its_records(empty: SalesforceServer):
    org = empty.organisation
    people = leads(empty, 4)

    class Admin:
        """Somebody who aborts the job while we wait."""

        def abort(self, seconds: float) -> None:
            [job] = org.jobs.values()
            job.state, job.unprocessed = "Aborted", list(csv.DictReader(io.StringIO(job.table)))

    crm = salesforce(empty, sleep=Admin().abort, bulk_above=3)
    results = crm.write([ScoreUpdate(one, {SCORE: 1}) for one in people])
    assert {(one.kind, one.reason) for one in results} == {
        ("transient", "Salesforce ended the job before it came to this record")
    }


def test_an_upload_that_is_cut_leaves_no_open_job(empty: SalesforceServer):
    crm = salesforce(empty, bulk_above=3)
    crm.fingerprint()
    empty.fault(method="PUT", cut="after")
    with pytest.raises(CrmUnavailable):
        kinds(crm, leads(empty, 4))
    assert [job.state for job in empty.organisation.jobs.values()] == ["Aborted"]
    assert empty.organisation.written == 0


def test_the_days_calls_of_everybody_are_told_to_whoever_counts(empty: SalesforceServer):
    class Counting:
        def __init__(self) -> None:
            self.waits, self.told = 0, (0, 0)

        def wait(self, *allowances: str) -> None:
            self.waits += 1

        def seen(self, used: int, ceiling: int) -> None:
            self.told = (used, ceiling)

        def pause(self, seconds: float) -> None: ...

        def room(self, priority: int) -> float:
            return 0.0

    empty.organisation.used = 500
    pace = Counting()
    crm = salesforce(empty, pace=pace)
    kinds(crm, leads(empty, 1))
    assert pace.told == (501, 100_000)
    assert pace.waits == 2  # the login and the write


def test_a_write_ends_in_time_and_says_what_waits_for_a_later_one(empty: SalesforceServer):
    class Clock:
        """A minute passes with every look."""

        now = 0.0

        def __call__(self) -> float:
            self.now += 60
            return self.now

    crm = salesforce(empty, clock=Clock(), write_seconds=130)
    results = crm.write([ScoreUpdate(one, {SCORE: 7}) for one in leads(empty, 900)])
    done = [result.kind for result in results].index("transient")
    assert 200 <= done <= 600
    assert {result.kind for result in results[done:]} == {"transient"}
    assert empty.organisation.written == done


def test_both_jobs_of_a_write_share_its_time(empty: SalesforceServer):
    empty.organisation.bulk_looks = 10**9
    seconds = [0.0]
    crm = salesforce(
        empty,
        bulk_above=3,
        bulk_seconds=60,
        clock=lambda: seconds[0],
        sleep=lambda wait: seconds.append(seconds.pop() + wait),
    )
    people = leads(empty, 4) + leads(empty, 4, "Contact")
    assert set(kinds(crm, people)) == {"unknown"}
    assert seconds[0] <= 70
    assert {job.state for job in empty.organisation.jobs.values()} == {"Aborted"}
