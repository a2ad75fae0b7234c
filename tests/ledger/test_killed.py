"""A promotion killed anywhere, with SIGKILL, ends like one that was never disturbed."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from rescore.ledger import tables
from rescore.ledger.promotion import promotion
from rescore.ledger.scores import runs
from tests.ledger.world import World
from tests.support import databases

SCORES = {f"crm:{number:02}": number * 10 + 1 for number in range(20)}
OUTCOME = [tables.score, tables.delta, tables.sync, tables.arming, tables.delivery, tables.dirty]

PROMOTER = textwrap.dedent(
    """
    import os, signal, sys
    from sqlalchemy import Engine, event
    from rescore.ledger.promotion import promotion
    from rescore.ledger.scores import runs
    from rescore.ledger.transaction import Ledger
    from tests.ledger.world import World

    url, kill_at = sys.argv[1], int(sys.argv[2])
    ledger = Ledger(url)
    with ledger.reading() as connection:
        run = runs.find(connection, "killed/b2b")
    seen = 0

    def count(*_):
        global seen
        seen += 1
        if seen == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)
    promotion.promote(ledger, run, World(ledger).card, at=run.started_at, targets=["crm"], chunk=5)
    print(seen)
    """
)


@pytest.fixture
def world(ledger) -> World:
    return World(ledger)


def prepare(world):
    world.first_load(**dict.fromkeys(SCORES, 0))
    world.land(*SCORES)
    world.stage(world.start(key="killed/b2b"), SCORES)


def promoter(world, kill_at: int) -> subprocess.CompletedProcess[str]:
    url = world.ledger.url.render_as_string(hide_password=False)
    return subprocess.run(
        [sys.executable, "-c", PROMOTER, url, str(kill_at)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(["include", "."])},
    )


def outcome(world) -> list[list[tuple[object, ...]]]:
    return [world.rows(table) for table in OUTCOME]


def test_a_promotion_killed_at_any_of_its_points_and_resumed_ends_undisturbed(world):
    prepare(world)
    undisturbed = promoter(world, kill_at=-1)
    assert undisturbed.stderr == ""
    points = int(undisturbed.stdout)
    expected = outcome(world)
    assert world.dirty() == []
    for kill_at in range(3, points + 1, max(1, points // 6)):
        databases.empty(world.ledger)
        world = World(world.ledger)
        prepare(world)
        assert promoter(world, kill_at).returncode == -signal.SIGKILL
        assert promoter(world, kill_at=-1).returncode == 0
        assert outcome(world) == expected, f"killed at point {kill_at} of {points}"


@pytest.mark.parametrize("chunks_done", [0, 1, 2, 3])
def test_a_promotion_left_between_chunks_goes_on_where_it_stopped(world, chunks_done):
    prepare(world)
    lines: list[str] = []

    def stop(line: str) -> None:
        lines.append(line)
        if len(lines) > chunks_done:
            raise InterruptedError

    with world.ledger.reading() as connection:
        run = runs.find(connection, "killed/b2b")
    with pytest.raises(InterruptedError):
        promotion.promote(
            world.ledger, run, world.card, at=world.now, targets=["crm"], chunk=5, progress=stop
        )
    resumed = promotion.promote(world.ledger, run, world.card, at=world.now, targets=["crm"], chunk=5)
    assert resumed["promoted"] == 20 - (chunks_done + 1) * 5
    assert world.scores() == SCORES
