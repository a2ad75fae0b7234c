"""Who a lead is: deleted and restored, merged, converted, objecting, and back again."""

from __future__ import annotations

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from rescore.ledger import tables
from rescore.ledger.lock import lock_scorecard
from rescore.ledger.outbox import dead_letters
from rescore.ledger.outbox.dead_letters import Chosen
from rescore.ledger.rules.holds import open_holds
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.holds import decide
from rescore.pipeline.objection import note_objection
from rescore.pipeline.score import score

ADA, BOB = "hubspot:ada", "hubspot:bob"


def rows(job, table, *columns, lead=ADA):
    with job.ws.ledger.reading() as connection:
        found = select(*(table.c[name] for name in columns)).where(table.c.lead == lead)
        return [tuple(row) for row in connection.execute(found)]


def sync(job, lead=ADA):
    [(state,)] = rows(job, tables.sync, "state", lead=lead)
    return state


def deliveries(job, lead=ADA):
    return rows(job, tables.delivery, "state", "reason", lead=lead)


def staged(job):
    """A run up to the gate."""
    keys = job.start()
    for key in keys:
        score(job.ws, key)
        stage_deltas(job.ws, key)
    return keys


def promote(job, keys):
    for key in keys:
        promote_or_hold(job.ws, key, at=job.now)


@pytest.fixture
def scored(job):
    """Ada at 60 points and B's threshold passed, Bob at 40; the receiver has heard of Ada."""
    job.run()
    job.visit("ada", number=4)
    job.visit("bob", number=4)
    job.run()
    assert job.scores() == {"ada": 60, "bob": 40}
    return job


def test_a_deleted_lead_has_no_score_and_nothing_is_written_to_it(scored):
    job = scored
    job.crm.delete("ada")
    writes = job.crm.writes
    counts = job.run()
    assert counts["deleted"] == 1
    assert job.scores() == {"ada": None, "bob": 40}
    assert (sync(job), job.crm.writes) == ("deleted", writes)
    assert rows(job, tables.score, "withheld") == [("deleted",)]


def test_a_restored_lead_is_scored_again_and_does_not_fire_for_the_gap(scored):
    job = scored
    job.crm.delete("bob")
    job.run()
    job.visit("bob", number=3)  # past the threshold while nobody looks
    job.run()
    job.crm.put_lead("bob", {"job_title": "Developer"})
    counts = job.run()
    assert (counts["restored"], job.scores()["bob"]) == (1, 70)
    assert job.crm.shown["bob"]["rescore_score"] == 70
    assert deliveries(job, BOB) == []
    assert rows(job, tables.arming, "state", lead=BOB) == [("fired",)]


def test_the_same_deletion_told_again_wakes_nobody(scored):
    job = scored
    job.crm.delete("ada")
    job.run()
    job.crm.delete("ada")
    assert job.run()["promoted"] == 0


def test_a_deletion_of_a_lead_that_nobody_knows_is_counted_and_forgotten(scored):
    scored.crm.delete("stranger")
    assert scored.extract()["deleted, never known"] == 1
    assert scored.finish(scored.start())["promoted"] == 0


OBJECTIONS = {
    "told by the CRM": lambda job, objects: job.crm.put_lead(
        "ada", {"job_title": "Director of Sales", "rescore_objection": objects}
    ),
    "noted here": lambda job, objects: note_objection(job.ws, ADA, objects=objects, at=job.now),
}


@pytest.mark.parametrize("object_", OBJECTIONS.values(), ids=OBJECTIONS.keys())
def test_whoever_objects_is_blanked_in_the_crm_and_comes_back_when_they_withdraw(scored, object_):
    job = scored
    noted = object_(job, True) or Counter()
    assert (noted + job.run())["objecting"] == 1
    assert job.scores()["ada"] is None
    assert job.crm.shown["ada"]["rescore_score"] is None
    assert sync(job) == "settled"
    object_(job, False)
    job.run()
    assert job.crm.shown["ada"]["rescore_score"] == job.scores()["ada"] == 60
    assert len(deliveries(job)) == 1


def test_an_objection_noted_here_outlasts_what_the_crm_says_and_a_merge(scored):
    job = scored
    note_objection(job.ws, BOB, objects=True, at=job.now)
    job.crm.put_lead("bob", {"job_title": "Head of Development"})
    job.run()
    assert job.scores()["bob"] is None
    job.crm.put_lead("ada", {"job_title": "Director of Sales"}, merged=["bob"])
    job.run()
    assert job.scores() == {"ada": None, "bob": None}
    note_objection(job.ws, ADA, objects=False, at=job.now)
    job.crm.put_lead("ada", {"job_title": "Director"}, merged=["bob"])
    job.run()
    assert job.scores()["ada"] == 100


def test_what_is_owed_about_somebody_who_objects_is_cancelled_at_once(scored):
    job = scored
    job.visit("bob", number=2)
    job.extract()
    promote(job, staged(job))
    assert deliveries(job, BOB) == [("due", None)]
    note_objection(job.ws, BOB, objects=True, at=job.now)
    assert deliveries(job, BOB) == [("cancelled", "the person objects to profiling")]


def test_a_score_is_withdrawn_when_the_objection_is_noted_and_the_next_run_has_nothing_to_add(scored):
    job = scored
    assert note_objection(job.ws, ADA, objects=True, at=job.now)["objecting"] == 1
    assert job.scores()["ada"] is None
    assert [json.loads(causes) for (causes,) in rows(job, tables.delta, "causes")][-1] == {"attribute": -60}
    counts = job.run()
    assert (counts["changed"], counts["CRM calls"]) == (0, 1)
    assert job.crm.shown["ada"]["rescore_score"] is None
    note_objection(job.ws, ADA, objects=False, at=job.now)
    job.run(minutes=24 * 60)
    assert [json.loads(causes) for (causes,) in rows(job, tables.delta, "causes")][-1] == {"attribute": 60}


def test_a_withdrawn_score_is_never_as_of_a_moment_before_the_one_it_withdraws(scored):
    """A run by hand may be as of a moment to come."""
    job = scored
    [*_, (before,)] = rows(job, tables.delta, "as_of")
    note_objection(job.ws, ADA, objects=True, at=job.now - timedelta(minutes=5))
    [*_, (after,)] = rows(job, tables.delta, "as_of")
    assert before == after == job.now


def test_a_score_that_is_committed_while_an_objection_waits_for_its_turn_is_the_one_withdrawn(scored):
    job, mine = scored, tables.score.c.lead == ADA
    before = rows(job, tables.delta, "ver")
    with ThreadPoolExecutor(1) as person, job.ws.ledger.transaction() as promotion:
        lock_scorecard(promotion, "b2b_saas")
        noted = person.submit(note_objection, job.ws, ADA, objects=True, at=job.now)
        time.sleep(1.5)  # until it waits for the lock
        [row] = promotion.execute(select(tables.delta).where(tables.delta.c.lead == ADA)).all()[-1:]
        newer = {"ver": row.ver + 1, "old_score": 60, "new_score": 70}
        promotion.execute(insert(tables.delta).values({**row._mapping, **newer}))
        promotion.execute(update(tables.score).where(mine).values(score=70, ver=row.ver + 1))
        promotion.commit()
        assert noted.result(timeout=30)["objecting"] == 1
    assert rows(job, tables.delta, "old_score", "new_score")[len(before) :] == [(60, 70), (70, None)]


def test_a_run_that_has_scored_somebody_who_objects_meanwhile_fires_nothing(scored):
    job = scored
    job.visit("bob", number=2)
    job.extract()
    keys = staged(job)
    note_objection(job.ws, BOB, objects=True, at=job.now)
    promote(job, keys)
    assert (job.scores()["bob"], deliveries(job, BOB)) == (None, [])
    job.run()
    assert (job.scores()["bob"], deliveries(job, BOB)) == (None, [])


def test_a_crossing_that_was_held_when_the_person_objected_does_not_fire_when_it_is_released(
    scored, tmp_path
):
    job = scored
    job.use_policy(tmp_path / "policy.yaml")
    job.ws.policy_file.write_text("crossings: {leads: 0, times_usual_day: 0}\n")
    job.visit("bob", number=2)
    job.run()
    with job.ws.ledger.reading() as connection:
        [hold] = open_holds(connection)
    note_objection(job.ws, BOB, objects=True, at=job.now)
    decide(job.ws, hold.hold_id, "release", by="anna", at=job.now)
    assert deliveries(job, BOB) == []
    assert rows(job, tables.crossing, "outcome", lead=BOB) == [("suppressed",)]


GONE = {
    "objects": lambda job: note_objection(job.ws, BOB, objects=True, at=job.now),
    "deleted": lambda job: job.crm.delete("bob"),
    "merged away": lambda job: job.crm.put_lead("ada", {}, merged=["bob"]),
}


@pytest.mark.parametrize("goes", GONE.values(), ids=GONE.keys())
def test_what_was_parked_about_somebody_who_is_withheld_is_not_sent_again_by_anybody(scored, goes):
    job = scored
    job.visit("bob", number=2)
    job.extract()
    promote(job, staged(job))
    with job.ws.ledger.transaction() as connection:
        connection.execute(
            update(tables.delivery).where(tables.delivery.c.state == "due").values(state="parked")
        )
    goes(job)
    job.run()
    about = Chosen(states=["parked"])
    for again in (dead_letters.retry, dead_letters.replay):
        with job.ws.ledger.transaction() as connection:
            assert again(connection, about, at=job.now, by="anna") == {"withheld": 1}
    received = len(job.receiver.received)
    job.run()
    assert len(job.receiver.received) == received


def test_the_survivor_of_a_merge_has_the_union_of_activities_and_the_lost_id_is_never_written(scored):
    job = scored
    shown = dict(job.crm.shown["ada"])
    job.crm.put_lead("bob", {"job_title": "Developer"}, merged=["ada"])
    job.run()
    assert job.scores() == {"ada": None, "bob": 80}
    assert "ada" not in job.crm.shown
    assert shown["rescore_score"] == 60
    assert (sync(job), rows(job, tables.score, "withheld")) == ("deleted", [("merged",)])
    assert job.run()["promoted"] == 0


def test_the_survivor_stays_fired_when_the_lost_lead_had_fired(scored):
    job = scored
    job.crm.put_lead("bob", {"job_title": "Developer"}, merged=["ada"])
    job.run()
    assert rows(job, tables.arming, "state", "n", lead=BOB) == [("fired", 1)]
    assert deliveries(job, BOB) == []


def test_a_firing_of_the_lost_lead_that_nobody_has_sent_is_cancelled_and_the_survivor_fires(scored):
    job = scored
    job.visit("bob", number=2)
    job.extract()
    promote(job, staged(job))
    assert deliveries(job, BOB) == [("due", None)]
    job.crm.put_lead("cat", {"job_title": "Clerk"}, merged=["bob"])
    job.run()
    assert deliveries(job, BOB) == [("cancelled", "merged into another lead")]
    assert [state for state, _ in deliveries(job, "hubspot:cat")] == ["delivered"]


def test_a_converted_lead_follows_its_new_id(scored):
    job = scored
    job.crm.put_lead("contact-1", {"job_title": "Director of Sales"}, merged=["ada"])
    job.run()
    assert job.scores()["contact-1"] == 60
    assert "ada" not in job.crm.shown
    assert job.crm.shown["contact-1"]["rescore_score"] == 60
    assert deliveries(job, "hubspot:contact-1") == []
    assert rows(job, tables.arming, "state", lead="hubspot:contact-1") == [("fired",)]


@pytest.mark.parametrize("order", [["ada", "bob"], ["bob", "ada"]], ids="-".join)
def test_two_records_that_become_a_third_are_one_lead_that_has_fired(scored, order):
    job = scored
    job.crm.put_lead("ab", {"job_title": "Director of Sales"}, merged=order)
    job.run()
    assert job.scores() == {"ada": None, "bob": None, "ab": 100}
    assert job.crm.shown == {"ab": job.crm.shown["ab"]}
    assert job.crm.shown["ab"]["rescore_score"] == 100
    assert rows(job, tables.arming, "state", lead="hubspot:ab") == [("fired",)]
    assert deliveries(job, "hubspot:ab") == []
    assert len(job.receiver.received) == 1
    assert job.run()["CRM calls"] == 0


def test_a_run_that_began_before_the_merge_cannot_bring_the_lost_lead_back(scored):
    job = scored
    job.visit("ada")
    job.extract()
    keys = staged(job)
    job.crm.put_lead("bob", {"job_title": "Developer"}, merged=["ada"])
    job.extract()
    promote(job, keys)
    assert job.scores()["ada"] is None
    job.run()
    assert job.scores() == {"ada": None, "bob": 90}
    assert rows(job, tables.dirty, "lead") == []
