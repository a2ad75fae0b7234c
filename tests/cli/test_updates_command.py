"""`rescore updates`: scores that the CRM did not take, from the terminal."""

import pytest

from rescore.cli.main import main
from rescore.ledger.migrate import migrate
from rescore.ledger.outbox import syncs
from rescore.ledger.outbox.syncs import SyncResult
from rescore.ledger.transaction import Ledger
from rescore.outcome import Outcome
from tests.ledger.world import MINUTE, World


@pytest.fixture
def rescore(tmp_path, monkeypatch, capsys):
    """A command in a deployment whose CRM refused one score: (exit code, what it printed, complained)."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(ledger)
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

    yield run
    ledger.close()


def test_one_is_listed_counted_and_written_again(rescore):
    line = "crm:1042  parked  b2b in crm, 1 tries\n  it is locked\n"
    assert rescore("updates") == (0, line, "")
    assert rescore("updates", "retry", "crm:1042", "--dry-run") == (0, "would be: again 1\n", "")
    assert rescore("updates", "--state", "parked")[1] == line
    assert rescore("updates", "retry", "--state", "parked", "--by", "rita") == (0, "again 1\n", "")
    assert rescore("updates", "--state", "parked")[1] == "there is no such update\n"


def test_nothing_is_written_again_by_a_slip(rescore):
    code, _, complaint = rescore("updates", "retry")
    assert (code, complaint.startswith("name leads by their keys, or choose them")) == (1, True)
    assert rescore("updates", "retry", "crm:9") == (0, "nothing to do\n", "")
