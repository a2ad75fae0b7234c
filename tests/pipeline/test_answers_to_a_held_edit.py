"""A held edit and whoever answers it: who may, for which plan, once, and carried out after any crash."""

from datetime import timedelta

import pytest

from rescore.errors import InputUnreadable
from rescore.ledger import tables
from rescore.ledger.rules import activations, registry
from rescore.pipeline.holds import decide
from rescore.pipeline.rules import adopt_rules
from rescore.plan.make import find_plan
from rescore.rules.load import load_scorecard
from tests.pipeline.holding import (
    BOLD,
    MILD,
    answer,
    careful,
    in_force,
    open_holds,
    release_and_be_killed,
    rows,
    versions,
    world_of,
)
from tests.support.main_job import RULES

FOUR_EYES = (
    "band_moves: {leads: 0, share: 0%}\nholds: {approvers: [rita, test], author_is_not_approver: true}\n"
)


@pytest.fixture
def job(job, tmp_path):
    return careful(job, tmp_path)


def test_a_held_edit_that_is_discarded_stays_out_of_force_and_is_not_raised_again(job):
    before = world_of(job)
    job.write_rules(BOLD)
    job.adopt()

    counts = answer(job, "discard")

    assert counts == {"discarded": 1}
    assert (job.adopt(), open_holds(job), versions(job)) == ([], [], {1: "active", 2: "discarded"})
    assert job.run()["CRM calls"] == 0
    assert world_of(job) == before


def test_a_discarded_edit_that_is_saved_once_more_is_planned_once_more(job):
    job.write_rules(BOLD)
    job.adopt()
    answer(job, "discard")
    job.write_rules(RULES)
    job.adopt()
    job.now += timedelta(minutes=1)
    job.write_rules(BOLD)

    [news] = job.adopt()

    assert (news.what, news.version) == ("held", 2)


def test_a_released_edit_comes_into_force_and_its_rescore_is_its_plan(job):
    job.write_rules(BOLD)
    [news] = job.adopt()

    counts = answer(job, plan_hash=news.plan_hash)
    job.run()

    assert counts == {"released": 1, "activated": 1}
    assert job.scores() == {"ada": 50, "bob": 60}
    plan = find_plan(job.ws, news.plan_hash)
    [(key, pinned)] = [
        row for row in rows(job, tables.run, tables.run.c.run_key, tables.run.c.plan_hash) if row[1]
    ]
    assert pinned == plan.plan_hash
    moved = rows(job, tables.delta, tables.delta.c.lead, tables.delta.c.as_of, tables.delta.c.run_key)
    assert [(lead, as_of) for lead, as_of, run in moved if run == key] == [
        ("hubspot:ada", plan.as_of),
        ("hubspot:bob", plan.as_of),
    ]
    fired = {effect.id: effect.fires for effect in plan.automations}
    assert len(job.receiver.received) == fired["mql"] == 2


def test_an_answer_counts_only_for_the_plan_that_was_seen(job):
    job.write_rules(BOLD)
    job.adopt()

    with pytest.raises(InputUnreadable, match="is about plan"):
        answer(job, plan_hash="0" * 64)


def test_the_first_answer_counts(job):
    job.write_rules(BOLD)
    job.adopt()
    [hold] = open_holds(job)
    answer(job, "discard")

    with pytest.raises(InputUnreadable, match="is over: discarded by rita"):
        decide(job.ws, hold.hold_id, "release", by="carl", at=job.now)


def test_only_approvers_release_and_anybody_may_discard(job):
    job.ws.policy_file.write_text(FOUR_EYES)
    job.write_rules(BOLD)
    job.adopt()
    [hold] = open_holds(job)

    with pytest.raises(InputUnreadable, match="carl is not among the `approvers`"):
        decide(job.ws, hold.hold_id, "release", by="airflow: carl", at=job.now)
    assert decide(job.ws, hold.hold_id, "discard", by="carl", at=job.now)["discarded"] == 1


@pytest.mark.parametrize("author", ["test", "airflow: test"])
def test_whoever_put_the_change_forward_cannot_release_it_where_the_policy_says_so(job, author):
    job.ws.policy_file.write_text(FOUR_EYES)
    job.write_rules(BOLD)
    job.adopt()  # by test
    [hold] = open_holds(job)

    with pytest.raises(InputUnreadable, match="somebody else releases it"):
        decide(job.ws, hold.hold_id, "release", by=author, at=job.now)
    assert decide(job.ws, hold.hold_id, "release", by="airflow: rita", at=job.now)["activated"] == 1


def test_what_a_dag_picked_up_has_no_author_and_is_released_by_an_approver(job):
    job.ws.policy_file.write_text(FOUR_EYES)
    job.write_rules(BOLD)
    adopt_rules(job.ws, at=job.now, by="airflow: watch_rules")
    [hold] = open_holds(job)

    with pytest.raises(InputUnreadable, match="not among the `approvers`"):
        decide(job.ws, hold.hold_id, "release", by="watch_rules", at=job.now)
    assert answer(job)["activated"] == 1


def test_an_approval_after_midnight_is_of_a_plan_made_again(job):
    job.write_rules(BOLD)
    [news] = job.adopt()
    job.now += timedelta(hours=15)

    counts = answer(job)

    with job.ws.ledger.reading() as connection:
        active = activations.active(connection, "b2b_saas")
    assert counts["activated"] == 1
    assert (active.hold_id, active.plan_hash != news.plan_hash) == (news.hold_id, True)
    job.run()
    assert job.scores() == {"ada": 50, "bob": 60}


def test_a_plan_that_got_worse_is_held_anew(job):
    job.write_rules(BOLD)
    [news] = job.adopt()
    for number in range(3):
        job.crm.put_lead(f"lead-{number}", {})
        job.visit(f"lead-{number}")
    job.run()
    job.now += timedelta(hours=15)

    counts = answer(job)

    [again] = open_holds(job)
    assert (counts["released"], counts["held"], in_force(job)) == (1, 1, 1)
    assert again.hold_id != news.hold_id
    assert answer(job)["activated"] == 1


def test_release_without_automations_suppresses_every_crossing_and_lists_it(job):
    job.write_rules(BOLD)
    [news] = job.adopt()
    answer(job, "release_without_automations")

    counts = job.run()

    assert (counts["changed"], counts["suppressed"], job.receiver.received) == (2, 2, [])
    listed = rows(job, tables.crossing, tables.crossing.c.outcome, tables.crossing.c.reason)
    assert listed == [("suppressed", f"released without automations (hold {news.hold_id})")] * 2


def test_a_held_edit_that_nobody_answers_stays_out_of_force(job):
    job.write_rules(BOLD)
    job.adopt()

    job.run(minutes=24 * 60)

    assert (open_holds(job), versions(job), in_force(job)) == ([], {1: "active", 2: "discarded"}, 1)


def test_an_answer_that_comes_too_late_is_told(job):
    job.write_rules(BOLD)
    job.adopt()
    [hold] = open_holds(job)
    job.now += timedelta(hours=25)

    with pytest.raises(InputUnreadable, match="is over: expired, nobody answered"):
        decide(job.ws, hold.hold_id, "release", by="rita", at=job.now)


def test_a_release_that_was_interrupted_is_carried_out_by_the_next_run(job):
    job.write_rules(BOLD)
    job.adopt()
    release_and_be_killed(job)

    job.run()

    assert (in_force(job), job.scores()) == (2, {"ada": 50, "bob": 60})


def test_a_decision_that_was_interrupted_is_taken_up_though_the_file_was_looked_at(job):
    job.write_rules(MILD)
    path = job.ws.rules_dir / "b2b_saas.yaml"
    card = load_scorecard(path.read_bytes(), name=path.name)
    with job.ws.ledger.transaction() as connection:  # and killed before the plan
        registry.register(
            connection, card=card, body=path.read_bytes(), path=path.name, at=job.now, by="test"
        )

    [news] = job.adopt()

    assert (news.what, in_force(job)) == ("activated", 2)
