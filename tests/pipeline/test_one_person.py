"""One person in two CRMs: scored once, armed once, told once, and shown in one of the two."""

from datetime import timedelta

import pytest

from rescore.connectors.base import ScoreUpdate
from rescore.ledger import tables
from rescore.ledger.outbox import syncs
from rescore.ledger.outbox.records import in_target
from rescore.ledger.outbox.syncs import SyncResult
from rescore.ledger.people.records import ambiguous_records
from rescore.ledger.status import status
from rescore.outcome import Outcome
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.erase import erase
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.objection import note_objection
from rescore.pipeline.score import score
from tests.pipeline.two_crms import TwoCrms
from tests.support.main_job import RULES

ADA, ADA_THERE, BOB = "hubspot:ada", "salesforce:003A", "hubspot:bob"
DIRECTOR = {"job_title": "Director of Sales"}


@pytest.fixture
def job(ledger, tmp_path) -> TwoCrms:
    """Ada is known to both CRMs, and HubSpot says so; Bob to HubSpot only. The history is read."""
    job = TwoCrms.below(tmp_path, ledger)
    job.crm.put_lead("ada", {"job_title": "Clerk", "city": "Bonn"}, same_as=[ADA_THERE])
    job.crm.put_lead("bob", {"job_title": "Developer"})
    job.sales.put_lead("003A", DIRECTOR)
    job.run()
    return job


@pytest.fixture
def apart(ledger, tmp_path) -> TwoCrms:
    """The same, and nobody has said yet that the two are one."""
    job = TwoCrms.below(tmp_path, ledger)
    job.crm.put_lead("ada", {"job_title": "Clerk"})
    job.sales.put_lead("003A", DIRECTOR)
    job.run()
    return job


def deliveries(job):
    return job.rows(tables.delivery, "lead", "state", "reason")


def at_rest(job):
    """Everything is shown and confirmed, and another run finds nothing to do."""
    counts = job.run()
    assert counts["CRM calls"] == 0, counts
    assert job.read_back()["drift"] == 0
    with job.ws.ledger.reading() as connection:
        [card] = status(connection, job.now).scorecards
    return {state: count for state, count in card.leads.items() if count}


def test_the_facts_of_both_records_make_one_score_and_the_primary_crm_shows_it(job):
    job.view(ADA, number=2)
    job.view(ADA_THERE, number=2)
    counts = job.run()
    assert job.record() == {ADA: 60, BOB: 0}
    assert job.shown() == {"salesforce:003A": 60, "hubspot:bob": 0}
    assert [(lead, state) for lead, state, _ in deliveries(job)] == [(ADA, "delivered")]
    assert counts["fired"] == 1
    assert at_rest(job) == {"settled": 2}


@pytest.mark.parametrize("everybody", [False, True], ids=["the first load", "everybody again"])
def test_after_everybody_was_scored_no_run_takes_a_record_for_the_person(ledger, tmp_path, everybody):
    """The landing that joins two records marks both, and a run over everybody knows the person only."""
    job = TwoCrms.below(tmp_path, ledger)
    job.crm.put_lead("ada", {"job_title": "Clerk"})
    job.sales.put_lead("003A", DIRECTOR)
    if everybody:
        job.run()
    job.crm.put_lead("ada", {"job_title": "Clerk"}, same_as=[ADA_THERE])
    job.view(ADA, number=2)
    job.view(ADA_THERE, number=1)
    job.run(everybody=everybody)
    told = job.record(), deliveries(job)
    assert told[0] == {ADA: 50}
    job.run()
    assert (job.record(), deliveries(job)) == told
    job.view(ADA_THERE)
    job.run()
    assert job.record() == {ADA: 60}
    assert job.rows(tables.dirty, "lead") == []
    assert len(deliveries(job)) <= 1


def test_records_that_turn_out_to_be_one_go_on_as_one(apart):
    job = apart
    job.view(ADA_THERE, number=3)
    job.view(ADA, number=3)
    job.run()
    assert job.record() == {ADA: 30, ADA_THERE: 50}
    assert [lead for lead, *_ in deliveries(job)] == [ADA_THERE]
    job.crm.put_lead("ada", {"job_title": "Clerk"}, same_as=[ADA_THERE])
    job.run()
    assert job.record() == {ADA: 80}
    assert job.shown() == {"salesforce:003A": 80, "hubspot:ada": 30}
    assert job.rows(tables.sync, "target", "lead", "state") == [
        ("hubspot", ADA, "elsewhere"),
        ("salesforce", ADA, "settled"),
        ("salesforce", ADA_THERE, "deleted"),
    ]
    assert [lead for lead, *_ in deliveries(job)] == [ADA_THERE]
    assert job.rows(tables.arming, "lead", "state", "n", automation="mql", lead=ADA) == [(ADA, "fired", 1)]
    assert at_rest(job) == {"settled": 1}


def test_a_firing_of_the_other_record_that_nobody_has_sent_is_cancelled_and_the_person_fires_once(apart):
    job = apart
    job.view(ADA_THERE, number=3)
    job.now = job.now.replace(minute=40)
    job.extract()
    job.promote(job.start())
    assert [(lead, state) for lead, state, _ in deliveries(job)] == [(ADA_THERE, "due")]
    job.crm.put_lead("ada", {"job_title": "Clerk"}, same_as=[ADA_THERE])
    job.run()
    assert deliveries(job) == [
        (ADA, "delivered", None),
        (ADA_THERE, "cancelled", "one person with another lead"),
    ]
    assert len(job.receiver.received) == 1


def test_a_run_that_read_the_facts_before_cannot_promote_the_other_record(apart):
    job = apart
    job.view(ADA_THERE, number=3)
    job.sales.put_lead("003B", DIRECTOR, addresses=["bo@x.org"])
    job.sales.put_lead("003B", DIRECTOR, addresses=["bo@x.org"])
    job.view("salesforce:003B", number=3)
    job.extract()
    keys = job.start()
    for key in keys:
        score(job.ws, key)
        stage_deltas(job.ws, key)
    job.crm.put_lead("ada", {"job_title": "Clerk"}, same_as=[ADA_THERE])
    job.crm.put_lead("bo", {}, addresses=["Bo@x.org"])
    job.extract()
    for key in keys:
        promote_or_hold(job.ws, key, at=job.now)
    assert job.rows(tables.delivery, "lead") == [("salesforce:003B",)]
    job.run()
    assert job.record() == {ADA: 50, "salesforce:003B": 50}
    assert sorted(lead for lead, *_ in deliveries(job)) == [ADA, "salesforce:003B"]


def test_a_withdrawn_id_makes_two_of_them_again_and_is_counted(job):
    job.view(ADA_THERE, number=3)
    job.run()
    assert job.shown() == {"salesforce:003A": 50, "hubspot:bob": 0}
    job.crm.put_lead("ada", {"job_title": "Clerk", "city": "Bonn"})
    job.now = job.now.replace(minute=50)
    assert job.extract()["records parted"] == 1
    job.run()
    assert job.record() == {ADA: 0, ADA_THERE: 50, BOB: 0}
    assert job.shown() == {"salesforce:003A": 50, "hubspot:ada": 0, "hubspot:bob": 0}
    assert [lead for lead, *_ in deliveries(job)] == [ADA]
    assert at_rest(job) == {"settled": 3}


def test_a_record_that_parts_shows_its_own_score_again_whatever_it_showed_as_the_persons(apart):
    job = apart
    assert job.shown() == {"hubspot:ada": 0, "salesforce:003A": 20}
    job.crm.put_lead("ada", {"job_title": "Clerk"}, same_as=[ADA_THERE])
    job.view(ADA)
    job.run()
    assert job.shown()["salesforce:003A"] == 30
    job.crm.put_lead("ada", {"job_title": "Clerk"})
    job.run()
    assert job.record() == {ADA: 10, ADA_THERE: 20}
    assert job.shown() == {"hubspot:ada": 10, "salesforce:003A": 20}


def test_a_write_that_is_under_way_when_its_record_becomes_another_leads_is_written_over(apart):
    job, lease = apart, timedelta(minutes=40)
    job.crm.put_lead("ada", {"job_title": "Clerk"}, same_as=[ADA_THERE])
    job.run()
    job.view(ADA)
    job.extract()
    job.promote(job.start())
    with job.ws.ledger.transaction() as connection:
        [slow] = syncs.claim(
            connection, target="salesforce", worker="slow", now=job.now, lease=lease, limit=9
        )
    job.crm.put_lead("ada", {"job_title": "Clerk"})
    job.run()
    job.sales.write([ScoreUpdate("003A", {"rescore_score": slow.score})])
    with job.ws.ledger.transaction() as connection:
        arrived = SyncResult(slow, Outcome("ok"), "0" * 16)
        assert syncs.settle(connection, [arrived], now=job.now) == {"lost": 1}
    assert job.shown()["salesforce:003A"] == 30
    for _ in range(3):
        job.run()
    assert job.record() == {ADA: 10, ADA_THERE: 20}
    assert job.shown() == {"hubspot:ada": 10, "salesforce:003A": 20}
    assert at_rest(job) == {"settled": 2}


def test_another_record_that_takes_the_place_of_one_shows_the_persons_score(job):
    assert job.shown()["salesforce:003A"] == 20
    job.sales.put_lead("003B", DIRECTOR)
    job.run()
    job.view(ADA)
    job.run()
    assert job.shown() == {"salesforce:003A": 30, "salesforce:003B": 20, "hubspot:bob": 0}
    job.crm.put_lead("ada", {"job_title": "Clerk", "city": "Bonn"}, same_as=["salesforce:003B"])
    job.run()
    assert job.record() == {ADA: 30, ADA_THERE: 20, BOB: 0}
    assert job.shown() == {"salesforce:003A": 20, "salesforce:003B": 30, "hubspot:bob": 0}


def test_a_record_that_is_merged_away_is_nobodys_any_more_whosever_the_one_that_is_left_is(job):
    job.crm.put_lead("bob", {"job_title": "Developer"}, same_as=["salesforce:003B"])
    job.sales.put_lead("003B", {})
    job.run()
    assert job.shown() == {"salesforce:003A": 20, "salesforce:003B": 0, "hubspot:bob": 0}
    job.sales.put_lead("003B", {}, merged=["003A"])
    job.run()
    with job.ws.ledger.reading() as connection:
        assert in_target(connection, "salesforce", [ADA, ADA_THERE, BOB]) == {}, (
            "two claim the one that is left"
        )
    assert job.record() == {ADA: 0, BOB: 0, "salesforce:003B": 0}
    assert job.shown()["hubspot:ada"] == 0


def test_an_ambiguous_person_is_counted_until_it_is_clear(apart):
    job = apart
    job.crm.put_lead("ada", {"job_title": "Clerk"}, addresses=["a@x.org"])
    job.crm.put_lead("adb", {"job_title": "Clerk"}, addresses=["a@x.org"])
    job.sales.put_lead("003A", DIRECTOR, addresses=["a@x.org"])
    assert job.extract()["set aside: ambiguous person"] == 3
    with job.ws.ledger.reading() as connection:
        assert dict(status(connection, job.now).lines())["ambiguous persons"] == 3
        assert ambiguous_records(connection, limit=2) == [ADA, "hubspot:adb"]
    job.run()
    assert job.record().keys() == {ADA, ADA_THERE, "hubspot:adb"}
    job.crm.put_lead("ada", {"job_title": "Clerk"}, addresses=["b@x.org"])
    job.run()
    assert job.record().keys() == {ADA, ADA_THERE}
    with job.ws.ledger.reading() as connection:
        assert dict(status(connection, job.now).lines())["ambiguous persons"] == 0


def test_a_person_deleted_in_the_primary_crm_lives_on_in_the_other_one(job):
    job.view(ADA, number=4)
    job.run()
    job.sales.delete("003A")
    job.run()
    assert job.record() == {ADA: 40, BOB: 0}
    assert job.shown() == {"hubspot:ada": 40, "hubspot:bob": 0}
    assert at_rest(job) == {"settled": 2}
    job.sales.put_lead("003A", DIRECTOR)
    job.run()
    assert job.shown()["salesforce:003A"] == 60
    job.sales.delete("003A")
    job.crm.delete("ada")
    job.run()
    assert job.record() == {ADA: None, BOB: 0}
    assert job.shown() == {"hubspot:bob": 0}
    assert len(deliveries(job)) == 1


def test_whoever_objects_in_one_crm_has_no_score_in_any(job):
    job.view(ADA, number=4)
    job.run()
    job.crm.put_lead("ada", {"rescore_objection": True}, same_as=[ADA_THERE])
    job.run()
    assert job.record() == {ADA: None, BOB: 0}
    assert job.shown() == {"hubspot:bob": 0}
    job.crm.put_lead("ada", {}, same_as=[ADA_THERE])
    job.run()
    assert job.record()[ADA] == 60
    note_objection(job.ws, ADA_THERE, objects=True, at=job.now)
    job.run()
    assert job.record()[ADA] is None


def test_a_target_that_is_always_written_shows_the_score_too(job):
    job.map(hubspot="always_written: true")
    job.view(ADA)
    job.run()
    assert job.shown() == {"salesforce:003A": 30, "hubspot:ada": 30, "hubspot:bob": 0}
    job.map(hubspot="")
    job.view(ADA)
    job.run()
    assert job.shown() == {"salesforce:003A": 40, "hubspot:ada": 30, "hubspot:bob": 0}


TASK = "do: [{crm_task: {target: TARGET, title: Call, due: 1d}}]"


@pytest.mark.parametrize("target", ["hubspot", "salesforce"])
def test_a_task_is_made_for_the_record_that_the_person_has_in_that_crm(job, target):
    rules = RULES.replace("do: [{webhook: {connection: sales_alerts}}]", TASK.replace("TARGET", target))
    job.write_rules(rules)
    job.run()
    job.view(ADA_THERE, number=4)
    job.view(BOB, number=6)
    job.run()
    assert (
        sorted(task.asked.lead_id for task in job.crms[target].tasks.made)
        == {
            "hubspot": ["ada", "bob"],
            "salesforce": ["003A"],
        }[target]
    )
    parked = [(lead, reason) for lead, state, reason in deliveries(job) if state == "parked"]
    assert parked == ([] if target == "hubspot" else [(BOB, "the person has no record in salesforce")])


def test_erasing_one_record_erases_the_person_from_both_and_keeps_them_out(job):
    job.crm.put_lead("ada", DIRECTOR, same_as=[ADA_THERE], addresses=["ada@x.org"])
    job.sales.put_lead("003A", DIRECTOR, addresses=["ada@x.org"])
    job.view(ADA, number=4)
    job.run()
    erase(job.ws, [ADA_THERE], by="test", at=job.now)
    assert job.record() == {BOB: 0}
    assert job.rows(tables.record, "record") == []
    job.crm.put_lead("ada", DIRECTOR, same_as=[ADA_THERE])
    job.crm.put_lead("new", DIRECTOR, same_as=[ADA_THERE])
    job.crm.put_lead("newer", DIRECTOR, addresses=["Ada@x.org"])
    job.sales.put_lead("003A", DIRECTOR)
    job.run()
    assert job.record() == {BOB: 0}


def test_a_record_that_the_primary_crm_does_not_have_any_more_leaves_the_person_to_the_other_one(job):
    job.view(ADA)
    job.run()
    del job.sales.shown["003A"]  # nobody has told us
    job.view(ADA)
    job.run()
    job.run()
    assert job.record()[ADA] == 20
    assert job.shown() == {"hubspot:ada": 20, "hubspot:bob": 0}
