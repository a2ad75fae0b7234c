"""The lake is gone, or an older copy: nothing is scored or sent until it is back, or all was read again."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from rescore.errors import InputUnreadable, LakeBehind
from rescore.ledger.outbox import restored
from rescore.pipeline.erase import erase
from rescore.pipeline.extract import extract
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.maintain import maintain
from rescore.pipeline.objection import note_objection
from rescore.pipeline.reconcile import read_back
from rescore.pipeline.restore import notice_restore, read_again
from rescore.pipeline.score import score
from tests.support.main_job import RULES, Job

LOOKING_DOWN = (
    RULES
    + """\
  - id: drifting_away
    fire_when: {score: {below: 25}}
    ready_again_when: {score: {at_least: 30}}
    do: [{webhook: {connection: re_engagement}}]
"""
)


def lake_of(job: Job) -> Path:
    return job.ws.rules_dir.with_name("lake")


def unmount(job: Job) -> None:
    lake_of(job).rename(lake_of(job).with_name("elsewhere"))


def put_back(job: Job, name: str) -> None:
    shutil.rmtree(lake_of(job), ignore_errors=True)
    shutil.copytree(lake_of(job).with_name(name), lake_of(job))


def older_copy(job: Job) -> None:
    put_back(job, "copy")


@pytest.fixture
def live(job: Job) -> Job:
    """Ada crossed before the copy of the lake was made, Bob got points after it."""
    job.write_rules(LOOKING_DOWN)
    job.run()
    job.visit("ada", number=4)
    assert job.run()["fired"] == 1
    shutil.copytree(lake_of(job), lake_of(job).with_name("copy"))
    job.now = job.now.replace(hour=14)
    job.visit("bob", number=3)
    assert job.run()["acknowledged"] == 1
    shutil.copytree(lake_of(job), lake_of(job).with_name("right"))
    job.now = job.now.replace(hour=18)
    return job


LOSSES = [pytest.param(unmount, id="gone"), pytest.param(older_copy, id="an older copy")]


def held(job):
    with job.ws.ledger.reading() as connection:
        return restored.restored(connection)


def resume(job):
    with job.ws.ledger.transaction() as connection:
        return restored.resume(connection, at=job.now, by="rita")


def look(job):
    return read_back(job.ws.ledger, job.crm, mapping=job.ws.mappings()["hubspot"], now=job.now)


def deliver(job):
    return job.finish([])


def test_an_ordinary_life_looks_like_no_loss(live):
    """Runs without news, a stream without rows, folding, tidying and an erasure."""
    for _ in range(3):
        live.run()
    live.ws.lake.fold_in()
    erase(live.ws, ["hubspot:bob"], by="rita", at=live.now)
    live.run()
    notice_restore(live.ws, at=live.now)
    assert held(live) is None


def test_a_landing_that_the_ledger_did_not_commit_is_no_loss(job):
    job.run()
    job.ws.lake.land("hubspot", next(iter(job.crm.pages("leads", None, until=job.now))), stream="leads",
                     number=50, known_at=job.now)  # fmt: skip
    copy = lake_of(job).with_name("copy")
    shutil.copytree(lake_of(job), copy)
    job.run()
    assert "never gave out" in held(job).why
    job.run()
    assert "never gave out" in held(job).why


@pytest.mark.parametrize("lose", LOSSES)
def test_every_step_stops_with_a_sentence_and_the_world_hears_nothing(live, lose):
    keys = live.start()
    score(live.ws, keys[0])
    lose(live)
    there, scores, writes = sorted(lake_of(live).rglob("*")), live.scores(), live.crm.writes
    live.visit("ada")
    steps = (
        live.extract,
        live.start,
        lambda: score(live.ws, keys[0]),
        lambda: promote_or_hold(live.ws, keys[0], at=live.now),
        lambda: erase(live.ws, ["hubspot:bob"], by="rita", at=live.now),
        lambda: note_objection(live.ws, "hubspot:bob", objects=True, at=live.now),
    )
    for step in steps:
        with pytest.raises(LakeBehind, match=r"hubspot/\w+ up to landing \d.*nothing is scored or sent"):
            step()
    assert "is its volume mounted" in held(live).why
    assert deliver(live)["acknowledged"] == 0
    assert (live.scores(), live.crm.writes) == (scores, writes)
    assert sorted(lake_of(live).rglob("*")) == there, "no lake is made, and none is written to"


@pytest.mark.parametrize("lose", LOSSES)
def test_the_nightly_maintenance_drops_no_file_of_a_lake_that_may_be_another(live, lose):
    lose(live)
    there = sorted(lake_of(live).rglob("*"))
    with pytest.raises(LakeBehind, match=r"hubspot/\w+ up to landing \d.*none of its files is dropped"):
        maintain(live.ws, at=live.now + timedelta(days=400))
    assert sorted(lake_of(live).rglob("*")) == there


def test_a_landing_that_was_on_its_way_does_not_make_a_lake_either(live):
    page = next(iter(live.crm.pages("leads", None, until=live.now)))
    unmount(live)
    with pytest.raises(LakeBehind, match="there is no lake at"):
        live.ws.lake.land("hubspot", page, stream="leads", number=90, committed=1, known_at=live.now)
    assert not lake_of(live).exists()


@pytest.mark.parametrize("lose", LOSSES)
def test_with_the_right_lake_back_everything_goes_on_when_a_person_says_so(live, lose):
    lose(live)
    with pytest.raises(LakeBehind):
        live.run()
    put_back(live, "right")
    live.visit("ada")
    assert live.run()["acknowledged"] == 0
    look(live)
    resume(live)
    assert deliver(live)["acknowledged"] == 1
    assert live.scores() == {"ada": 70, "bob": 30}


@pytest.mark.parametrize("lose", LOSSES)
def test_what_is_lost_is_read_again_and_nothing_fires_by_it(live, lose):
    received = list(live.receiver.received)
    lose(live)
    with pytest.raises(LakeBehind):
        live.run()
    live.visit("bob")
    read_again(live.ws, at=live.now, by="rita")
    with pytest.raises(LakeBehind, match="is being read again"):
        live.start()
    with pytest.raises(InputUnreadable, match="the history is not read again yet"):
        resume(live)
    live.run()
    assert live.scores() == {"ada": 60, "bob": 40}
    look(live)
    resume(live)
    assert deliver(live)["acknowledged"] == 1
    live.run()
    assert (live.crm.shown["bob"]["rescore_score"], live.receiver.received) == (40, received)
    assert held(live) is None
    live.visit("bob", number=2)
    assert live.run()["fired"] == 1, "what is news fires again"


def test_a_history_that_takes_several_runs_is_scored_after_the_last(live):
    unmount(live)
    live.visit("bob", number=250)
    read_again(live.ws, at=live.now, by="rita")
    stopped = extract(live.ws, live.crm, until=live.now, known_at=live.now, time_is_up=lambda: True)
    assert stopped["streams to go on with"]
    with pytest.raises(LakeBehind, match="is being read again"):
        live.start()
    live.run()
    assert live.scores() == {"ada": 60, "bob": 100}


def test_a_lake_that_lost_nothing_is_not_read_again(live):
    with pytest.raises(InputUnreadable, match="nothing to read again"):
        read_again(live.ws, at=live.now, by="rita")
