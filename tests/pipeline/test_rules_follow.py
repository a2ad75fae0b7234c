"""What follows from a rules file that was edited, broken, copied or reverted."""

import pytest

from rescore.errors import InputUnreadable
from rescore.ledger.rules import activations
from rescore.ledger.status import status
from tests.support.main_job import RULES


def news_of(job):
    return [(news.what, news.wakes) for news in job.adopt()]


def test_an_edited_rule_rescores_everybody_and_writes_only_who_changed(job):
    job.visit("bob")
    job.run()
    job.write_rules(RULES.replace("points: 10", "points: 30"))

    counts = job.run()

    assert job.scores() == {"ada": 20, "bob": 30}
    assert (counts["promoted"], counts["changed"], counts["acknowledged"]) == (2, 1, 1)


def test_a_comment_wakes_nobody(job):
    job.run()
    job.write_rules(RULES + "# why ten? ask sales\n")

    assert news_of(job) == [("activated", "wording")]
    assert job.run()["promoted"] == 0


def test_a_broken_file_leaves_the_rules_in_force_and_names_the_line(job):
    job.visit("bob")
    job.run()
    job.write_rules(RULES.replace("points: 10", "pionts: 10"))

    [news] = job.adopt()
    job.visit("bob")
    job.run()

    assert news.what == "rejected"
    assert any(line.startswith("b2b_saas.yaml:12:") and "pionts" in line for line in news.problems)
    assert job.scores()["bob"] == 20


def test_a_broken_file_is_looked_at_once(job):
    job.write_rules("rules: [")
    assert [what for what, _ in news_of(job)] == ["rejected"]
    assert news_of(job) == []


def test_a_file_that_is_broken_and_mended_is_back_in_force_with_nothing_owed(job):
    job.run()
    job.write_rules("rules: [")
    job.adopt()
    job.write_rules(RULES)

    assert news_of(job) == [("unchanged", None)]
    assert job.run()["promoted"] == 0


def test_a_failing_example_keeps_a_file_out_of_force(job):
    job.write_rules(
        RULES
        + "examples:\n  - {name: no, as_of: 2026-11-01, lead: {job_title: Director}, expect: {score: 21}}\n"
    )

    [news] = job.adopt()

    assert news.what == "rejected"
    assert "21" in news.problems[0]
    assert "20" in news.problems[0]


def test_change_and_revert_writes_nothing(job):
    job.visit("bob")
    job.run()
    job.write_rules(RULES.replace("points: 10", "points: 30"))
    job.adopt()
    job.write_rules(RULES)

    counts = job.run()

    assert (counts["changed"], counts["CRM calls"]) == (0, 0)


def test_two_files_cannot_hold_the_same_scorecard(job):
    job.adopt()
    job.write_rules(RULES.replace("points: 10", "points: 11"), name="copy.yaml")

    [news] = job.adopt()

    assert news.what == "rejected"
    assert "b2b_saas.yaml" in news.problems[0]


def test_a_renamed_file_stays_the_same_scorecard(job):
    job.run()
    (job.ws.rules_dir / "b2b_saas.yaml").rename(job.ws.rules_dir / "b2b.yaml")

    assert news_of(job) == [("unchanged", None)]
    assert news_of(job) == []


def test_a_moved_threshold_is_judged_for_everybody(job):
    job.visit("ada", number=2)
    job.run()
    job.write_rules(RULES.replace("at_least: 50", "at_least: 40"))

    job.run()

    assert len(job.receiver.received) == 1


def test_a_scorecard_that_nobody_has_is_told_with_those_there_are(job):
    job.run()

    with pytest.raises(InputUnreadable, match="no scorecard `b2c` is in force; there is b2b_saas"):
        job.start(scorecards=["b2c"])


def test_a_file_that_is_gone_leaves_its_scorecard_in_force_and_is_told(job):
    job.run()
    (job.ws.rules_dir / "b2b_saas.yaml").unlink()
    job.write_rules("rules: [", name="bad.yaml")
    job.adopt()
    (job.ws.rules_dir / "bad.yaml").unlink()
    job.visit("bob")

    job.run()

    with job.ws.ledger.reading() as connection:
        now = status(connection, job.now, files=set())
    assert job.scores()["bob"] == 10
    assert [card.file_gone for card in now.scorecards] == [True]
    assert now.rejected == ()
    assert now.read == {"hubspot": job.now}


def test_a_paused_scorecard_is_not_scored_and_catches_up(job):
    job.run()
    with job.ws.ledger.transaction() as connection:
        activations.pause(connection, "b2b_saas", at=job.now, by="test")
    job.visit("bob")
    job.run()
    assert job.scores()["bob"] == 0

    with job.ws.ledger.transaction() as connection:
        activations.resume(connection, "b2b_saas", at=job.now, by="test")
    job.run()
    assert job.scores()["bob"] == 10
