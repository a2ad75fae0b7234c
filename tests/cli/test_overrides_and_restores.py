"""`rescore overrides` and `rescore restored`: what a person sees and says on a terminal."""

from datetime import timedelta

import pytest

from rescore.cli.main import main
from rescore.ledger.migrate import migrate
from rescore.ledger.outbox import overrides, restored
from rescore.ledger.outbox.overrides import Override
from rescore.ledger.scores import streams
from rescore.ledger.transaction import Ledger
from tests.ledger.world import MONDAY, World


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(ledger)
    yield ledger
    ledger.close()


@pytest.fixture
def rescore(ledger, tmp_path, monkeypatch, capsys):
    """A command in this deployment: (exit code, what it printed, what it complained)."""
    monkeypatch.setenv("RESCORE_HOME", str(tmp_path))

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


@pytest.fixture
def kept(ledger) -> Override:
    world = World(ledger)
    world.first_load(**{"hubspot:1042": 20})
    one = Override(
        target="hubspot",
        lead="hubspot:1042",
        property="rescore_score",
        scorecard="b2b",
        value="99",
        owner="HubSpot user 7",
        reason="changed in hubspot on 2026-11-02",
        seen_at=MONDAY,
        expires_at=MONDAY + timedelta(days=30),
    )
    with ledger.transaction() as connection:
        overrides.note(connection, [one])
    return one


def test_nothing_is_overridden_at_first(rescore):
    assert rescore("overrides") == (0, "no score in the CRM is overridden\n", "")


def test_each_is_listed_with_whose_it_is_and_until_when(rescore, kept):
    line = (
        "hubspot:1042 rescore_score: 99, HubSpot user 7, changed in hubspot on 2026-11-02, "
        "until 2026-12-02 09:00 UTC\n"
    )
    assert rescore("overrides") == (0, line, "")


def test_a_person_ends_one_and_who_it_was_is_kept(rescore, kept, ledger):
    code, said, _ = rescore("overrides", "end", "hubspot:1042", "--by", "rita")
    assert (code, said) == (0, "hubspot:1042: 1 ended; the next update_crm writes our values\n")
    assert rescore("overrides")[1] == "no score in the CRM is overridden\n"
    with ledger.reading() as connection:
        assert connection.exec_driver_sql("SELECT state, ended_by FROM override").all() == [("ended", "rita")]


@pytest.mark.parametrize(
    "arguments",
    [("hubspot:7",), ("hubspot:1042", "--property", "rescore_band")],
    ids=["another lead", "another property"],
)
def test_what_nobody_overrides_cannot_end(rescore, kept, arguments):
    code, _, complaint = rescore("overrides", "end", *arguments)
    assert code == 1
    assert "nobody overrides it" in complaint


def test_without_a_restore_there_is_nothing_to_resume(rescore):
    assert rescore("restored") == (0, "no restore was noticed, nothing is held\n", "")
    code, _, complaint = rescore("restored", "--resume")
    assert (code, complaint) == (1, "no restore was noticed, so there is nothing to resume\n")


def test_a_person_may_say_that_it_was_restored_and_is_told_what_is_missing(rescore, kept, ledger):
    assert rescore("restored", "--hold", "--by", "rita")[0] == 0
    code, said, _ = rescore("restored")
    assert code == 0
    assert "rita said so" in said
    assert "b2b has not scored everybody yet" in said
    assert rescore("restored", "--resume")[0] == 1
    world = World(ledger, now=MONDAY + timedelta(days=1), started=5)
    world.score("daily", **{"hubspot:1042": 20})
    assert "`rescore restored --resume` goes on" in rescore("restored")[1]
    assert rescore("restored", "--resume") == (0, "everything is sent again; deliveries: 0 due\n", "")
    with ledger.reading() as connection:
        assert restored.restored(connection) is None


def test_a_lake_that_is_gone_is_told_where_it_was_looked_for_and_a_person_has_it_all_read_again(
    rescore, kept, ledger, tmp_path
):
    with ledger.transaction() as connection:
        lease = streams.take_fence(connection, "hubspot", "leads")
        streams.commit_landing(connection, lease, cursor={"position": 7}, dirty={})
    gone = f"there is no lake at {tmp_path}/lake (is its volume mounted, is its address right?)"
    behind = f"{gone}, and the ledger has committed hubspot/leads up to landing 1"
    ways = "put the right lake back; or, if it is lost, `rescore restored --read-again`"
    assert rescore("restored") == (0, f"nothing is read, scored or sent: {behind}\n  {ways}\n", "")
    rescore("restored", "--hold")
    assert behind in rescore("restored", "--resume")[2]
    code, said, _ = rescore("restored", "--read-again", "--by", "rita")
    assert code == 0
    assert f"rita has the history read again: {behind}" in said
    assert "the history is not read again yet: run the DAG score_leads until it is" in said
    with ledger.reading() as connection:
        assert connection.exec_driver_sql("SELECT cursor, committed FROM stream").all() == [(None, 0)]


@pytest.mark.parametrize(
    "arguments",
    [("--hold", "--resume"), ("--read-again", "--resume"), ("--without-automations",)],
    ids=" ".join,
)
def test_answers_that_make_no_sense_are_refused(rescore, arguments):
    assert rescore("restored", *arguments)[0] == 2
