"""The gate of a run: what is too much waits for a person, and everything else goes on."""

from datetime import timedelta

import pytest

from rescore.ledger import tables
from rescore.ledger.rules import activations, holds
from rescore.ledger.status import status
from rescore.pipeline.deltas import stage_deltas
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.news import news_to_tell, told
from rescore.pipeline.score import score
from rescore.pipeline.watch import ask_rescore, ask_review, look
from tests.pipeline.holding import answer, open_holds, rows, world_of
from tests.support.main_job import RULES

TIGHT = "band_moves: {leads: 0, share: 40%}\ncrossings: {leads: 1}\n"
WIDE = "band_moves: {leads: 100}\ncrossings: {leads: 1}\n"
TWO_AUTOMATIONS = RULES + (
    "  - id: warm\n    fire_when: {score: {at_least: 40}}\n    max_per_run: 9\n"
    "    do: [{webhook: {connection: sales_alerts}}]\n"
)


@pytest.fixture
def job(job, tmp_path):
    """Ada has 20 points (band B), bob none (C); a policy that holds nearly everything."""
    job.use_policy(tmp_path / "policy.yaml")
    job.ws.policy_file.write_text(TIGHT)
    job.run()
    return job


def run_states(job):
    return sorted(state for (state,) in rows(job, tables.run, tables.run.c.state))


def crowd(job, leads, *, views):
    """So many leads, scored with nothing, who then look at pricing."""
    for number in range(leads):
        job.crm.put_lead(f"lead-{number}", {})
    job.run()
    for number in range(leads):
        job.visit(f"lead-{number}", number=views)


def test_a_run_that_moves_too_many_bands_is_held_and_nothing_outside_its_stage_changes(job):
    job.visit("bob", number=2)
    before = world_of(job)

    counts = job.run()

    [hold] = open_holds(job)
    assert (counts["held"], counts["promoted"], counts["CRM calls"]) == (1, 0, 0)
    assert hold.reasons == ("1 of 2 banded leads change band; 0 may without asking",)
    assert world_of(job) == before
    assert run_states(job) == ["held", "promoted"]


def test_the_first_load_is_never_held(job):
    assert run_states(job) == ["promoted"]
    assert job.scores() == {"ada": 20, "bob": 0}


def test_leads_that_are_new_are_counted_apart_and_never_held(job):
    job.crm.put_lead("cleo", {"job_title": "Director"})

    assert job.run()["promoted"] == 1


def test_a_second_try_of_the_gate_asks_no_second_question(job):
    job.visit("bob", number=2)
    job.run()
    [hold] = open_holds(job)

    assert promote_or_hold(job.ws, hold.run_key, at=job.now) == {"held": 1}
    assert open_holds(job) == [hold]


def test_scoring_goes_on_and_the_newer_stage_takes_the_place_of_the_held_one(job):
    job.visit("bob", number=2)
    job.run()
    [first] = open_holds(job)

    job.run()

    [hold] = open_holds(job)
    assert (hold.hold_id, hold.reasons) == (first.hold_id, first.reasons)
    assert hold.run_key != first.run_key
    assert run_states(job) == ["held", "promoted", "superseded"]


def test_a_newer_stage_that_is_worse_is_asked_about_anew(job):
    job.visit("bob", number=2)
    job.run()
    [first] = open_holds(job)
    job.visit("ada", number=3)

    job.run()

    [hold] = open_holds(job)
    assert hold.hold_id != first.hold_id
    assert hold.measures.band_moves == 2


def test_a_newer_stage_within_the_limits_is_promoted_and_closes_the_hold(job):
    job.visit("bob", number=2)
    job.run()
    [first] = open_holds(job)
    job.ws.policy_file.write_text(WIDE)

    assert job.run()["promoted"] == 1

    with job.ws.ledger.reading() as connection:
        assert holds.find(connection, first.hold_id).state == holds.SUPERSEDED
    assert job.scores()["bob"] == 20


def test_a_released_stage_is_promoted_under_the_same_guard(job):
    job.visit("bob", number=2)
    job.run()

    counts = answer(job)

    assert (counts["released"], counts["promoted"], job.scores()["bob"]) == (1, 1, 20)
    assert job.run()["changed"] == 0


def test_a_discarded_stage_leaves_its_leads_dirty_and_pauses_the_scorecard_with_the_reason(job):
    job.visit("bob", number=2)
    job.run()

    answer(job, "discard")
    counts = job.run()

    with job.ws.ledger.reading() as connection:
        [card] = status(connection, job.now).scorecards
    assert (counts["held"], open_holds(job), job.scores()["bob"]) == (0, [], 0)
    assert (card.paused, card.leads["dirty"]) == (True, 1)
    assert card.paused_reason.startswith("its run was held and discarded by rita: 1 of 2 banded leads")

    with job.ws.ledger.transaction() as connection:
        activations.resume(connection, "b2b_saas", at=job.now, by="rita")
    job.ws.policy_file.write_text(WIDE)
    job.run()
    assert job.scores()["bob"] == 20


def test_a_stage_that_nobody_answers_for_is_discarded(job):
    job.visit("bob", number=2)
    job.run()

    job.run(minutes=24 * 60)

    assert open_holds(job) == []
    assert run_states(job) == ["discarded", "promoted"]


def test_a_stage_released_without_automations_fires_nothing_and_lists_it(job):
    job.visit("ada", number=3)
    job.run()
    [hold] = open_holds(job)

    counts = answer(job, "release_without_automations")
    job.run()

    assert (counts["promoted"], counts["suppressed"], job.receiver.received) == (1, 1, [])
    [(outcome, reason)] = rows(job, tables.crossing, tables.crossing.c.outcome, tables.crossing.c.reason)
    assert (outcome, hold.hold_id in reason) == ("suppressed", True)
    with job.ws.ledger.reading() as connection:
        [card] = status(connection, job.now).scorecards
    assert card.suppressed == {"mql": 1}


def test_who_releases_a_stage_is_told_what_its_automations_would_do_and_lets_them(job):
    crowd(job, 3, views=5)
    job.run()
    [hold] = open_holds(job)

    counts = answer(job)

    assert hold.reasons == (
        "3 of 5 banded leads change band; 2 may without asking",
        "`mql` would fire 3 times; 1 a run may without asking",
    )
    assert (counts["promoted"], counts["fired"], open_holds(job)) == (3, 3, [])


@pytest.fixture
def crowded(job):
    """Three leads cross both automations in one run; `mql` may fire once unasked, `warm` nine times."""
    job.ws.policy_file.write_text(WIDE)
    job.write_rules(TWO_AUTOMATIONS)
    crowd(job, 3, views=5)
    job.counts = job.run()
    return job


def test_an_automation_over_its_limit_is_held_alone_and_everything_else_goes_on(crowded):
    [hold] = open_holds(crowded)

    assert (hold.what, hold.automation) == ("automation", "mql")
    assert hold.reasons == ("`mql` would fire 3 times; 1 a run may without asking",)
    assert (crowded.counts["promoted"], crowded.counts["held"], crowded.counts["automations held"]) == (
        3,
        3,
        1,
    )
    assert crowded.scores()["lead-0"] == 50
    assert len(crowded.receiver.received) == crowded.counts["fired"] == 3
    assert crowded.crm.shown["lead-0"]["rescore_score"] == 50


def test_released_crossings_fire_if_they_are_still_true(crowded):
    assert answer(crowded) == {"released": 1, "fired": 3}

    crowded.run()

    assert len(crowded.receiver.received) == 6
    crowded.run()
    assert len(crowded.receiver.received) == 6


def test_refused_crossings_are_suppressed_and_listed(crowded):
    assert answer(crowded, "discard") == {"discarded": 1, "suppressed": 3}

    crowded.run()

    assert len(crowded.receiver.received) == 3
    listed = rows(crowded, tables.crossing, tables.crossing.c.automation, tables.crossing.c.reason)
    assert listed[:3] == [("mql", "held and discarded by rita")] * 3


def test_crossings_that_nobody_answers_for_are_suppressed(crowded):
    crowded.run(minutes=24 * 60)

    assert (open_holds(crowded), len(crowded.receiver.received)) == ([], 3)
    assert rows(crowded, tables.crossing, tables.crossing.c.outcome)[-1] == ("suppressed",)


def test_a_promotion_that_was_interrupted_goes_on_with_the_same_crossings_held(job):
    job.ws.policy_file.write_text(WIDE)
    crowd(job, 3, views=5)
    job.now += timedelta(minutes=15)
    job.extract()
    [key] = job.start()

    def killed(line):
        raise KeyboardInterrupt

    score(job.ws, key)
    stage_deltas(job.ws, key)
    with pytest.raises(KeyboardInterrupt):
        promote_or_hold(job.ws, key, at=job.now, progress=killed)
    job.ws.policy_file.write_text("crossings: {leads: 100}\n")
    promote_or_hold(job.ws, key, at=job.now)

    assert len(open_holds(job)) == 1
    assert rows(job, tables.crossing, tables.crossing.c.outcome) == [("held",)] * 3


def test_a_short_extract_is_held_before_anything_is_promoted(job):
    with job.ws.ledger.transaction() as connection:
        connection.execute(
            tables.extract.insert(),
            [
                {
                    "source": "hubspot",
                    "stream": "activities",
                    "since": job.now - timedelta(days=days),
                    "until": job.now - timedelta(days=days - 1),
                    "rows": 96_000,
                }
                for days in range(29, 1, -1)
            ],
        )
    job.visit("ada")
    before = world_of(job)

    counts = job.run()

    [hold] = open_holds(job)
    assert (counts["held"], world_of(job)) == (1, before)
    assert hold.reasons == ("hubspot/activities brought 1 rows where about 1,000 are usual",)
    assert answer(job)["promoted"] == 1
    assert job.scores()["ada"] == 30


def test_a_held_rescore_lets_the_newer_facts_through_and_is_not_asked_for_again(job):
    job.ws.policy_file.write_text(WIDE)
    job.visit("bob")
    job.run()
    job.write_rules(RULES.replace("points: 10", "points: 25"))
    job.adopt()
    job.ws.policy_file.write_text(TIGHT)
    assert job.run()["held"] == 1  # the rescore, worse than the limits of now
    [hold] = open_holds(job)
    job.now += timedelta(minutes=30)
    assert ask_rescore(job.ws, at=job.now) is None
    job.visit("ada", number=1, at=job.now)
    job.crm.put_lead("cleo", {"job_title": "Director"})

    job.run()

    assert job.scores() == {"ada": 45, "bob": 10, "cleo": 20}, "under the new rules, where facts are newer"
    assert open_holds(job) == [hold]
    assert answer(job)["promoted"] == 1
    assert job.scores() == {"ada": 45, "bob": 25, "cleo": 20}
    assert job.run()["changed"] == 0


def test_people_are_asked_once_and_told_once(job):
    job.visit("bob", number=2)
    job.run()
    [hold] = open_holds(job)

    assert look(job.ws, at=job.now).unasked == (hold.hold_id,)
    assert ask_review(job.ws, at=job.now) == hold.hold_id
    assert ask_review(job.ws, at=job.now) is None
    assert look(job.ws, at=job.now).unasked == ()
    [news] = news_to_tell(job.ws)
    assert (news.kind, news.hold_id) == ("hold", hold.hold_id)
    assert "1 of 2 banded leads change band" in news.text
    told(job.ws, news, at=job.now)
    assert news_to_tell(job.ws) == []


def test_rejected_rules_and_finished_rescores_are_told_once(job):
    job.ws.policy_file.write_text(WIDE)
    job.write_rules(RULES.replace("points: 20", "points: 21"))
    job.run()
    job.write_rules("rules: [")
    job.adopt()

    rejected, rescored = news_to_tell(job.ws)

    assert (rejected.kind, rejected.subject) == ("rejected", "b2b_saas.yaml is rejected")
    assert (rescored.kind, rescored.text) == ("rescored", "1 changed")
    for news in (rejected, rescored):
        told(job.ws, news, at=job.now)
    assert news_to_tell(job.ws) == []
