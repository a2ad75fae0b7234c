"""People who answer to a hold, each other, and the next run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select

from rescore.lake.lake import Lake
from rescore.lake.landings import Stream
from rescore.ledger import tables
from rescore.ledger.rules import activations, holds
from rescore.ledger.rules.holds import Answer
from rescore.ledger.scores import runs
from rescore.pipeline.gate import promote_or_hold
from rescore.pipeline.holds import decide
from rescore.workspace import Workspace
from tests.delivery.conftest import MAPPING as MAPPING_FILE
from tests.faults.scenarios import SCORECARD, Act, everything_settles, first_load, lands, next_runs, score
from tests.faults.schedules import Scenario, Verdict
from tests.faults.turns import Scene
from tests.ledger.world import MINUTE

POLICY = "band_moves: {leads: 1, share: 1%}\nholds: {expire_after: 24h, growth: 10%}\n"


class WholeLake(Lake):
    """A lake that nobody looks into, and of which nothing was ever lost."""

    def behind(self, committed: Mapping[Stream, int]) -> None:
        """See `Lake`."""


def workspace(scene: Scene) -> Workspace:
    """The scene's ledger with a policy that holds two band moves; no lake is ever made."""
    home = Path(str(scene.ledger.url.database)).parent
    lake = WholeLake(str(home / "lake"))
    return Workspace(scene.ledger, lake, home, home / "mappings", home / "reports", home / "policy.yaml")


def one_held(scene: Scene) -> None:
    """Of three leads two get another band: the run that says so is held."""
    ws, outside = workspace(scene), scene.outside
    ws.mappings_dir.mkdir()
    (ws.mappings_dir / "crm.yaml").write_bytes(MAPPING_FILE)
    ws.policy_file.write_text(POLICY)
    outside.facts = [(f"crm:{lead}", outside.now, 2) for lead in "123"]
    first_load(scene, **{"1": 10, "2": 10, "3": 10})
    for lead in "12":
        lands(scene, f"crm:{lead}", outside.now, 20)
    outside.now += MINUTE
    assert promote_or_hold(ws, score(scene, "held", scene.now).run_key, at=scene.now)["held"]
    lands(scene, "crm:3", outside.now, 1)
    outside.now += MINUTE


def gated(scene: Scene) -> None:
    """The next run, through the gate."""
    run = score(scene, "next", scene.now + MINUTE)
    promote_or_hold(workspace(scene), run.run_key, at=scene.now)


def answers(answer: Answer, by: str) -> Act:
    """A person answers whatever is asked."""

    def act(scene: Scene) -> None:
        with scene.ledger.reading() as connection:
            asked = holds.open_holds(connection)
        for hold in asked:
            decide(workspace(scene), hold.hold_id, answer, by=by, at=scene.now)
            scene.outside.taken.append((hold.hold_id, holds.STATE_OF[answer]))

    return act


def answered(scene: Scene) -> Verdict:
    """What is still asked is released, who was paused goes on: nothing is held that nobody asks about.

    An answer that was taken is the one that counts.
    """
    answers("release", "rita")(scene)
    with scene.ledger.transaction() as connection:
        activations.resume(connection, SCORECARD, at=scene.now, by="rita")
    found = next_runs(scene)
    with scene.ledger.reading() as connection:
        left = connection.scalars(select(tables.run.c.run_key).where(tables.run.c.state == runs.HELD))
        found += [f"{key} is held and nobody is asked" for key in left]
        for hold_id, state in scene.outside.taken:
            if (ending := holds.find(connection, hold_id)).state != state:
                found.append(f"the answer `{state}` was taken, and the hold is {ending.ending}")
    return Verdict((*found, *everything_settles(scene)))


ALL = (
    Scenario(
        "a hold released, discarded, and the next run",
        one_held,
        {"rita": answers("release", "rita"), "ute": answers("discard", "ute"), "next": gated},
        answered,
    ),
)
