"""`rescore updates`: scores that the CRM did not take, from the terminal."""

import pytest

from rescore.cli.main import main
from rescore.ledger import tables
from rescore.ledger.migrate import migrate
from rescore.ledger.outbox import syncs
from rescore.ledger.outbox.syncs import SyncResult
from rescore.ledger.transaction import Ledger
from rescore.outcome import Outcome
from tests.ledger.world import MINUTE, World


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(ledger)
    yield ledger
    ledger.close()


@pytest.fixture
def rescore(ledger, tmp_path, monkeypatch, capsys):
    """A command in a deployment whose CRM refused one score: (exit code, what it printed, complained)."""
    world = World(ledger)
    world.first_load(**{"crm:1042": 20})
    with ledger.transaction() as connection:
        [claim] = syncs.claim(connection, target="crm", worker="w", now=world.now, lease=MINUTE, limit=9)
        syncs.settle(connection, [SyncResult(claim, Outcome("record", "it is locked"))], now=world.now)
    monkeypatch.setenv("RESCORE_HOME", str(tmp_path))

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        return ended.value.code or 0, said.out, said.err

    return run


def test_one_is_listed_counted_and_written_again(rescore):
    line = "crm:1042  parked  b2b in crm, 1 tries\n  it is locked\n"
    assert rescore("updates") == (0, line, "")
    assert rescore("updates", "retry", "crm:1042", "--dry-run") == (0, "would be: again 1\n", "")
    assert rescore("updates", "--state", "parked")[1] == line
    assert rescore("updates", "retry", "--state", "parked", "--by", "rita") == (0, "again 1\n", "")
    assert rescore("updates", "--state", "parked")[1] == "there is no such update\n"


def test_nothing_is_written_again_by_a_slip(rescore):
    code, _, complaint = rescore("updates", "retry")
    assert (code, complaint.startswith("name leads by their keys, or choose them")) == (2, True)
    assert rescore("updates", "--state", "parked", "retry", "crm:1042")[0] == 2


def test_leads_without_an_update_are_named_and_nothing_is_done(rescore):
    sentence = "no score of crm:9, crm:8 goes to a CRM; a key is like hubspot:1042\n"
    assert rescore("updates", "retry", "crm:9", "crm:1042", "crm:8") == (1, "", sentence)
    assert rescore("updates")[1].startswith("crm:1042  parked")


@pytest.mark.parametrize(
    ("options", "said", "complaint"),
    [
        pytest.param([], "nothing to do; left alone: settled 1\n", "crm:1042: settled", id="its state"),
        pytest.param(
            ["--state", "parked"],
            "nothing to do\n",
            "crm:1042: the other options choose nothing of it",
            id="other options",
        ),
    ],
)
def test_a_lead_of_which_nothing_is_owed_says_how_it_stands(rescore, ledger, options, said, complaint):
    with ledger.transaction() as connection:
        connection.execute(tables.sync.update().values(state="settled", reason=None))
    told = (1, said, f"{complaint}; nothing is written again\n")
    assert rescore("updates", "retry", "crm:1042", *options) == told


def test_a_list_without_anything_in_it_says_why(rescore, ledger):
    assert rescore("updates", "--target", "other")[1] == "there is no such update\n"
    with ledger.transaction() as connection:
        connection.execute(tables.sync.delete())
    assert rescore("updates")[1] == "no update has failed\n"
