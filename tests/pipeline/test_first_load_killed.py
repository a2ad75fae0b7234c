"""A first load whose process is killed in the middle goes on where it was."""

import multiprocessing
import os
import signal
from collections import Counter
from pathlib import Path

from rescore.connectors.memory import MemoryCrm
from rescore.lake.lake import Lake
from rescore.lake.records import ActivityRecord
from rescore.ledger.migrate import migrate
from rescore.ledger.scores import streams
from rescore.ledger.transaction import Ledger
from rescore.pipeline.extract import extract
from rescore.workspace import Workspace
from tests.support.main_job import MAPPINGS, MORNING


def place(root: Path) -> Workspace:
    ledger, lake = Ledger(f"sqlite:///{root / 'ledger.db'}"), Lake(str(root / "lake"))
    return Workspace(ledger, lake, root, MAPPINGS, root, MAPPINGS.with_name("policy.yaml"))


def load(root: Path, progress) -> Counter[str]:
    crm = MemoryCrm("tryton", page_size=2)
    for number in range(5):
        crm.put_lead(f"lead-{number}", {"job_title": "Director"})
        crm.put_activity(ActivityRecord(f"view-{number}", f"lead-{number}", "page_view", MORNING))
    return extract(place(root), crm, until=MORNING, known_at=MORNING, progress=progress)


def load_and_die(root: Path) -> None:
    load(root, lambda _: os.kill(os.getpid(), signal.SIGKILL))


def test_a_first_load_that_was_killed_after_its_first_landing_goes_on_and_repeats_nothing(tmp_path):
    ws = place(tmp_path)
    migrate(ws.ledger)
    child = multiprocessing.get_context("spawn").Process(target=load_and_die, args=(tmp_path,))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    with ws.ledger.reading() as connection:
        assert not streams.history_complete(connection)
    counts = load(tmp_path, lambda _: None)
    assert (counts["leads"], counts["activities"]) == (0, 5), "the leads had landed"
    with ws.ledger.reading() as connection:
        assert streams.history_complete(connection)
