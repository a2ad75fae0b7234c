"""A later build refuses what an earlier one accepted: that is told, and keeps nobody else from going on."""

from datetime import timedelta

import pytest

from rescore.errors import InputUnreadable, ScorecardInvalid
from rescore.ledger import tables
from rescore.ledger.rules import activations, holds, registry
from rescore.ledger.status import status
from rescore.pipeline.holds import decide, expire_holds
from rescore.pipeline.news import news_to_tell
from rescore.pipeline.rules_change import rollback
from rescore.rules.load import load_scorecard
from tests.pipeline.holding import answer, in_force, open_holds, release_and_be_killed, versions
from tests.support.main_job import RULES

BOLD = RULES.replace("points: 10", "points: 30")
MILD = RULES.replace("points: 10", "points: 11")
TIGHT = "band_moves: {leads: 0, share: 40%}\ncrossings: {leads: 5}\n"
OTHER = RULES.replace("b2b_saas", "partners").replace("points: 20", "points: 5")


@pytest.fixture
def job(job, tmp_path):
    """Two scorecards; of the first every second band move is held."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(TIGHT)
    job.use_policy(policy)
    job.write_rules(OTHER, name="partners.yaml")
    job.visit("ada", number=1)
    job.visit("bob", number=2)
    job.run()
    return job


def is_refused_by_this_build(job, seq):
    """As if an earlier build had accepted a key that this one does not have."""
    version = tables.rules_version
    mine = (version.c.scorecard == "b2b_saas") & (version.c.seq == seq)
    with job.ws.ledger.transaction() as connection:
        body = connection.scalar(version.select().with_only_columns(version.c.body).where(mine))
        old = bytes(body).replace(b"bands:", b"older_key: 1\nbands:")
        connection.execute(version.update().where(mine).values(body=old))


def edit(job, text):
    job.now += timedelta(minutes=1)
    job.write_rules(text)
    return job.adopt()


def saved_and_interrupted(job, text):
    job.write_rules(text)
    path = job.ws.rules_dir / "b2b_saas.yaml"
    card = load_scorecard(path.read_bytes(), name=path.name)
    with job.ws.ledger.transaction() as connection:
        registry.register(
            connection, card=card, body=path.read_bytes(), path=path.name, at=job.now, by="test"
        )


def test_a_draft_is_rejected_with_the_line_and_the_next_file_is_adopted(job):
    saved_and_interrupted(job, MILD)
    is_refused_by_this_build(job, 2)
    job.write_rules(OTHER.replace("points: 10", "points: 11"), name="partners.yaml")

    rejected, activated = job.adopt()

    assert (rejected.what, rejected.scorecard, rejected.version) == ("rejected", "b2b_saas", 2)
    assert any("older_key" in line for line in rejected.problems)
    assert (activated.what, activated.scorecard) == ("activated", "partners")
    assert (versions(job), in_force(job), job.adopt()) == ({1: "active", 2: "rejected"}, 1, [])
    [news] = news_to_tell(job.ws)
    assert (news.kind, "older_key" in news.text) == ("rejected", True)


def test_a_held_version_is_rejected_its_question_closed_and_everybody_is_scored(job):
    edit(job, BOLD)
    [hold] = open_holds(job)
    is_refused_by_this_build(job, 2)
    job.visit("bob")

    job.run()

    with job.ws.ledger.reading() as connection:
        closed = holds.find(connection, hold.hold_id)
    assert (closed.state, closed.decided_by) == (holds.SUPERSEDED, "this build, which refuses version 2")
    assert versions(job) == {1: "active", 2: "rejected"}
    assert (job.scores()["bob"], job.scores("partners")["bob"]) == (30, 30)


def test_who_answers_for_such_a_version_is_told_that_it_is_over(job):
    edit(job, BOLD)
    [hold] = open_holds(job)
    is_refused_by_this_build(job, 2)

    with pytest.raises(InputUnreadable, match="is over: superseded by this build, which refuses version 2"):
        decide(job.ws, hold.hold_id, "release", by="rita", at=job.now)


def test_an_interrupted_release_of_such_a_version_ends_as_rejected(job):
    edit(job, BOLD)
    release_and_be_killed(job)
    is_refused_by_this_build(job, 2)

    said = []
    counts = expire_holds(job.ws, job.now, progress=said.append)

    assert (counts["rejected"], versions(job)) == (1, {1: "active", 2: "rejected"})
    assert any("older_key" in line for line in said)
    assert expire_holds(job.ws, job.now) == {}


def test_rules_in_force_that_this_build_refuses_pause_their_scorecard_alone(job):
    is_refused_by_this_build(job, 1)
    job.visit("bob")

    job.run()

    with job.ws.ledger.reading() as connection:
        card, other = status(connection, job.now).scorecards
    assert (card.paused, other.paused) == (True, False)
    assert card.paused_reason.startswith("this build refuses its version 1: b2b_saas version 1:")
    assert (job.scores()["bob"], job.scores("partners")["bob"]) == (20, 30)


def test_an_edit_of_such_rules_has_nothing_to_be_compared_with_and_is_judged_at_the_gate(job):
    is_refused_by_this_build(job, 1)
    job.run()

    [news] = edit(job, BOLD)
    with job.ws.ledger.transaction() as connection:
        activations.resume(connection, "b2b_saas", at=job.now, by="rita")
    counts = job.run()

    assert (news.what, news.plan_hash, in_force(job)) == ("activated", None, 2)
    [hold] = open_holds(job)
    assert (counts["held"], hold.what) == (1, holds.STAGE)
    assert hold.reasons[0] == "2 of 2 banded leads change band; 0 may without asking"
    assert answer(job)["promoted"] == 2
    assert job.scores() == {"ada": 50, "bob": 60}


def test_a_person_who_rolls_back_to_such_a_version_is_told_and_it_stays_what_it_was(job):
    edit(job, MILD)
    is_refused_by_this_build(job, 1)

    with pytest.raises(ScorecardInvalid, match="older_key"):
        rollback(job.ws, "b2b_saas", to=1, at=job.now, by="rita")
    assert versions(job) == {1: "retired", 2: "active"}
